"""A database that was dumped and restored is built on as if nothing had happened: its tables have other numbers."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.dbt_project.landings import account, event, land, land_both_sources, subscription, usage
from tests.dbt_project.project import Star
from warehouse.database import TRANSFORMER, Warehouse, libpq_environment
from warehouse.embedded.binaries import find_binaries
from warehouse.migrate import migrate

PARTITIONED = ["fact_user_actions", "fact_sessions", "fact_feature_usage"]
SELECTED = ("--select", *(f"+{name}" for name in PARTITIONED))


def restore(star: Star, folder: Path) -> None:
    """Put another database into the place of the star's, with what pg_dump and pg_restore make of it."""
    url = star.warehouse.url_object
    environment = {**os.environ, **libpq_environment(url)}
    for program in ("dump", "restore"):
        if program == "restore":
            star.warehouse.dispose()
            server = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
            with server.connect() as connection:
                connection.execute(sa.text(f"drop database {url.database} with (force)"))
                connection.execute(sa.text(f"create database {url.database}"))
            server.dispose()
        arguments = {
            "dump": ["--format=custom", f"--file={folder / 'dump'}"],
            "restore": ["--exit-on-error", f"--dbname={url.database}", str(folder / "dump")],
        }[program]
        done = subprocess.run(
            [find_binaries().program(f"pg_{program}"), *arguments],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_a_restored_star_is_built_on(star: Star, tmp_path: Path) -> None:
    land_both_sources(star.warehouse)
    star.build(*SELECTED)
    contents = star.contents()
    numbers = dict(star.rows("select relname, oid from pg_class where relkind = 'p'"))

    restore(star, tmp_path)
    assert not set(numbers.items()) & set(star.rows("select relname, oid from pg_class where relkind = 'p'"))
    # It is as closed as it was before the platform has opened it, and whoever opens it twice finds nothing to do.
    assert star.rows("select has_function_privilege('public', 'pg_catalog.pg_advisory_lock(bigint)', 'execute')") == [
        (False,)
    ]
    for _ in range(2):
        migrate(star.warehouse.engine())
    assert star.contents() == contents

    # One row of a month that is there, one of a new one, and one that moves from the one to the other.
    land(
        star.warehouse,
        "github.events",
        [event(5), event(6, created_at="2024-03-01T00:00:00Z"), event(1, created_at="2024-03-02T00:00:00Z")],
    )
    land(star.warehouse, "saas.feature_usage", [usage("u1", "s1", usage_count="9"), usage("u3", "s3")])
    land(star.warehouse, "saas.accounts", [account("globex", industry="DevTools")])
    land(star.warehouse, "saas.subscriptions", [subscription("s2", "globex")])
    star.build(*SELECTED)

    assert star.rows("select count(*), count(distinct user_action_id) from marts.fact_user_actions") == [(5, 5)]
    assert star.rows("select sum(usage_count), count(*) from marts.fact_feature_usage") == [(15, 3)]
    contents = star.contents()
    star.build_again("--full-refresh", *SELECTED)
    assert star.contents() == contents
    assert set(PARTITIONED) <= contents.keys()


FACTS = {"sales": "2024-01-05", "visits": "2024-02-05"}


@pytest.fixture
def facts(warehouse: Warehouse) -> Iterator[sa.Connection]:
    """Two facts of one row each, and `arrived` with what comes next."""
    with warehouse.engine(TRANSFORMER).connect() as connection:
        for name, day in FACTS.items():
            _make(connection, name, f"select 'a' as id, 1 as amount, date '{day}' as day, 1::bigint as admission_seq")
        connection.exec_driver_sql(
            "create temporary table arrived as"
            " select 'a' as id, 2 as amount, date '2024-01-06' as day, 2::bigint as admission_seq"
        )
        yield connection


def _make(connection: sa.Connection, name: str, rows: str) -> None:
    connection.exec_driver_sql(f"create temporary table {name}_arrived as {rows}")
    connection.exec_driver_sql(
        f"create table marts.{name} (id text, amount int, day date, admission_seq bigint) partition by range (day)"
    )
    connection.exec_driver_sql(
        f"select ops.fill_partitions('marts.{name}', '{name}_arrived', 'id', 'day', array['amount'])"
    )


def _replace(connection: sa.Connection, name: str) -> None:
    connection.exec_driver_sql(
        f"select ops.replace_in_partitions('marts.{name}', 'arrived', 'id', 'day', array['amount'])"
    )


def _rows(connection: sa.Connection, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(statement)]


def _number(connection: sa.Connection, name: str) -> int:
    ((number,),) = _rows(connection, f"select 'marts.{name}'::regclass::oid::bigint")
    assert isinstance(number, int)
    return number


def _tables(connection: sa.Connection) -> set[str]:
    return {str(name) for (name,) in _rows(connection, "select relname from pg_class where relkind = 'r' and"
                                                       " relnamespace = 'partitions'::regnamespace")}  # fmt: skip


def _rename(connection: sa.Connection, old: int, new: int) -> None:
    for name in _tables(connection):
        if name.endswith(f"_{old}"):
            connection.exec_driver_sql(f"alter table partitions.{name} rename to {name.removesuffix(str(old))}{new}")


def _assert_all_is_found(connection: sa.Connection, names: set[str]) -> None:
    connection.exec_driver_sql("select ops.renumber_partitions()")
    assert _tables(connection) == names
    for name in FACTS:
        _replace(connection, name)
        assert _rows(connection, f"select amount, day::text from marts.{name}") == [(2, "2024-01-06")]
        replaced = f"partitions.replaced_{_number(connection, name)}"
        assert _rows(connection, f"select amount from {replaced}") == [(1,)]


def test_facts_that_have_each_others_number_get_their_own(facts: sa.Connection) -> None:
    sales, visits, names = _number(facts, "sales"), _number(facts, "visits"), _tables(facts)
    assert len(names) == 6
    for old, new in ((sales, 1), (visits, sales), (1, visits)):
        _rename(facts, old, new)
    assert _tables(facts) != names
    _assert_all_is_found(facts, names)


def test_what_is_left_of_a_fact_that_is_gone_is_in_nobodys_way(facts: sa.Connection) -> None:
    sales, names = _number(facts, "sales"), _tables(facts)
    _rename(facts, sales, 1)
    facts.exec_driver_sql(f"create table partitions.keys_{sales} ()")
    _assert_all_is_found(facts, names)


def test_a_fact_that_was_restored_without_rows_begins_anew(facts: sa.Connection) -> None:
    _make(facts, "costs", "select * from sales_arrived limit 0")
    for kind in ("keys", "replaced"):
        facts.exec_driver_sql(f"drop table partitions.{kind}_{_number(facts, 'costs')}")
    for _ in range(2):
        _replace(facts, "costs")
    assert _rows(facts, "select id, amount from marts.costs") == [("a", 2)]


def test_a_fact_without_its_keys_says_what_helps(facts: sa.Connection) -> None:
    facts.exec_driver_sql(f"drop table partitions.keys_{_number(facts, 'sales')}")
    with pytest.raises(sa.exc.DBAPIError, match=r"the keys of marts\.sales are not in the schema partitions") as caught:
        _replace(facts, "sales")
    assert "run --full-refresh" in str(caught.value)
