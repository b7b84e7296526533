"""`app.protect`: what it puts on a mart, that it survives every rebuild, what it refuses, and what it costs."""

import pytest
import sqlalchemy as sa

from tests.warehouse.doors import MARTS, Doors, protect
from warehouse.database import API, TRANSFORMER


def test_a_fresh_mart_is_served_to_nobody_until_it_is_protected(bare_doors: Doors) -> None:
    bare_doors.transform(f"create table marts.fact_sales as {MARTS['marts.fact_sales']}")
    with bare_doors.tenant() as acme, bare_doors.analyst() as analyst:
        for reader in (acme, analyst):
            assert "permission denied" in reader.error("select * from fact_sales")
        assert protect(bare_doors, "marts.fact_sales") is None
        assert acme.value("select count(*) from fact_sales") == 50
        assert analyst.value("select count(*) from fact_sales") == 200


def test_a_rebuilt_mart_keeps_its_rule(doors: Doors) -> None:
    with doors.tenant() as acme, doors.analyst() as analyst:
        for _ in range(2):
            for mart in MARTS:
                doors.build(mart)
            assert acme.value("select count(*) from fact_sales") == 50
            assert acme.value("select count(*) from dim_people") == 5
            assert analyst.value("select count(email) from dim_people where email like 'masked-%'") == 8
            assert "permission denied" in acme.error("select * from fact_costs")


def test_a_failed_build_leaves_the_old_mart_as_it_was(doors: Doors) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="no such column"):
        doors.build("marts.fact_sales", "select 'x' as note")
    with doors.tenant() as acme:
        assert acme.value("select count(*) from fact_sales") == 50


def test_a_view_over_personal_columns_follows_its_table(doors: Doors) -> None:
    doors.transform(
        "create view metrics.people as select organization_id, count(*) as people from marts.dim_people group by 1"
    )
    with doors.tenant() as acme:
        # More columns, then fewer and others, then none of the old order.
        doors.build("personal.dim_people", "select *, 1 as more from (" + MARTS["personal.dim_people"] + ") as p")
        assert acme.rows("select distinct more from dim_people") == [(1,)]
        doors.build(
            "personal.dim_people",
            "select 1 as score, 'x' as email, 'y' as phone, 'acme' as organization_id, 2.5 as weight",
        )
        assert acme.rows("select email, phone, organization_id, weight from dim_people") == [("x", "y", "acme", 2.5)]


def test_a_mart_that_becomes_personal_leaves_no_copy_behind(doors: Doors) -> None:
    doors.build("marts.fact_visits", "select 'acme' as organization_id, 'ann@example.com' as email")
    with doors.tenant() as acme, doors.analyst() as analyst:
        assert analyst.value("select email from fact_visits") == "ann@example.com"
        rule = {"organization_column": "organization_id", "personal": ["email"]}
        # From the moment on that the policy says so, nobody reads the table of before.
        assert doors.policy(fact_visits=rule) == ["marts.fact_visits"]
        for reader in (acme, analyst):
            assert "permission denied" in reader.error("select email from fact_visits")
        doors.build("personal.fact_visits", "select 'acme' as organization_id, 'ann@example.com' as email")
        assert acme.value("select email from fact_visits") == "ann@example.com"
        assert str(analyst.value("select email from fact_visits")).startswith("masked-")


def test_comments_reach_the_readers(doors: Doors) -> None:
    doors.transform(
        "comment on table personal.dim_people is 'One row per person.'",
        "comment on column personal.dim_people.email is 'Its address.'",
        "select app.protect('personal', 'dim_people')",
    )
    shown = (
        "select obj_description('marts.dim_people'::regclass), col_description('marts.dim_people'::regclass, attnum)"
        " from pg_attribute where attrelid = 'marts.dim_people'::regclass and attname = 'email'"
    )
    with doors.tenant() as acme:
        assert acme.rows(shown) == [("One row per person.", "Its address.")]
        doors.transform(
            "comment on column personal.dim_people.email is 'Another.'", "select app.protect('personal', 'dim_people')"
        )
        assert acme.rows(shown) == [("One row per person.", "Another.")]


@pytest.mark.parametrize(
    ("mart", "query", "reason"),
    [
        ("marts.fact_new", "select 'acme' as organization_id", "fact_new is not in the tenant policy"),
        (
            "marts.fact_sales",
            "select 'acme' as organisation_id",
            "names the column organization_id as organization_col",
        ),
        ("marts.fact_sales", "select 1 as organization_id", "must be text and is integer"),
        ("marts.fact_deals", "select 'a' as organization_id", "names the column chance as hidden_from_tenants"),
        (
            "personal.dim_people",
            "select 'a' as organization_id, 'x' as email, 1 as score",
            "the column phone as personal",
        ),
        (
            "personal.dim_people",
            "select 'a' as organization_id, 'x' as email, 49123 as phone, 1 as score",
            "the column phone as personal, which must be text and is integer",
        ),
        ("marts.dim_people", MARTS["personal.dim_people"], "must be built in the schema personal, not in marts"),
        ("staging.stg_sales", "select 1 as x", "the schema staging has no door"),
        ("metrics.sales", "select 1 as x", "is no view"),
    ],
)
def test_a_mart_that_does_not_fit_the_policy_fails_its_build(
    bare_doors: Doors, mart: str, query: str, reason: str
) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=reason):
        bare_doors.build(mart, query)
    with bare_doors.operator() as operator:
        assert operator.value(f"select to_regclass('{mart}')") is None


def test_only_a_table_has_row_security(bare_doors: Doors) -> None:
    for kind in ("view", "materialized view"):
        bare_doors.transform(f"create {kind} marts.fact_sales as select 'acme' as organization_id")
        assert "only tables have row-level security" in str(protect(bare_doors, "marts.fact_sales"))
        bare_doors.transform(f"drop {kind} marts.fact_sales")
    assert "there is no table marts.fact_sales" in str(protect(bare_doors, "marts.fact_sales"))


def test_a_mart_of_any_name_is_protected(bare_doors: Doors) -> None:
    name = """Umsätze "2024"; drop table 'x' %s {{ y }}"""
    column = 'Wem "es" gehört'
    assert bare_doors.policy(**{name: {"organization_column": column, "hidden_from_tenants": ["a b"]}}) == []
    quoted, quoted_column = (f'"{text.replace(chr(34), chr(34) * 2)}"' for text in (name, column))
    with bare_doors.operator(TRANSFORMER) as transformer:
        transformer.rows(f"create table marts.{quoted} as select 'acme' as {quoted_column}, 1 as n, 2 as \"a b\"")
        transformer.rows("select app.protect('marts', %s)", [name])
    with bare_doors.tenant() as acme:
        assert acme.rows(f"select n from marts.{quoted}") == [(1,)]
        assert "permission denied" in acme.error(f'select "a b" from marts.{quoted}')


def test_a_state_of_the_past_has_doors_of_its_own(doors: Doors) -> None:
    doors.transform(
        "create schema personal_as_of_3",
        "create schema marts_as_of_3",
        f"create table marts_as_of_3.fact_sales as {MARTS['marts.fact_sales']}",
        f"create table personal_as_of_3.dim_people as {MARTS['personal.dim_people']} limit 6",
        "select app.protect('marts_as_of_3', 'fact_sales')",
        "select app.protect('personal_as_of_3', 'dim_people')",
    )
    with doors.tenant() as acme, doors.analyst() as analyst, doors.operator(API) as api:
        assert acme.value("select count(*) from marts_as_of_3.fact_sales") == 50
        assert acme.value("select count(*) from marts_as_of_3.dim_people") < 6
        assert analyst.value("select count(*) from marts_as_of_3.dim_people") == 6
        assert str(analyst.value("select max(email) from marts_as_of_3.dim_people")).startswith("masked-")
        assert api.value("select count(*) from personal_as_of_3.dim_people") == 6
        for reader in (acme, analyst):
            assert "permission denied" in reader.error("select * from personal_as_of_3.dim_people")


def test_a_state_of_the_past_needs_no_schema_beforehand(doors: Doors) -> None:
    doors.transform(
        "create schema personal_as_of_4",
        f"create table personal_as_of_4.dim_people as {MARTS['personal.dim_people']}",
        "select app.protect('personal_as_of_4', 'dim_people')",
    )
    with doors.tenant() as acme:
        assert acme.value("select count(*) from marts_as_of_4.dim_people") == 5


def test_a_saved_query_shows_each_reader_what_he_may_see(doors: Doors) -> None:
    doors.transform(
        "create view metrics.sales as select organization_id, count(*) as sales from marts.fact_sales group by 1",
        "create view metrics.people as select organization_id, max(email) as last from marts.dim_people group by 1",
        "create view metrics.costs as select sum(amount) as amount from marts.fact_costs",
    )
    with doors.tenant() as acme, doors.analyst() as analyst:
        assert "permission denied" in acme.error("select * from metrics.sales")
        for name in ("sales", "people", "costs"):
            assert protect(doors, f"metrics.{name}") is None
        assert acme.rows("select * from sales") == [("acme", 50)]
        assert acme.rows("select * from people") == [("acme", "ann4@example.com")]
        assert "permission denied" in acme.error("select * from costs")
        assert analyst.value("select count(*) from sales") == 4
        assert analyst.rows("select * from costs") == [(7777,)]
        assert all(last.startswith("masked-") for _, last in analyst.rows("select * from people"))
