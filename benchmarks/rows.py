"""The rows that are landed: nine columns of mixed types, the same ones for the same number on every machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 65_536
# The types that landing gives these columns in raw, by which raw COPY has to store the same.
TYPED_COLUMNS = (
    "id bigint, customer varchar, city varchar, weight double precision, amount numeric, is_member boolean,"
    " ordered_on date, updated_at timestamptz, note varchar"
)
SOURCE_COLUMNS = TYPED_COLUMNS.replace("numeric", "numeric(12, 2)")
TEXT_COLUMNS = ", ".join(f"{column.split()[0]} varchar" for column in TYPED_COLUMNS.split(", "))
_CITIES = ["Berlin", "Amsterdam", "São Paulo", "New York", "Tokyo", "Kuala Lumpur", "Reykjavík", "Lagos"]
_NOTES = ["paid by card, delivered the next day", "gift", 'called twice; "urgent"', "returned", None, None, None, None]


def batches(rows: int) -> Iterator["pa.RecordBatch"]:
    """The rows, in batches of 65,536."""
    for first in range(0, rows, BATCH_ROWS):
        yield _batch(first, min(BATCH_ROWS, rows - first))


def write_files(rows: int, folder: Path) -> None:
    """Write `rows.parquet` and `rows.csv` with the same rows."""
    from pyarrow import csv, parquet

    schema = _batch(0, 1).schema
    with (
        parquet.ParquetWriter(folder / "rows.parquet", schema) as typed,
        csv.CSVWriter(folder / "rows.csv", schema) as text,
    ):
        for batch in batches(rows):
            typed.write_batch(batch)
            text.write_batch(batch)


def _batch(first: int, count: int) -> "pa.RecordBatch":
    import numpy as np
    import pyarrow as pa

    chance = np.random.default_rng(first)
    customers = pa.array([f"customer-{number:06}" for number in range(50_000)])
    cents = pa.array(chance.integers(100, 10_000_000, count)).cast(pa.decimal128(19, 0))
    moments = 1_600_000_000_000_000 + chance.integers(0, 10**14, count)
    return pa.record_batch(
        {
            "id": pa.array(np.arange(first + 1, first + count + 1)),
            "customer": customers.take(pa.array(chance.integers(0, len(customers), count))),
            "city": pa.array(_CITIES).take(pa.array(chance.integers(0, len(_CITIES), count))),
            "weight": pa.array(np.round(chance.gamma(2, 5, count), 3)),
            "amount": pa.compute.multiply(cents, pa.scalar("0.01").cast(pa.decimal128(3, 2))).cast(
                pa.decimal128(12, 2)
            ),
            "is_member": pa.array(chance.integers(0, 2, count).astype(bool)),
            "ordered_on": pa.array((18_000 + chance.integers(0, 2_000, count)).astype("int32")).cast(pa.date32()),
            "updated_at": pa.array(moments).cast(pa.timestamp("us", "UTC")),
            "note": pa.array(_NOTES).take(pa.array(chance.integers(0, len(_NOTES), count))),
        }
    )
