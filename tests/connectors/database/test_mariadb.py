"""MariaDB through ConnectorX, against a real server: types whole, increments, and what a broken connection does."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.database.session import open_session
from tests.connectors.database.conftest import Shop
from tests.connectors.database.mariadb_server import MariadbServer
from warehouse.errors import DataInsightError

PASSWORD = "s3cret/p@ss"
ENCODED = "s3cret%2Fp%40ss"

TYPES = """
create table kinds (
    id int primary key, tiny tinyint, flag tinyint(1), tiny_u tinyint unsigned, small_u smallint unsigned,
    medium mediumint, int_u int unsigned, big bigint, big_u bigint unsigned, single float,
    double_one double, amount decimal(10, 2), huge decimal(65, 30), bit1 bit(1), bit8 bit(8), bit64 bit(64),
    words varchar(20), note longtext,
    fixed binary(4), bytes longblob, day date, at datetime, at6 datetime(6), stamp timestamp(6) null, clock time,
    made year, mood enum('a', 'b'), tags set('x', 'y'), doc json, spot point, ref uuid, address inet6
) character set utf8mb4
"""
VALUES = """
insert into kinds values (
    1, -5, 1, 200, 60000, -8000000, 4000000000, -9000000000000000000, 18000000000000000000, 1.5, 0.1, 12345678.90,
    12345678901234567890123456789012345.123456789012345678901234567890, b'1', b'10000001', b'1', 'h\u00e9 \U0001f600',
    'long', 'ab', x'00ff', '2024-02-29', '2024-01-01 10:00:00', '2024-01-01 10:00:00.123456',
    '2024-01-01 10:00:00.123456', '-100:00:01', 2024, 'a', 'x,y', '{"a": 1.10}', point(1, 2),
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1'
)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariadbServer]:
    with MariadbServer(tmp_path_factory.mktemp("mariadb")) as server:
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"create user shop identified by '{PASSWORD}'")
        yield server


class Origin:
    """A database of a test's own."""

    def __init__(self, server: MariadbServer, name: str) -> None:
        self.server, self.name = server, name
        self.url = f"mariadb://shop:{ENCODED}@127.0.0.1:{server.port}/{name}"
        self.connection: Any = server.connect(database=name, charset="utf8mb4", init_command="set time_zone = '+00:00'")

    def execute(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture
def maria(server: MariadbServer) -> Iterator[Origin]:
    name = f"test_{uuid.uuid4().hex}"
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create database {name} character set utf8mb4")
        cursor.execute(f"grant select on {name}.* to shop")
        origin = Origin(server, name)
        yield origin
        origin.connection.close()
        cursor.execute(f"drop database {name}")


def test_every_type_arrives_whole(maria: Origin, shop: Shop) -> None:
    maria.execute(TYPES, VALUES, "insert into kinds (id) values (2)")
    source = shop(maria.url, "tables: {kinds: {}}")
    source.run()
    row, nulls = source.rows("kinds")
    assert str(row.pop("huge")) == "12345678901234567890123456789012345.123456789012345678901234567890"
    assert row == {
        "id": 1, "tiny": -5, "flag": 1, "tiny_u": 200, "small_u": 60000, "medium": -8000000, "int_u": 4000000000,
        "big": -9000000000000000000, "big_u": Decimal(18000000000000000000), "single": 1.5, "double_one": 0.1,
        "amount": Decimal("12345678.90"), "bit1": True, "bit8": 129, "bit64": Decimal(1), "words": "hé \U0001f600",
        "note": "long", "fixed": b"ab\0\0", "bytes": b"\x00\xff", "day": dt.date(2024, 2, 29),
        "at": dt.datetime(2024, 1, 1, 10, tzinfo=dt.UTC),
        "at6": dt.datetime(2024, 1, 1, 10, 0, 0, 123456, dt.UTC),
        "stamp": dt.datetime(2024, 1, 1, 10, 0, 0, 123456, dt.UTC), "clock": "-100:00:01", "made": 2024, "mood": "a",
        "tags": "x,y", "doc": '{"a": 1.10}', "spot": "POINT(1 2)", "ref": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "address": "::1",
    }  # fmt: skip
    assert {value for name, value in nulls.items() if name != "id"} == {None}
    assert source.portions["kinds"].key == ["id"]


def test_a_table_without_rows_has_its_columns_and_types(maria: Origin, shop: Shop) -> None:
    maria.execute(TYPES)
    source = shop(maria.url, "tables: {kinds: {}}")
    source.run()
    types = source.types("kinds")
    assert len(types) == 32
    assert types["amount"] == "decimal128(10, 2)"
    assert types["stamp"] == "timestamp[us, tz=UTC]"
    assert types["clock"] == "string"
    assert source.rows("kinds") == []


def test_a_timestamp_is_a_moment_whatever_the_servers_zone(maria: Origin, shop: Shop) -> None:
    maria.execute(
        "create table t (id int primary key, stamp timestamp null)",
        "insert into t values (1, '2024-06-01 12:00:00')", "set global time_zone = '+05:00'",
    )  # fmt: skip
    try:
        source = shop(maria.url, "tables: {t: {}}")
        source.run()
    finally:
        maria.execute("set global time_zone = 'SYSTEM'")
    assert source.column("t", "stamp") == [dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)]


def test_zero_dates_are_null_and_counted_unless_cast_to_text(maria: Origin, shop: Shop) -> None:
    maria.execute(
        "set sql_mode = 'ALLOW_INVALID_DATES'",
        "create table odd (id int primary key, day date, at datetime)",
        "insert into odd values (1, '0000-00-00', '0000-00-00'), (2, '2024-02-31', '2024-00-00 00:00:00'),"
        " (3, '2024-01-01', '2024-01-01')",
    )
    source = shop(maria.url, "tables: {odd: {}, kept: {table: odd, cast: {day: text}}}")
    source.run()
    assert source.column("odd", "day") == [None, None, dt.date(2024, 1, 1)]
    assert source.portions["odd"].origin["read_as_null"] == {"day": 2, "at": 2}
    assert source.column("kept", "day") == ["0000-00-00", "2024-02-31", "2024-01-01"]


@pytest.mark.parametrize(
    ("kind", "first", "later"),
    [
        ("timestamp(6)", "'2024-01-01 10:00:00'", "'2024-01-01 10:00:00.000001'"),
        ("datetime", "'2024-01-01 10:00:00'", "'2024-01-01 10:00:01'"),
        ("date", "'2024-01-01'", "'2024-01-02'"),
        ("bigint unsigned", "18446744073709551614", "18446744073709551615"),
        ("decimal(20, 4)", "10.5", "10.5001"),
        ("varchar(20)", "'a''b\\\\c'", "'b'"),
    ],
)
def test_each_version_of_a_row_comes_once(maria: Origin, shop: Shop, kind: str, first: str, later: str) -> None:
    maria.execute(
        f"create table t (`the id` int primary key, `order` {kind} null)",
        f"insert into t values (1, {first}), (2, null)",
    )
    source = shop(maria.url, "tables: {t: {cursor: order}}")
    source.run()
    assert source.portions["t"].complete
    maria.execute(f"insert into t values (3, {first}), (4, {later}), (5, null)")
    source.run()
    assert source.column("t", "the_id") == [3, 4, 5]
    source.run()
    assert source.rows("t") == []


def test_patterns_views_and_queries(maria: Origin, shop: Shop) -> None:
    maria.execute(
        "create table sales_a (id int primary key)", "create table sales_b (id int not null, unique (id))",
        "create table other (id int)", "create view sales_view as select 1 as one",
        "insert into sales_a values (1), (2)",
    )  # fmt: skip
    query = "select count(*) as n, sum(id) / 4 as quarter, '5%' as share, time '10:00' as clock from sales_a;"
    source = shop(
        maria.url, 'include: ["sales_*"]', f'tables: {{totals: {{query: "{query}"}}, v: {{table: sales_view}}}}'
    )
    source.run()
    assert sorted(source.portions) == ["sales_a", "sales_b", "totals", "v"]
    assert source.rows("totals") == [{"n": 2, "quarter": Decimal("0.7500"), "share": "5%", "clock": "10:00:00"}]
    found = source.discover()
    assert found["sales_b"]["key"] == ["id"]
    assert found["other"]["configured"] is False


def test_a_query_cannot_write(maria: Origin, shop: Shop) -> None:
    with maria.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"grant all on {maria.name}.* to shop")
    maria.execute(
        "create table t (id int primary key)",
        "create function add_one() returns int begin insert into t values (1); return 1; end",
    )
    with pytest.raises(DataInsightError, match="READ ONLY") as caught:
        shop(maria.url, 'tables: {x: {query: "select add_one() as one"}}').run()
    assert caught.value.hint == "a query may only read"


def test_many_tables_side_by_side_in_bounded_batches(maria: Origin, shop: Shop) -> None:
    for number in range(6):
        maria.execute(
            f"create table t{number} (id int primary key, words varchar(50))",
            f"insert into t{number} select seq, repeat('x', 50) from seq_1_to_{150_000 + number}",
        )
    source = shop(maria.url, "parallel: 4", 'include: ["t*"]')
    source.run()
    assert {name: portion.rows for name, portion in source.portions.items()} == {
        f"t{number}": 150_000 + number for number in range(6)
    }


class TestTrouble:
    def failure(self, shop: Shop, url: str, *lines: str) -> DataInsightError:
        with pytest.raises(DataInsightError) as caught:
            shop(url, *(lines or ["tables: {orders: {}}"])).run()
        said = f"{caught.value.message} {caught.value.hint}"
        assert "\n" not in said
        assert "s3cret" not in said
        return caught.value

    def test_a_wrong_password(self, maria: Origin, shop: Shop) -> None:
        error = self.failure(shop, maria.url.replace(ENCODED, f"{ENCODED}x"))
        assert "cannot be reached: Access denied for user 'shop'@'localhost'" in error.message
        assert "check user and password" in str(error.hint)

    def test_an_unknown_database(self, maria: Origin, shop: Shop) -> None:
        error = self.failure(shop, maria.url.replace(maria.name, "nowhere"))
        assert "nowhere" in error.message

    def test_a_table_that_is_not_there(self, maria: Origin, shop: Shop) -> None:
        maria.execute("create table orders_new (id int)")
        assert "near it: orders_new" in self.failure(shop, maria.url).message

    def test_a_connection_that_breaks_on_the_way(self, maria: Origin, shop: Shop) -> None:
        """The rows that came before are not taken for the whole table."""
        maria.execute(
            "create table big (id int primary key, words varchar(200))",
            "insert into big select seq, repeat('x', 200) from seq_1_to_400000",
        )
        source = shop(maria.url, "tables: {big: {}}")
        address = source.source.address  # type: ignore[attr-defined]
        with open_session(address, []) as session:
            (relation,) = session.relations()
            statement = session.statement(relation, session.columns(relation), None, None)
            batches = session.read(statement, lambda *_: None)
            next(batches)
            self.kill_readers(maria)
            with pytest.raises(DataInsightError) as caught:
                list(batches)
        assert "the connection broke; nothing of this load counts" in str(caught.value.hint)

    def kill_readers(self, maria: Origin) -> None:
        with maria.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "select id from information_schema.processlist where user = 'shop' and info like '%from%big%'"
            )
            for (number,) in cursor.fetchall():
                cursor.execute(f"kill {number}")
