"""Incremental tables of a PostgreSQL source: only what is new is asked for, each version comes once, deletions show."""

import pytest

from connectors.landing.land import land
from tests.connectors.database.conftest import Extraction, Shop, SourceDatabase
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError


@pytest.fixture
def orders(origin: SourceDatabase) -> SourceDatabase:
    origin.execute(
        "create table orders (id int primary key, amount numeric(9, 2), updated_at timestamptz)",
        "insert into orders values (1, 1, '2024-01-01Z'), (2, 2, '2024-01-05Z'), (3, 3, '2024-01-05Z'), (4, 4, null)",
    )
    return origin


def test_each_version_of_a_row_comes_once(orders: SourceDatabase, shop: Shop) -> None:
    source = shop(orders.text, "tables: {orders: {cursor: updated_at, lag: 2 days}}")
    source.run()
    assert source.column("orders", "id") == [1, 2, 3, 4]
    source.run()
    assert source.rows("orders") == []
    orders.execute(
        "insert into orders values (5, 5, '2024-01-06Z')",
        "insert into orders values (6, 6, '2024-01-03 12:00Z')",  # Late, within the lag.
        "insert into orders values (7, 7, '2024-01-05Z')",  # At the highest cursor of the last run.
        "insert into orders values (8, 8, null)",
        "insert into orders values (9, 9, '2024-01-02Z')",  # Too late.
        "update orders set amount = 20, updated_at = '2024-01-07Z' where id = 2",
    )
    source.run()
    assert sorted(source.column("orders", "id")) == [2, 5, 6, 7, 8]
    source.run()
    assert source.rows("orders") == []


def test_only_what_is_new_is_asked_for(orders: SourceDatabase, shop: Shop) -> None:
    source = shop(orders.text, "tables: {orders: {cursor: updated_at, lag: 2 days}}")
    source.run()
    assert source.portions["orders"].complete
    source.run()
    portion = source.portions["orders"]
    assert not portion.complete
    assert portion.origin["query"] == (
        'select "id", "amount"::text as "amount", "updated_at" from "public"."orders" where'
        ' "updated_at" >= E\'2024-01-03 00:00:00+00:00\'::timestamp with time zone or "updated_at" is null'
    )
    source.run(full_refresh=True)
    assert source.portions["orders"].complete
    assert len(source.rows("orders")) == 4


def test_a_query_may_have_a_cursor(orders: SourceDatabase, shop: Shop) -> None:
    source = shop(orders.text, 'tables: {x: {query: "select id, updated_at from orders", key: id, cursor: updated_at}}')
    source.run()
    orders.execute("insert into orders values (5, 5, '2024-01-06Z')")
    source.run()
    assert source.column("x", "id") == [5]


@pytest.mark.parametrize(
    ("kind", "first", "later"),
    [
        ("bigint", "10", "11"),
        ("numeric(20, 4)", "10.5", "10.5001"),
        ("text", "'a''b\\c'", "'a''b\\d'"),
        ("text", "'a'", "'a0'"),
        ("date", "'2024-01-01'", "'2024-01-02'"),
        ("timestamp", "'2024-01-01 10:00'", "'2024-01-01 10:00:00.000001'"),
        ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
        ("double precision", "1.5", "1.75"),
    ],
)
def test_a_cursor_may_be_of_any_type(origin: SourceDatabase, shop: Shop, kind: str, first: str, later: str) -> None:
    origin.execute(f"create table t (id int primary key, c {kind})", f"insert into t values (1, {first})")
    source = shop(origin.text, "tables: {t: {cursor: c}}")
    source.run()
    origin.execute(f"insert into t values (2, {later})")
    source.run()
    assert source.column("t", "id") == [2]


def test_a_lag_of_time_does_not_fit_a_number(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute("create table t (id int primary key)", "insert into t values (1)")
    source = shop(origin.text, "tables: {t: {cursor: id, lag: 2 days}}")
    with pytest.raises(DataInsightError, match="does not fit the cursor id"):
        source.run()


def test_deletions_are_found_on_a_full_refresh_and_wherever_there_is_no_cursor(
    orders: SourceDatabase, shop: Shop, warehouse: Warehouse
) -> None:
    source: Extraction = shop(orders.text, "tables: {orders: {cursor: updated_at}, copies: {table: orders}}")

    def landed(*, full_refresh: bool = False) -> dict[str, tuple[int, int]]:
        ids = land(source.source, warehouse, source.folder, full_refresh=full_refresh)
        with warehouse.engine().connect() as connection:
            found = connection.exec_driver_sql(
                "select table_name, row_count, deleted_count from ops.batches where batch_id = any(%s)", (ids,)
            )
            return {row[0]: (row[1], row[2]) for row in found}

    assert landed() == {"orders": (4, 0), "copies": (4, 0)}
    assert landed() == {}
    orders.execute("delete from orders where id = 3")
    assert {table: deleted for table, (_, deleted) in landed().items()} == {"copies": 1}
    assert {table: deleted for table, (_, deleted) in landed(full_refresh=True).items()}["orders"] == 1
