"""Cursors of tables that change under a source: another type, bytes, rows that cannot be read, numbers of any scale."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.landing.land import land
from tests.connectors.database.conftest import Extraction, Shop, SourceDatabase
from warehouse.database import Warehouse


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "shop.db")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("kind", "value", "later", "names"),
    [
        ("date", "'2024-01-01'", "timestamptz", ("date", "timestamp with time zone")),
        ("int", "5", "text", ("bigint", "text")),
        ("int", "5", "bytea using '\\x01'::bytea", ("bigint", "bytea")),
    ],
)
def test_a_cursor_of_another_type_is_refused_and_other_tables_land(
    origin: SourceDatabase, shop: Shop, kind: str, value: str, later: str, names: tuple[str, str]
) -> None:
    origin.execute(
        f"create table t (id int primary key, c {kind})",
        f"insert into t values (1, {value})",
        "create table other (id int primary key)",
    )
    source = shop(origin.text, "tables: {t: {cursor: c}, other: {}}")
    source.run()
    origin.execute(f"alter table t alter c type {later}", "insert into other values (1)")
    source.run()
    assert source.portions["t"].refused == (
        f"a changed type: the cursor c was {names[0]} up to now and is {names[1]} in what comes now"
    )
    assert source.column("other", "id") == [1]


def test_a_query_whose_cursor_becomes_another_type_is_refused(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute("create view v as select 1 as id, 5 as c")
    source = shop(origin.text, 'tables: {t: {query: "select * from v -- all of it", cursor: c}}')
    source.run()
    origin.execute("drop view v", "create view v as select 1 as id, 'x' as c")
    source.run()
    assert "was bigint up to now and is text" in str(source.portions["t"].refused)


@pytest.mark.parametrize(("kind", "value"), [("boolean", "true"), ("time", "'10:00'")])
def test_a_cursor_that_tells_nothing_is_refused_at_once(
    origin: SourceDatabase, shop: Shop, kind: str, value: str
) -> None:
    origin.execute(f"create table t (id int primary key, c {kind})", f"insert into t values (1, {value})")
    source = shop(origin.text, "tables: {t: {cursor: c}}")
    source.run()
    assert f"the cursor c is {kind}, which does not tell new rows" in str(source.portions["t"].refused)


def test_a_cursor_of_bytes(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute("create table t (id int primary key, c bytea)", r"insert into t values (1, '\x00'), (2, '\x0fff')")
    source = shop(origin.text, "tables: {t: {cursor: c}}")
    source.run()
    origin.execute(r"insert into t values (3, '\x0fff'), (4, '\x10'), (5, '\x01'), (6, null)")
    source.run()
    assert source.column("t", "id") == [3, 4, 6]
    assert not source.portions["t"].complete
    source.run()
    assert source.rows("t") == []


def test_numbers_of_any_scale_land_once(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(
        "create table t (id int primary key, at date, amount numeric)",
        "insert into t values (1, '2024-01-01', 1.25), (2, '2024-01-02', 5)",
    )
    source = shop(origin.text, "tables: {t: {cursor: at}}")
    source.run()
    source.run()
    assert source.rows("t") == []


def test_a_row_that_cannot_be_read_is_set_aside_once(
    lite: sqlite3.Connection, shop: Shop, warehouse: Warehouse
) -> None:
    lite.executescript("create table t (id integer, note text);insert into t values (1, 'a'), (2, 'b'), ('bad', 'c');")
    source: Extraction = shop("sqlite:///shop.db", "tables: {t: {cursor: id}}")

    def landed() -> tuple[int, int]:
        land(source.source, warehouse, source.folder)
        with warehouse.engine().connect() as connection:
            found = connection.exec_driver_sql(
                "select (select count(*) from ops.batches), (select count(*) from ops.quarantine)"
            ).one()
            return (found[0], found[1])

    assert landed() == (1, 1)
    assert landed() == (1, 1)
    lite.executescript("insert into t values (3, 'd'), ('worse', 'e')")
    assert landed() == (2, 2)
    assert landed() == (2, 2)
