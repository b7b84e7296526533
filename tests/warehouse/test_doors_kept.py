"""What is protected stays so: unchanged builds write nothing, damage is put right, a changed policy holds at once."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.warehouse.doors import MARTS, POLICY, Doors, protect
from warehouse.connect import open_warehouse
from warehouse.database import API
from warehouse.doors.logins import TENANTS
from warehouse.doors.sync import sync_policy
from warehouse.policy import load_policy


def changes(doors: Doors) -> Callable[[], object]:
    """Tells whether any of the catalogues that hold the protection was written since."""
    catalogues = "pg_class", "pg_attribute", "pg_policy", "pg_description", "pg_namespace", "pg_rewrite"

    def written() -> object:
        with doors.operator() as operator:
            return [operator.value(f"select max(xmin::text::bigint) from {name}") for name in catalogues]

    return written


def test_a_protected_mart_is_left_alone(doors: Doors) -> None:
    written = changes(doors)
    before = written()
    with doors.tenant() as acme:
        acme.rows("begin")
        acme.rows("select count(*) from fact_sales, dim_people, dim_days, fact_deals limit 1")
        # A reader in the midst of a transaction is in nobody's way, since nothing is changed.
        for mart in MARTS:
            doors.transform(
                "set local lock_timeout = '1s'", f"select app.protect('{mart.replace('.', chr(39) + ', ' + chr(39))}')"
            )
        acme.rows("commit")
    assert written() == before


@pytest.mark.parametrize(
    "damage",
    [
        "grant select on marts.fact_sales to public",
        "grant select (note) on marts.fact_sales to tenant",
        "grant insert on marts.fact_sales to analyst",
        "alter table marts.fact_sales disable row level security",
        "drop policy own_rows on marts.fact_sales",
        "create policy more on marts.fact_sales to tenant using (true)",
        "alter policy own_rows on marts.fact_sales using (true)",
        "grant select on personal.dim_people to tenant",
        "alter view marts.dim_people set (security_barrier = false)",
        "create or replace view marts.dim_people as select person_key, organization_id, email,"
        " cast(phone as text) as phone, score from personal.dim_people",
        "drop view marts.dim_people",
        "revoke select on marts.dim_people from tenant",
        "grant select on marts.dim_people to tenant",
        "grant usage on schema personal to tenant; grant select on personal.dim_people to public",
    ],
)
def test_whatever_was_changed_by_hand_is_put_right(doors: Doors, damage: str) -> None:
    doors.transform(damage)
    for mart in MARTS:
        assert protect(doors, mart) is None
    with doors.tenant() as acme, doors.analyst() as analyst:
        assert acme.value("select count(*) from fact_sales") == 50
        assert acme.value("select count(email) from dim_people") == 4
        assert "permission denied" in acme.error("select score from dim_people")
        assert analyst.value("select count(*) from dim_people where email not like 'masked-%'") == 0
        for reader in (acme, analyst):
            assert "permission denied" in reader.error("select * from personal.dim_people")
            assert "permission denied" in reader.error("set transaction read write; delete from fact_sales")


def test_two_builds_may_protect_at_once(bare_doors: Doors) -> None:
    failures: list[Exception] = []
    marts = [f"fact_{number}" for number in range(8)]
    bare_doors.policy(**{mart: {"organization_column": "organization_id"} for mart in marts})
    bare_doors.transform(
        "create schema marts_as_of_9",
        *(f"create table marts_as_of_9.{mart} as select 'acme' as organization_id" for mart in marts),
    )

    def work(mart: str) -> None:
        try:
            bare_doors.transform(f"select app.protect('marts_as_of_9', '{mart}')")
        except sa.exc.SQLAlchemyError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(mart,)) for mart in marts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with bare_doors.tenant() as acme:
        assert [acme.value(f"select count(*) from marts_as_of_9.{mart}") for mart in marts] == [1] * 8


def test_a_changed_policy_holds_at_once(doors: Doors) -> None:
    with doors.tenant() as acme, doors.analyst() as analyst:
        assert doors.policy() == []
        rules = {
            "fact_sales": {"internal": True},
            "fact_deals": {"organization_column": "organization_id"},
            "fact_costs": {"shared": True},
            "dim_people": {"organization_column": "organization_id", "personal": ["phone"]},
        }
        assert doors.policy(**rules) == []
        assert "permission denied" in acme.error("select * from fact_sales")
        assert acme.rows("select chance from fact_deals") == [(pytest.approx(0.25),)]
        assert acme.rows("select amount from fact_costs") == [(7777,)]
        assert acme.value("select count(score) from dim_people") == 5
        assert analyst.value("select count(*) from dim_people where email like '%@example.com'") == 8
        assert analyst.value("select count(*) from dim_people where phone not like 'masked-%'") == 0


def test_a_mart_that_the_policy_no_longer_knows_is_shut(doors: Doors) -> None:
    marts = {name: rule for name, rule in POLICY.marts.items() if name not in ("fact_sales", "dim_people")}
    shut = sync_policy(doors.warehouse, POLICY.model_copy(update={"marts": marts}))
    assert shut == ["marts.fact_sales", "personal.dim_people"]
    with doors.tenant() as acme, doors.analyst() as analyst:
        for reader in (acme, analyst):
            assert "permission denied" in reader.error("select * from fact_sales")
            assert "permission denied" in reader.error("select email from dim_people")
            assert reader.value("select count(*) from dim_days") == 101
        assert doors.policy() == []
        assert acme.value("select count(*) from fact_sales") == 50
        assert analyst.value("select count(*) from dim_people") == 10


def test_opening_the_warehouse_carries_the_file_into_it(bare_doors: Doors) -> None:
    bare_doors.transform("create table marts.fact_sales as select 'acme' as organization_id")
    bare_doors.transform(
        "create table marts.fact_user_actions as select 'acme' as organization_id union all select 'globex'"
    )
    with open_warehouse(bare_doors.settings), bare_doors.operator() as operator:
        stated = dict(operator.rows("select mart, rule from app.policy"))
    assert stated == {name: rule.rule for name, rule in load_policy().marts.items()}
    with bare_doors.tenant() as acme:
        assert acme.value("select count(*) from fact_user_actions") == 1
        assert "permission denied" in acme.error("select * from fact_sales")


def test_the_platforms_own_door_sees_everything(doors: Doors) -> None:
    with doors.operator(API) as api:
        assert api.value("select count(*) from marts.fact_sales") == 200
        assert api.value("select count(*) from personal.dim_people") == 10
        assert api.value("select max(chance) from marts.fact_deals") > 0
        login, _ = doors.add(TENANTS, "acme")
        assert "permission denied" in api.error(f"set role none; set role api; alter role {login} password 'x'")
