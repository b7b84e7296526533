"""Typed files: PostgreSQL types, a frozen type, and the errors that name both sides."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

Build = Callable[[str], Any]

TRIPS = "{trips: {path: 'data/trips_*.parquet', key: id}}"


@pytest.fixture
def trips(tmp_path: Path) -> Callable[..., Path]:
    """Write `data/trips_<number>.parquet` with these columns."""

    def write_trips(number: int, **columns: Any) -> Path:
        path = tmp_path / "data" / f"trips_{number}.parquet"
        path.parent.mkdir(exist_ok=True)
        parquet.write_table(pa.table(columns), path)
        return path

    return write_trips


def test_parquet_lands_as_postgresql_types(trips: Callable[..., Path], shop: Build) -> None:
    at = datetime(2024, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)
    values = {
        "id": pa.array([1], pa.int16()),
        "big": pa.array([2**64 - 1], pa.uint64()),
        "price": pa.array([Decimal("12.34")], pa.decimal128(9, 2)),
        "ratio": pa.array([0.5], pa.float32()),
        "paid": pa.array([True]),
        "day": pa.array([date(2024, 2, 29)]),
        "at": pa.array([at]),
        "local": pa.array([at.replace(tzinfo=None)], pa.timestamp("ms")),
        "clock": pa.array([time(12, 30)]),
        "blob": pa.array([b"\0\xff"]),
        "tags": pa.array([["a", "b"]]),
        "nothing": pa.nulls(1),
    }
    trips(1, **values)
    source = shop(TRIPS)
    source.land()
    [row] = source.all("select * from raw_shop.trips")
    assert row["blob"].tobytes() == b"\0\xff"
    expected = {
        "id": 1, "big": Decimal(2**64 - 1), "price": Decimal("12.34"), "ratio": 0.5, "paid": True,
        "day": date(2024, 2, 29), "at": at, "local": at.replace(microsecond=123000), "clock": time(12, 30),
        "tags": '["a","b"]', "_row_number": 1,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert "nothing" not in row
    assert source.column("select 'nothing' = any(columns) from ops.files") == [True]


def test_a_missing_key_value_lands_for_quality_to_judge(trips: Callable[..., Path], shop: Build) -> None:
    trips(1, id=pa.array([1, None], pa.int64()))
    source = shop(TRIPS)
    source.land()
    assert source.column("select id from raw_shop.trips order by _row_number") == [1, None]


def test_a_narrower_type_or_no_values_is_no_change(trips: Callable[..., Path], shop: Build) -> None:
    trips(1, id=pa.array([1], pa.int64()), x=pa.array([1.5]))
    source = shop(TRIPS)
    source.land()
    trips(2, id=pa.array([2], pa.int8()), x=pa.nulls(1))
    trips(3, id=pa.array([3], pa.uint16()), x=pa.array([2.5], pa.float32()))
    source.land()
    assert source.column("select x from raw_shop.trips order by id") == [1.5, None, 2.5]


def test_a_flipped_type_is_refused_and_what_was_there_stays(trips: Callable[..., Path], shop: Build) -> None:
    trips(1, id=pa.array([1]))
    source = shop(TRIPS)
    source.land()
    flipped = trips(2, id=pa.array(["two"]))
    source.land()
    [refusal] = source.refusals()
    assert f"the column id is bigint in the warehouse and text in {flipped}" in refusal
    assert source.column("select id from raw_shop.trips") == [1]
    assert source.land() == [], "it is not tried again until it changes"
    trips(2, id=pa.array([2]))
    source.land()
    assert source.column("select id from raw_shop.trips order by 1") == [1, 2]


def test_two_files_of_one_load_with_two_types_are_named(trips: Callable[..., Path], shop: Build) -> None:
    trips(1, id=pa.array([1]), day=pa.array([date(2024, 1, 1)]))
    trips(2, id=pa.array([2]), day=pa.array(["2024-01-01"]))
    source = shop(TRIPS)
    source.land()
    [refusal] = source.refusals()
    for part in ("the column day is date in", "trips_1.parquet", "and text in", "trips_2.parquet"):
        assert part in refusal
    assert source.column("select id from raw_shop.trips") == [1]
