"""Advisory locks are the platform's: no login takes one, and one that was taken all the same keeps nobody waiting."""

from collections.abc import Iterator

import psycopg2
import pytest

from connectors.landing.turn import turn
from orchestration.pipeline import _PASS_LOCK, _take_turn
from tests.warehouse.doors import Doors, Session, session
from warehouse.connect import open_warehouse
from warehouse.database import TRANSFORMER, Warehouse
from warehouse.doors.limits import end_lock_holders
from warehouse.doors.logins import ANALYSTS, TENANTS, list_logins
from warehouse.migrate import _LOCK

TO_ALL = """
do $$
declare one regprocedure;
begin
    for one in select oid from pg_proc where proname ~ '^pg_(try_)?advisory_(xact_)?lock' loop
        execute format('grant execute on function %s to public', one);
    end loop;
end $$
"""


@pytest.fixture
def lax(bare_doors: Doors) -> Iterator[Doors]:
    """A warehouse whose logins may take advisory locks, as on a server where the platform is no superuser."""
    with bare_doors.operator() as operator:
        operator.rows(TO_ALL)
    # Rather an error than a test that never ends.
    impatient = bare_doors.warehouse.url_object.update_query_dict({"options": "-c lock_timeout=20s"})
    warehouse = Warehouse(impatient)
    yield Doors(warehouse, bare_doors.settings)
    warehouse.dispose()


def has_ended(opened: Session) -> bool:
    try:
        opened.rows("select 1")
    except psycopg2.OperationalError:
        return True
    return False


def test_no_login_takes_an_advisory_lock(bare_doors: Doors) -> None:
    with bare_doors.operator() as operator:
        found = operator.rows("select distinct proname from pg_proc where proname ~ '^pg_.*advisory.*_lock(_shared)?$'")
        names = [name for (name,) in found]
    assert len(names) == 8
    for opening in (bare_doors.tenant(), bare_doors.analyst()):
        with opening as reader:
            for name in names:
                for key in ("1", "1, 2"):
                    assert f"permission denied for function {name}" in reader.error(f"select {name}({key})")


def test_dbts_role_takes_the_one_that_it_needs(bare_doors: Doors) -> None:
    bare_doors.transform("select app.open_schema('marts_as_of_5', 'analyst', 'api', 'tenant')")
    with bare_doors.operator(TRANSFORMER) as transformer:
        assert "permission denied" in transformer.error("select pg_advisory_lock(1)")


def test_a_command_goes_on_and_forbids_it_again(lax: Doors) -> None:
    """A restored database, or one of before, lets logins take the lock that every command waits for."""
    _, url = lax.add(TENANTS, "acme")
    with session(url) as acme:
        acme.rows(f"select pg_advisory_lock({_LOCK})")
        with open_warehouse(lax.settings):
            assert has_ended(acme)
    with session(url) as acme:
        assert "permission denied for function" in acme.error(f"select pg_advisory_lock({_LOCK})")


def test_who_waits_for_a_turn_ends_what_stands_in_the_way(lax: Doors) -> None:
    with lax.tenant() as acme, lax.warehouse.engine().connect() as connection:
        acme.rows("select pg_advisory_lock(hashtextextended('connectors.landing.saas', 0))")
        with turn(lax.warehouse, "saas"):
            assert has_ended(acme)
        with lax.analyst() as analyst:
            analyst.rows(f"select pg_advisory_lock({_PASS_LOCK})")
            _take_turn(connection, 0)
            assert has_ended(analyst)


def test_a_login_without_a_lock_stays(lax: Doors) -> None:
    _, url = lax.add(ANALYSTS, "maria")
    with session(url) as held, session(url) as free, lax.operator() as operator:
        held.rows("select pg_advisory_lock_shared(7)")
        operator.rows("select pg_advisory_lock(8)")
        with lax.warehouse.engine().begin() as connection:
            assert end_lock_holders(connection) == 1
        assert free.value("select 1") == 1
        assert operator.value("select 1") == 1
        assert [login.connections for login in list_logins(lax.warehouse, ANALYSTS)] == [1]
