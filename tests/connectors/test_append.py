"""Appending: rows that connections share arrive once each, any digits fit, and a load that fails counts nothing."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from connectors.landing.append import FrozenTypeError, TableLoad, append
from warehouse.database import LOADER, Warehouse
from warehouse.errors import DataInsightError

Append = Callable[..., str]


@pytest.fixture
def append_to_shop(warehouse: Warehouse, tmp_path: Path) -> Append:
    def append_loads(*loads: TableLoad) -> str:
        return append("shop", loads, url=warehouse.url(LOADER), home=tmp_path / "home")

    return append_loads


def load(name: str, *batches: pa.RecordBatch) -> TableLoad:
    return TableLoad(name, batches[0].schema, sum(batch.num_rows for batch in batches), lambda: iter(batches))


def rows_of(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    with warehouse.engine().connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_rows_shared_by_several_connections_arrive_once_each(append_to_shop: Append, warehouse: Warehouse) -> None:
    """Many small batches, some of them slices, so that both connections get their share."""
    whole = pa.record_batch(
        {
            "id": pa.array(range(300_000)),
            "even": pa.array([number % 2 == 0 for number in range(300_000)]),
            "name": pa.array([None if number % 3 == 0 else f"n{number}" for number in range(300_000)]),
        }
    )
    load_id = append_to_shop(load("numbers", *(whole.slice(start, 5_000) for start in range(0, 300_000, 5_000))))
    [counted] = rows_of(
        warehouse,
        "select count(*), count(distinct id), sum(id), count(*) filter (where even = (id % 2 = 0)),"
        " count(*) filter (where name = 'n' || id), count(*) filter (where name is null and id % 3 = 0),"
        " min(_dlt_load_id), max(_dlt_load_id) from raw_shop.numbers",
    )
    assert counted == (300_000, 300_000, 44_999_850_000, 300_000, 200_000, 100_000, load_id, load_id)


def test_decimals_of_any_precision_fit_a_column(append_to_shop: Append, warehouse: Warehouse) -> None:
    digits = [
        (Decimal("12.34"), pa.decimal128(9, 2)),
        (Decimal("-0.123456789012345678"), pa.decimal128(38, 18)),
        (Decimal("1" * 60 + ".5"), pa.decimal256(76, 6)),
    ]
    for value, kind in digits:
        append_to_shop(load("prices", pa.record_batch({"price": pa.array([value, None], kind)})))
    found = rows_of(warehouse, "select price from raw_shop.prices where price is not null order by abs(price)")
    assert [price for (price,) in found] == [digits[1][0], digits[0][0], digits[2][0]]
    assert rows_of(
        warehouse,
        "select numeric_precision from information_schema.columns"
        " where table_name = 'prices' and column_name = 'price'",
    ) == [(None,)]


def test_a_type_that_changed_is_named_and_nothing_of_the_load_stays(
    append_to_shop: Append, warehouse: Warehouse
) -> None:
    append_to_shop(load("orders", pa.record_batch({"id": pa.array([1])})))
    with pytest.raises(FrozenTypeError) as caught:
        append_to_shop(
            load("others", pa.record_batch({"id": pa.array([1])})),
            load("orders", pa.record_batch({"id": pa.array(["one"])})),
        )
    assert (caught.value.table, caught.value.column, caught.value.existing) == ("orders", "id", "bigint")
    assert rows_of(warehouse, "select id from raw_shop.orders") == [(1,)]


def test_batches_that_cannot_be_read_to_their_end_are_told_in_their_own_words(
    append_to_shop: Append, warehouse: Warehouse
) -> None:
    batch = pa.record_batch({"id": pa.array(range(1_000))})

    def broken() -> Iterator[pa.RecordBatch]:
        yield batch
        raise OSError("the disk gave up")

    with pytest.raises(DataInsightError, match="landing source shop failed: the disk gave up"):
        append_to_shop(TableLoad("orders", batch.schema, 2_000, broken))
    assert rows_of(warehouse, "select count(*) from raw_shop._dlt_loads where status = 0") == [(0,)]
    append_to_shop(load("orders", batch))
    assert rows_of(warehouse, "select count(*) from raw_shop.orders") == [(1_000,)]


def test_fewer_rows_than_were_counted_are_no_load(append_to_shop: Append) -> None:
    batch = pa.record_batch({"id": pa.array([1])})
    with pytest.raises(DataInsightError, match="1 of 2 rows of orders were copied; nothing of this load counts"):
        append_to_shop(TableLoad("orders", batch.schema, 2, lambda: iter([batch])))


def test_a_connection_that_breaks_is_not_tried_again_under_the_same_load_id(
    append_to_shop: Append, warehouse: Warehouse
) -> None:
    batch = pa.record_batch({"id": pa.array(range(1_000))})
    asked = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal asked
        asked += 1
        yield batch
        with warehouse.engine().begin() as connection:
            [killed] = connection.execute(
                sa.text("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'copy%from stdin%'")
            )
        assert killed == (True,)
        for _ in range(1_000):
            yield batch

    with pytest.raises(DataInsightError, match="landing source shop failed: ") as caught:
        append_to_shop(TableLoad("orders", batch.schema, 1_001_000, batches))
    assert "\n" not in caught.value.message
    assert asked == 1
    assert rows_of(warehouse, "select count(*) from raw_shop._dlt_loads where status = 0") == [(0,)]
    append_to_shop(load("orders", batch))
    assert rows_of(warehouse, "select count(*) from raw_shop._dlt_loads where status = 0") == [(1,)]
