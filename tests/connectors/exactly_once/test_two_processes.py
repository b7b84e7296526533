"""Two processes that land one source: they take turns, and one that has lost its turn counts for nothing."""

from pathlib import Path

import pytest

from tests.connectors.exactly_once.origins import DatabaseShop, FileShop, Shop
from tests.connectors.exactly_once.process import until
from warehouse.database import Warehouse

WAITING = (
    "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"
    " and query like '%advisory_lock(hashtext%'"
)
# The connections that hold a turn.
OF_THE_TURN = (
    "select pid from pg_locks where locktype = 'advisory' and granted"
    " and database = (select oid from pg_database where datname = current_database())"
)
# The end of a ledger's transaction is held up for as long as the test holds this lock.
HELD_UP = 4711
HOLD_UP = f"""
create function ops.hold_up() returns trigger language plpgsql as
$$ begin perform pg_advisory_xact_lock({HELD_UP}); return null; end $$;
create constraint trigger hold_up after insert on ops.batches deferrable initially deferred
for each row execute function ops.hold_up();
"""
AT_ITS_COMMIT = (
    "select 1 from pg_stat_activity where datname = current_database() and query ilike 'commit%'"
    " and wait_event = 'advisory'"
)

OF_THE_FIRST = "select pid from pg_stat_activity where application_name = 'first'"


def execute(warehouse: Warehouse, sql: str) -> None:
    with warehouse.engine().begin() as connection:
        connection.exec_driver_sql(sql)


@pytest.fixture(params=["files", "tables"])
def shop(request: pytest.FixtureRequest) -> Shop:
    found: Shop = request.getfixturevalue(request.param)
    return found


def test_who_comes_second_finds_nothing_to_do(shop: Shop) -> None:
    with shop.process("copying") as first:
        first.reach()
        with shop.process() as second:
            until(lambda: shop.rows(WAITING))
            assert "landed batches" in first.succeed()
            assert "no new" in second.succeed()
    shop.rerun_and_verify()


def test_who_waits_lands_what_the_killed_one_had_not(shop: Shop) -> None:
    with shop.process("loaded") as first:
        first.reach()
        with shop.process() as second:
            until(lambda: shop.rows(WAITING))
            first.kill()
            assert "landed batches" in second.succeed()
    assert shop.rerun() == []
    shop.verify()


def test_who_waits_is_killed(shop: Shop) -> None:
    with shop.process("appended") as first:
        first.reach()
        with shop.process() as second:
            until(lambda: shop.rows(WAITING))
            second.kill()
        first.succeed()
    shop.rerun_and_verify()


@pytest.mark.parametrize("moment", ["extracting", "loaded", "appended"])
def test_who_lost_its_turn_records_nothing(moment: str, tables: DatabaseShop, tmp_path: Path) -> None:
    """The connection that holds the turn breaks, and another process lands the source from another home meanwhile."""
    with tables.process(moment) as first:
        first.reach()
        tables.rows(f"select pg_terminate_backend(pid) from ({OF_THE_TURN}) as turn")
        with tables.process(DATAINSIGHT_HOME=str(tmp_path / "other_home")) as second:
            assert "landed batches" in second.succeed()
        first.fail()
    assert tables.rows("select count(*) from ops.batches") == {(3,): 1}
    tables.rerun_and_verify()


def test_a_turn_ends_when_the_ledger_is_written_not_when_its_process_dies(files: FileShop) -> None:
    """A process is killed while the server is still at the commit that it asked for."""
    execute(files.warehouse, HOLD_UP)
    engine = files.warehouse.engine().execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as holder:
        holder.exec_driver_sql(f"select pg_advisory_lock({HELD_UP})")
        with files.process(PGAPPNAME="first") as first:
            until(lambda: files.rows(AT_ITS_COMMIT))
            with files.process() as second:
                until(lambda: files.rows(WAITING))
                first.kill()
                until(lambda: len(files.rows(OF_THE_FIRST)) == 1)
                assert files.rows(WAITING), "the turn is over before the ledger is written"
                holder.exec_driver_sql(f"select pg_advisory_unlock({HELD_UP})")
                assert "no new" in second.succeed()
    assert files.rerun() == []
    files.verify()
