"""PostgreSQL through ADBC: what the source has is what is extracted, types and all."""

import datetime as dt
from decimal import Decimal

import pytest

from connectors.database.kind import DatabaseSource
from connectors.database.session import open_session
from connectors.names import column_name
from tests.connectors.database.conftest import Shop, SourceDatabase
from warehouse.errors import DataInsightError

TYPES = """
create type mood as enum ('sad', 'ok');
create type pair as (a int, b text);
create domain price as numeric(12, 2);
create table kinds (
    id int primary key, small smallint, big bigint, single real, double_one double precision, exact numeric(9, 2),
    free numeric, long_one numeric(60, 10), hundreds numeric(5, -2), cash money, words text, short varchar(10),
    padded char(5), bytes bytea, moment timestamp, instant timestamptz, day date, clock time, zoned timetz,
    span interval, yes boolean, feeling mood, spot point, address inet, bits bit(5), document tsvector, ref uuid,
    json_one json, jsonb_one jsonb, numbers int[], texts text[], decimals numeric[], composite pair,
    ranged int4range, cost price
);
insert into kinds values (
    1, -1, 9007199254740993, 1.5, 0.1, 1234567.89, 12345678901234567890.123456789,
    12345678901234567890123456789012345678901234567890.1234567890, 12300, 12.34, 'h\u00e9', 'vc', 'c', '\\x00ff',
    '2024-01-01 10:00:00.123456', '2024-01-01 10:00:00.123456+02', '2024-02-29', '10:00:01.5', '10:00+02',
    '1 year 2 mons 3 days 04:05:06.7', true, 'ok', '(1,2)', '10.0.0.1/8', B'10101', 'a fat cat',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1.10}', '{"a": 1.10}', '{1,2,null}', '{a,"b c"}', '{1.10,2}',
    (1, 'x'), '[1,5)', 1.5
);
insert into kinds (id) values (2);
"""


def test_every_type_arrives_whole(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(TYPES)
    source = shop(origin.text, "tables: {kinds: {}}")
    source.run()
    row, nulls = source.rows("kinds")
    expected = {
        "small": -1, "big": 9007199254740993, "single": 1.5, "double_one": 0.1, "exact": Decimal("1234567.89"),
        "free": Decimal("12345678901234567890.123456789"),
        "hundreds": Decimal(12300), "cash": Decimal("12.34"), "words": "hé", "short": "vc", "padded": "c",
        "bytes": b"\x00\xff", "moment": dt.datetime(2024, 1, 1, 10, 0, 0, 123456, dt.UTC),
        "instant": dt.datetime(2024, 1, 1, 8, 0, 0, 123456, dt.UTC), "day": dt.date(2024, 2, 29),
        "clock": dt.time(10, 0, 1, 500000), "zoned": "10:00:00+02", "span": "P1Y2M3DT4H5M6.7S", "yes": True,
        "feeling": "ok", "spot": "(1,2)", "address": "10.0.0.1/8", "bits": "10101", "document": "'a' 'cat' 'fat'",
        "ref": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "json_one": '{"a": 1.10}', "jsonb_one": '{"a": 1.10}',
        "numbers": "[1,2,null]", "texts": '["a","b c"]', "decimals": "[1.10,2]", "composite": '{"a":1,"b":"x"}',
        "ranged": "[1,5)", "cost": Decimal("1.50"),
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert str(row["long_one"]) == "12345678901234567890123456789012345678901234567890.1234567890"
    assert {nulls[name] for name in (*expected, "long_one")} == {None}
    assert source.portions["kinds"].key == ["id"]


def test_a_table_without_rows_has_its_columns_and_types(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute("create table orders (id int primary key, amount numeric(9, 2), at timestamptz, tags text[])")
    source = shop(origin.text, "tables: {orders: {}}")
    source.run()
    assert source.rows("orders") == []
    assert source.types("orders") == {
        "id": "int64", "amount": "decimal128(9, 2)", "at": "timestamp[us, tz=UTC]", "tags": "string",
    }  # fmt: skip


def test_what_no_type_can_hold_is_null_and_counted_unless_cast_to_text(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(
        "create table odd (id int primary key, amount numeric(9, 2), free numeric, until timestamptz, day date)",
        "insert into odd values (1, 'NaN', 'Infinity', 'infinity', '-infinity'),"
        " (2, 1.25, 1.5, '2024-01-01Z', '2024-01-01'), (3, 0, 0, '0044-03-15 BC', '9999-12-31')",
    )
    source = shop(origin.text, "tables: {odd: {}, kept: {table: odd, cast: {amount: text, until: text}}}")
    source.run()
    assert source.column("odd", "amount") == [None, Decimal("1.25"), Decimal(0)]
    assert source.column("odd", "free") == [None, Decimal("1.5"), Decimal(0)]
    assert source.column("odd", "until") == [None, dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None]
    assert source.column("odd", "day") == [None, dt.date(2024, 1, 1), dt.date(9999, 12, 31)]
    assert source.portions["odd"].origin["read_as_null"] == {"amount": 1, "free": 1, "until": 2, "day": 1}
    assert any("odd.until: 2 values" in line and "`cast: {until: text}`" in line for line in source.said)
    assert source.column("kept", "amount") == ["NaN", "1.25", "0.00"]
    assert source.column("kept", "until")[0] == "infinity"


def test_a_number_of_more_digits_than_can_be_refuses_the_table_alone(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute("create table long (n numeric)", f"insert into long values ({'9' * 80})", "create table t (id int)")
    source = shop(origin.text, "tables: {long: {}, t: {}}")
    source.run()
    refused = source.portions["long"].refused
    assert refused == "the column n holds a number of 80 digits; 76 are possible: say `cast: {n: text}` for the table"
    assert source.portions["t"].refused is None


def test_names_with_capitals_blanks_and_quotes(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(
        'create schema "Odd Schema"',
        'create table "Odd Schema"."Order ""Lines""" ("Line ID" int primary key, "select" text, "Größe %" int,'
        ' doubled int generated always as ("Line ID" * 2) stored)',
        'insert into "Odd Schema"."Order ""Lines""" values (1, $$it\'s$$, 3)',
    )
    source = shop(origin.text, """tables: {lines: {table: 'Odd Schema.Order "Lines"'}}""")
    source.run()
    assert source.rows("lines") == [{"line_id": 1, "select": "it's", column_name("Größe %"): 3, "doubled": 2}]
    assert source.portions["lines"].key == ["line_id"]


def test_patterns_find_new_tables_at_each_run_and_partitions_only_once(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(
        "create table sales_a (id int primary key)", "insert into sales_a values (1)",
        "create table sales_tmp (id int)", "create view sales_view as select 1 as one", "create table other (id int)",
        "create table sales_parts (id int, day date, primary key (id, day)) partition by range (day)",
        "create table sales_parts_1 partition of sales_parts for values from ('2024-01-01') to ('2024-02-01')",
        "create table sales_parts_2 partition of sales_parts for values from ('2024-02-01') to ('2024-03-01')",
        "insert into sales_parts values (1, '2024-01-15'), (2, '2024-02-15')",
        "create schema archive", "create table archive.sales_a (id int primary key)",
    )  # fmt: skip
    source = shop(origin.text, 'include: ["sales_*", "archive.*"]', "exclude: ['*_tmp']")
    source.run()
    assert {name: portion.rows for name, portion in source.portions.items()} == {
        "sales_a": 0, "sales_parts": 2, "public_sales_a": 1,
    }  # fmt: skip
    origin.execute("create table sales_b (id int primary key)", "insert into sales_b values (1), (2)")
    source.run()
    assert source.portions["sales_b"].rows == 2
    assert source.source.open_ended


def test_a_view_and_a_query_land_too(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(
        "create table orders (id int primary key, day date, amount numeric(9, 2))",
        "insert into orders values (1, '2024-01-01', 1.10), (2, '2024-01-01', 2.20), (3, '2024-01-02', 3.30)",
        "create view big_orders as select * from orders where amount > 2",
    )
    query = "select day, sum(amount) as revenue, '100%' as share from orders group by day order by day; "
    source = shop(origin.text, f'tables: {{big_orders: {{key: id}}, revenue: {{query: "{query}", key: day}}}}')
    source.run()
    assert source.column("big_orders", "id") == [2, 3]
    assert source.column("revenue", "revenue") == [Decimal("3.30"), Decimal("3.30")]
    assert source.column("revenue", "share") == ["100%", "100%"]


def test_tables_of_a_run_are_of_one_moment(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(
        "create table a (id int)", "create table b (id int)", "insert into a values (1)", "insert into b values (1)"
    )
    source = shop(origin.text, "tables: {a: {}, b: {}}").source
    assert isinstance(source, DatabaseSource)
    with open_session(source.address, []) as session:
        origin.execute("insert into a values (2)", "insert into b values (2)")
        found = {}
        for relation in session.relations():
            statement = session.statement(relation, session.columns(relation), None, None)
            found[relation.name] = sum(batch.num_rows for batch in session.read(statement, lambda *_: None))
    assert found == {"a": 1, "b": 1}
    assert session.consistency == "all tables of the run as of one moment"


def test_a_query_cannot_write(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute(
        "create table t (id int primary key)",
        "create function add() returns int language sql as 'insert into t values (1) returning id'",
    )
    with pytest.raises(DataInsightError, match="read-only transaction") as caught:
        shop(origin.text, "tables: {x: {query: select add() as id}}").run()
    assert caught.value.hint == "a query may only read"


def test_many_tables_side_by_side(origin: SourceDatabase, shop: Shop) -> None:
    for number in range(9):
        origin.execute(
            f"create table t{number} (id int primary key, words text)",
            f"insert into t{number} select g, repeat('x', 50) from generate_series(1, {1000 + number}) as g",
        )
    source = shop(origin.text, "parallel: 4", 'include: ["t*"]')
    source.run()
    assert {name: portion.rows for name, portion in source.portions.items()} == {
        f"t{number}": 1000 + number for number in range(9)
    }


def test_an_unchanged_table_is_the_same_bytes_again(origin: SourceDatabase, shop: Shop) -> None:
    """Landing tells by the bytes that a copy is no news; ADBC leaves chance bits behind the last null."""
    origin.execute(
        "create table t (id int primary key, a text, b date)",
        "insert into t select g, case when g % 3 = 0 then 'x' end, case when g % 2 = 0 then date '2024-01-01' end"
        " from generate_series(1, 829) as g",
    )
    source = shop(origin.text, "tables: {t: {}}")
    hashes = set()
    for _ in range(4):
        source.run()
        hashes.add(source.portions["t"].content_hash())
    assert len(hashes) == 1
