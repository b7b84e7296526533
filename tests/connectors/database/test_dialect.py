"""What SQLAlchemy's dialects reach: SQLite, where any value may be in any column, and DuckDB, with its own types."""

import datetime as dt
import sqlite3
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.connectors.database.conftest import Shop
from warehouse.errors import DataInsightError


@pytest.fixture
def lite(tmp_path: Path) -> sqlite3.Connection:
    return sqlite3.connect(tmp_path / "shop.db")


class TestSqlite:
    def test_types_by_what_was_declared(self, lite: sqlite3.Connection, shop: Shop) -> None:
        lite.executescript(
            "create table kinds (id integer primary key, amount numeric(10, 2), score real, words varchar(20),"
            " flag boolean, at datetime, day date, clock time, bytes blob, doc json);"
            "insert into kinds values (1, 12.34, 1.5, 'hé', 1, '2024-01-01 10:00:00.5', '2024-02-29', '10:00:01',"
            " x'00ff', '{\"a\": 1.10}'), (2, null, null, null, null, null, null, null, null, null);"
        )
        source = shop("sqlite:///shop.db", "tables: {kinds: {}}")
        source.run()
        first, second = source.rows("kinds")
        assert first == {
            "id": 1,
            "amount": Decimal("12.34"),
            "score": 1.5,
            "words": "hé",
            "flag": True,
            "at": dt.datetime(2024, 1, 1, 10, 0, 0, 500000, dt.UTC),
            "day": dt.date(2024, 2, 29),
            "clock": dt.time(10, 0, 1),
            "bytes": b"\x00\xff",
            "doc": '{"a": 1.10}',
        }
        assert {value for name, value in second.items() if name != "id"} == {None}
        assert source.portions["kinds"].key == ["id"]

    def test_a_value_that_its_column_cannot_be_is_set_aside_with_its_row(
        self, lite: sqlite3.Connection, shop: Shop
    ) -> None:
        lite.executescript(
            "create table items (id integer primary key, qty integer, at datetime, name text);"
            "insert into items values (1, 5, '2024-01-01', 'a'), (2, 'five', '2024-01-01', 'b'), (3, 6, 'soon', 'c'),"
            " (4, 7, null, cast(x'ff' as text)), (5, 8, null, 9);"
        )
        source = shop("sqlite:///shop.db", "tables: {items: {}, kept: {table: items, cast: {qty: text, at: text}}}")
        source.run()
        assert source.column("items", "id") == [1, 5]
        assert source.column("items", "name") == ["a", "9"]
        assert [(payload["record"]["id"], payload["reason"]) for payload, _ in source.portions["items"].unreadable] == [
            (2, "the column qty is integer and holds 'five'"),
            (3, "the column at is datetime and holds 'soon'"),
            (4, "the column name is text and holds b'\\xff'"),
        ]
        assert source.column("kept", "qty") == ["5", "five", "6", "8"]

    def test_a_query_is_typed_by_its_values(self, lite: sqlite3.Connection, shop: Shop) -> None:
        lite.executescript(
            "create table items (id integer primary key, qty integer); insert into items values (1, 5), (2, null);"
        )
        query = "select count(*) as n, avg(qty) as mean, max(qty) || '%' as words, null as missing from items"
        source = shop("sqlite:///shop.db", f'tables: {{x: {{query: "{query}"}}}}')
        source.run()
        assert source.rows("x") == [{"n": 2, "mean": 5.0, "words": "5%", "missing": None}]

    @pytest.mark.parametrize("moment", ["2024-01-02 00:00:00", "2024-01-02T00:00:00", "2024-01-02 00:00:00.000"])
    def test_a_cursor_of_text_moments(self, lite: sqlite3.Connection, shop: Shop, moment: str) -> None:
        lite.executescript(
            "create table items (id integer primary key, updated_at timestamp);"
            f"insert into items values (1, '2024-01-01 23:00:00'), (2, '{moment}');"
        )
        source = shop("sqlite:///shop.db", "tables: {items: {cursor: updated_at}}")
        source.run()
        lite.executescript(f"insert into items values (3, '{moment}'), (4, '2024-01-03 00:00:00');")
        source.run()
        assert source.column("items", "id") == [3, 4]
        source.run()
        assert source.rows("items") == []

    def test_it_is_opened_for_reading_only(self, lite: sqlite3.Connection, shop: Shop) -> None:
        lite.executescript("create table items (id integer primary key)")
        with pytest.raises(DataInsightError, match="cannot be read"):
            shop("sqlite:///shop.db", 'tables: {x: {query: "delete from items returning id"}}').run()

    def test_a_file_that_is_no_database(self, tmp_path: Path, shop: Shop) -> None:
        (tmp_path / "shop.db").write_text("hello, this is not a database at all" * 50)
        with pytest.raises(DataInsightError, match="file is not a database"):
            shop("sqlite:///shop.db", "tables: {items: {}}").run()

    def test_discover(self, lite: sqlite3.Connection, shop: Shop) -> None:
        lite.executescript(
            "create table items (a integer not null, b text not null, modified datetime, unique (a, b));"
            "create view v as select a from items;"
        )
        found = shop("sqlite:///shop.db").discover()
        assert found["items"]["key"] == ["a", "b"]
        assert found["items"]["settings"] == {"key": ["a", "b"], "cursor": "modified"}
        assert found["v"]["key"] == []

    def test_many_rows_in_batches(self, lite: sqlite3.Connection, shop: Shop) -> None:
        lite.executescript("create table big (id integer primary key, amount numeric)")
        lite.executemany("insert into big values (?, ?)", ((n, n / 4) for n in range(45_000)))
        lite.commit()
        source = shop("sqlite:///shop.db", "tables: {big: {}}")
        source.run()
        assert source.portions["big"].rows == 45_000
        assert sum(source.column("big", "amount")) == sum(Decimal(n) / 4 for n in range(45_000))


class TestDuckdb:
    def test_types_keys_and_schemas(self, tmp_path: Path, shop: Shop) -> None:
        with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
            connection.execute(
                "create table kinds (id integer primary key, amount decimal(12, 2), huge hugeint, big ubigint,"
                " words varchar, bytes blob, moment timestamp, instant timestamptz, day date, clock time,"
                " list integer[], struct struct(a int), ref uuid, flag boolean, score double)"
            )
            connection.execute(
                "insert into kinds values (1, 1.10, 170141183460469231731687303715884105727, 18446744073709551615, 'x',"
                " '\\x00'::blob, '2024-01-01 10:00:00.5', '2024-01-01 10:00:00+02', '2024-01-01', '10:00', [1, 2],"
                " {'a': 1}, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true, 1.5)"
            )
            connection.execute("create schema other")
            connection.execute("create table other.things (id int)")
        source = shop("duckdb:///shop.duckdb", "schema: [main, other]", "tables: {kinds: {key: id}, things: {}}")
        source.run()
        (row,) = source.rows("kinds")
        assert str(row.pop("huge")) == "170141183460469231731687303715884105727"
        assert row == {
            "id": 1,
            "amount": Decimal("1.10"),
            "big": Decimal(18446744073709551615),
            "words": "x",
            "bytes": b"\x00",
            "moment": dt.datetime(2024, 1, 1, 10, 0, 0, 500000, dt.UTC),
            "instant": dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC),
            "day": dt.date(2024, 1, 1),
            "clock": dt.time(10),
            "list": "[1,2]",
            "struct": '{"a":1}',
            "ref": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "flag": True,
            "score": 1.5,
        }
        assert source.rows("things") == []

    @pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "date", "bigint", "varchar"])
    def test_a_cursor(self, tmp_path: Path, shop: Shop, kind: str) -> None:
        values = ("1", "2") if kind == "bigint" else ("'2024-01-01'", "'2024-01-02'")
        path = str(tmp_path / "shop.duckdb")
        with duckdb.connect(path) as connection:
            connection.execute(f"create table t (id int, c {kind})")
            connection.execute(f"insert into t values (1, {values[0]})")
        source = shop("duckdb:///shop.duckdb", "tables: {t: {key: id, cursor: c}}")
        source.run()
        with duckdb.connect(path) as connection:
            connection.execute(f"insert into t values (2, {values[1]})")
        source.run()
        assert source.column("t", "id") == [2]
