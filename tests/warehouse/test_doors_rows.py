"""What a login sees of the marts: an organization its own rows, an analyst everybody's with masks."""

import pytest

from tests.warehouse.doors import OTHERS, Doors, Session, session
from warehouse.database import API, TRANSFORMER
from warehouse.doors.logins import TENANTS

OWN = [("acme", 50, 1275)]
BY_ORGANIZATION = "select organization_id, count(*), sum(amount) from marts.fact_sales group by 1 order by 1"


def test_an_organization_sees_its_own_rows_and_what_is_shared(doors: Doors) -> None:
    with doors.tenant("acme") as acme, doors.tenant("globex") as globex:
        assert acme.rows(BY_ORGANIZATION) == OWN
        assert globex.rows("select distinct organization_id from marts.fact_sales") == [("globex",)]
        assert acme.value("select count(*) from marts.dim_days") == 101
        assert acme.rows("select person_key, email, phone from marts.dim_people order by 1 limit 1") == [
            ("acme1", "ann1@example.com", "+1 1")
        ]
        assert acme.value("select count(*) from marts.dim_people") == 5
        assert globex.value("select count(*) from marts.dim_people where organization_id <> 'globex'") == 0


def test_the_schemas_need_not_be_named(doors: Doors) -> None:
    with doors.tenant() as acme, doors.analyst() as analyst:
        assert acme.value("select count(*) from fact_sales") == 50
        assert analyst.value("select count(*) from fact_sales") == 200


def test_an_organization_without_rows_sees_none(doors: Doors) -> None:
    with doors.tenant("newcomer") as newcomer:
        assert newcomer.value("select count(*) from fact_sales") == 0
        assert newcomer.value("select count(*) from dim_people") == 0
        assert newcomer.value("select count(*) from dim_days") == 101


def test_an_organization_sees_nothing_internal_and_nothing_hidden(doors: Doors) -> None:
    with doors.tenant() as acme:
        for statement in (
            "select * from fact_costs",
            "select * from dim_staff",
            "select chance from fact_deals",
            "select * from fact_deals",
            "select score from dim_people",
            "select 1 from fact_deals where chance > 0",
            "select fact_deals from fact_deals",
        ):
            assert "permission denied" in acme.error(statement)
        assert acme.rows("select organization_id, amount from fact_deals") == [("acme", 10)]
        assert acme.rows(
            "select column_name::text from information_schema.columns where table_name = 'fact_deals'"
            " order by ordinal_position"
        ) == [
            ("organization_id",),
            ("amount",),
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "select * from fact_sales",
        "table fact_sales",
        "with s as materialized (select * from fact_sales) select * from s",
        "with recursive s as (select * from fact_sales union select * from fact_sales) select * from s",
        "select s.*, p.email from fact_sales s left join dim_people p using (organization_id)",
        "select * from fact_sales a join fact_sales b on a.sale_id = b.sale_id",
        "select * from fact_sales a full join dim_days b on a.amount = b.number and a.note > 'a'",
        "select d.number, s.* from dim_days d, lateral (select * from fact_sales where sale_date = d.date_day) s",
        "select (select string_agg(note, ',') from fact_sales), (select max(amount) from fact_sales)",
        "with m as (select max(amount) as most from fact_sales) select most from dim_days join m on number <> most",
        "select * from fact_sales where organization_id = 'globex' or organization_id is null or true",
        "select * from fact_sales where exists (select 1 from fact_sales o where o.organization_id = 'globex')",
        "select * from fact_sales tablesample system (100) repeatable (1)",
        "select organization_id, note, sum(amount) over (order by amount desc) from fact_sales",
        "select note, count(*) from fact_sales group by grouping sets ((note), ())",
        "select json_agg(s), array_agg(s), string_agg(note, ',') from fact_sales s",
        "select * from ts_stat('select to_tsvector(note) from marts.fact_sales')",
        "explain (analyze, verbose, buffers) select * from fact_sales where note > 'a'",
        "explain (analyze, verbose) select email from dim_people where email > 'a'",
        "select * from fact_sales union all select * from fact_sales",
        "select * from fact_sales except select * from fact_sales where organization_id = 'acme'",
        "select * from fact_sales order by case when organization_id = 'globex' then 0 else 1 end limit 5",
        "select distinct on (organization_id) * from fact_sales order by organization_id, amount desc",
        "select tableoid::regclass, ctid, xmin, s.* from fact_sales s",
        "select p.email from dim_people p where p.email like '%secret%' or p.person_key = 'globex1'",
        "values ((select max(note) from fact_sales))",
        "declare c cursor with hold for select * from fact_sales; fetch all from c",
        "prepare p as select * from fact_sales where amount > $1; execute p(0)",
        "set enable_indexscan = off; set enable_bitmapscan = off; select * from fact_sales",
        "set role none; select * from fact_sales",
        "reset role; select * from fact_sales",
        "reset session authorization; select * from fact_sales",
        "set default_transaction_read_only = off; select * from fact_sales",
        "set search_path = pg_temp, public; select * from marts.fact_sales",
        "set plan_cache_mode = force_generic_plan;"
        " prepare g as select * from fact_sales where note > $1; execute g('a')",
        "set debug_parallel_query = on; select * from fact_sales",
        "set debug_parallel_query = on; set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0;"
        " select note, count(*) from fact_sales group by 1",
    ],
)
def test_no_way_of_asking_shows_a_foreign_row(doors: Doors, statement: str) -> None:
    with doors.tenant() as acme:
        seen = repr(acme.rows(statement)).lower()
        assert not [mark for mark in OTHERS if mark in seen]


def test_prepared_statements_follow_the_role(doors: Doors) -> None:
    acme, _ = doors.add(TENANTS, "acme")
    globex, _ = doors.add(TENANTS, "globex")
    ask = "select distinct organization_id from marts.fact_sales order by 1"
    with doors.operator() as operator:
        operator.rows(f"prepare organizations as {ask}")
        operator.rows("prepare people as select count(*) from marts.dim_people")
        seen = []
        for role in (acme, globex, "analyst", acme, "none"):
            operator.rows(f"set role {role}")
            seen.append((operator.rows("execute organizations"), operator.value("execute people")))
    everybody = [("(unknown)",), ("acme",), ("globex",), (None,)]
    assert seen == [
        ([("acme",)], 5),
        ([("globex",)], 5),
        (everybody, 10),
        ([("acme",)], 5),
        (everybody, 10),
    ]


def test_an_operator_sees_through_an_organizations_eyes(doors: Doors) -> None:
    login, _ = doors.add(TENANTS, "acme")
    with doors.operator() as operator:
        assert operator.value("select count(*) from marts.fact_sales") == 200
        for way in (f"set role {login}", f"set session authorization {login}"):
            operator.rows(way)
            assert operator.rows(BY_ORGANIZATION) == OWN
            assert operator.value("select count(*) from marts.dim_people") == 5
            operator.rows("reset session authorization")
            operator.rows("reset role")
        # The group itself is nobody in particular.
        operator.rows("set role tenant")
        assert operator.value("select count(*) from marts.fact_sales") == 0
        assert operator.value("select count(*) from marts.dim_days") == 0


def test_an_organization_cannot_become_another(doors: Doors) -> None:
    globex, _ = doors.add(TENANTS, "globex")
    with doors.tenant("acme") as acme:
        for role in (globex, "tenant", "analyst", "api", "transformer", "loader", "pg_read_all_data"):
            assert "permission denied" in acme.error(f"set role {role}")
            assert "permission denied" in acme.error(f"set session authorization {role}")
        acme.rows("set default_transaction_read_only = off")
        assert "permission denied" in acme.error(f"grant {globex} to current_user")
        assert acme.rows(BY_ORGANIZATION) == OWN
        # The platform's own functions have no door of their own.
        assert "permission denied for schema app" in acme.error(f"select app.current_organization('{globex}')")


def test_the_function_tells_nobody_about_another(doors: Doors) -> None:
    acme, url = doors.add(TENANTS, "acme")
    globex, _ = doors.add(TENANTS, "globex")
    with doors.operator() as operator:
        operator.rows("grant usage on schema app to tenant")
        assert operator.value(f"select app.current_organization('{globex}')") == "globex"
    with session(url) as opened:
        assert opened.value("select app.current_organization()") == "acme"
        assert opened.value(f"select app.current_organization('{acme}')") == "acme"
        assert opened.value(f"select app.current_organization('{globex}')") is None


def test_a_login_that_the_warehouse_does_not_know_sees_nothing(doors: Doors) -> None:
    login, url = doors.add(TENANTS, "acme")
    with session(url) as opened:
        with doors.operator() as operator:
            operator.rows("update app.tenants set login = login || '_of_another'")
        assert opened.value("select count(*) from fact_sales") == 0
        assert opened.value("select count(*) from dim_people") == 0
        assert opened.value("select count(*) from dim_days") == 0
        with doors.operator() as operator:
            operator.rows(f"update app.tenants set login = '{login}'")


def test_a_plan_that_outlives_its_role_shows_nothing(doors: Doors) -> None:
    globex, url = doors.add(TENANTS, "acme")
    with session(url) as opened:
        opened.rows("set plan_cache_mode = force_generic_plan")
        opened.rows("prepare sales as select count(*) from marts.fact_sales")
        opened.rows("prepare people as select count(*) from marts.dim_people")
        assert (opened.value("execute sales"), opened.value("execute people")) == (50, 5)
        with doors.operator() as operator:
            operator.rows("update app.tenants set organization_id = 'globex'")
        assert (opened.value("execute sales"), opened.value("execute people")) == (0, 0)
        opened.rows("discard plans")
        assert (
            opened.value("select min(organization_id) || max(organization_id) from marts.fact_sales") == "globexglobex"
        )
    login, _ = doors.add(TENANTS, "acme")
    with doors.operator() as operator:
        operator.rows("begin")
        operator.rows(f"set role {login}")
        operator.rows("declare c cursor for select organization_id from marts.fact_sales")
        operator.rows(f"set role {globex}")
        assert operator.rows("fetch all from c") == []


def analysts_view(analyst: Session) -> list[tuple[object, ...]]:
    return analyst.rows("select person_key, organization_id, email, phone, score from dim_people order by 1")


def test_an_analyst_sees_every_row_with_masks(doors: Doors) -> None:
    doors.policy(fact_visits={"organization_column": "organization_id", "personal": ["email"]})
    doors.build("personal.fact_visits", "select organization_id, email, 1 as visits from personal.dim_people")
    with doors.analyst() as analyst:
        assert analyst.value("select count(*) from fact_sales") == 200
        assert analyst.value("select count(*) from fact_costs") == 1
        assert analyst.rows("select chance from fact_deals order by 1")[0][0] is not None
        people = analysts_view(analyst)
        assert len(people) == 10
        for _, organization, email, phone, score in people:
            assert email is None or email.startswith("masked-")
            assert str(phone).startswith("masked-")
            assert score == (0.5 if organization == "acme" else 7777)
        # Four persons in each organization have a distinct address, the fifth has none; five have phones alike.
        assert analyst.value("select count(distinct email) from dim_people") == 8
        assert analyst.value("select count(email) from dim_people") == 8
        assert analyst.value("select count(distinct phone) from dim_people") == 5
        assert analyst.value("select count(*) from dim_people join fact_visits using (email)") == 8
        assert str(analyst.value("select email from dim_staff")).startswith("masked-")
        assert "permission denied for schema personal" in analyst.error("select * from personal.dim_people")
    for role in (None, API, TRANSFORMER):
        with doors.operator(role) as operator:
            assert operator.value("select email from marts.dim_people where person_key = 'acme1'") == "ann1@example.com"
            assert operator.value("select count(*) from marts.dim_people") == 10


def test_masks_cannot_be_taken_off(doors: Doors) -> None:
    with doors.analyst() as analyst:
        mask = analyst.value("select email from dim_people where person_key = 'acme1'")
        assert analyst.rows("select 1 from dim_people where email = 'ann1@example.com'") == []
        assert "ann1" not in analyst.error("select email::int from dim_people where person_key = 'acme1'")
        assert analyst.rows("select 1 from dim_people where email like 'ann%' and email::int > 0") == []
        assert "permission denied for schema app" in analyst.error("select app.mask('ann1@example.com')")
        assert "permission denied for schema app" in analyst.error("select * from app.mask_salt")
        assert analyst.rows("select * from pg_stats where schemaname in ('personal', 'app')") == []
        source = analyst.rows("select prosrc from pg_proc where proname = 'mask'")
        assert len(source) == 1
    with doors.operator() as operator:
        assert operator.value("select app.mask('ann1@example.com')") == mask
        assert operator.value("select app.mask(null)") is None
        operator.rows("update app.mask_salt set salt = sha256(salt)")
        assert operator.value("select app.mask('ann1@example.com')") != mask
