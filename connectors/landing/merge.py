"""Several portions of one table as one stream of batches: the union of their columns, numbered rows, even sizes."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connectors.extraction.spool import Portion

if TYPE_CHECKING:
    import pyarrow as pa

ROW_NUMBER = "_row_number"
BATCH_ROWS = 65_536
BATCH_BYTES = 16 << 20


def merged_schema(portions: Sequence[Portion]) -> "pa.Schema":
    """The columns of all portions in the order they first appear, and `_row_number`.

    A column that is nowhere more than null is left out: it has no type yet, and reads as NULL anyway. Decimals get the
    digits that all of them need.
    """
    import pyarrow as pa

    types: dict[str, pa.DataType] = {}
    for field in (field for portion in portions for schema in portion.schemas for field in schema):
        known = types.setdefault(field.name, field.type)
        if pa.types.is_null(known):
            types[field.name] = field.type
        elif pa.types.is_decimal(known) and pa.types.is_decimal(field.type):
            types[field.name] = _wider(known, field.type)
    found = [(name, found) for name, found in types.items() if not pa.types.is_null(found)]
    return pa.schema([*found, (ROW_NUMBER, pa.int64())])


def merged_batches(portions: Sequence[Portion], schema: "pa.Schema") -> Iterator["pa.RecordBatch"]:
    """The rows of all portions with the columns of `schema`, numbered from 1."""
    import numpy as np
    import pyarrow as pa

    first = 1
    for rows in _gathered(portions, schema):
        numbers = pa.array(np.arange(first, first + rows.num_rows, dtype=np.int64))
        first += rows.num_rows
        yield pa.RecordBatch.from_arrays([*rows.columns[:-1], numbers], schema=schema)


def _wider(one: "pa.DataType", other: "pa.DataType") -> "pa.DataType":
    import pyarrow as pa

    scale = max(one.scale, other.scale)
    precision = scale + max(one.precision - one.scale, other.precision - other.scale)
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)  # noqa: PLR2004


def _gathered(portions: Sequence[Portion], schema: "pa.Schema") -> Iterator["pa.RecordBatch"]:
    """Batches of about 65,536 rows or 16 MiB, so that many small portions cost no more than a big one."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = size = 0
    for portion in portions:
        for batch in portion.read():
            waiting.append(_widened(batch, schema))
            count += batch.num_rows
            size += batch.nbytes
            if count >= BATCH_ROWS or size >= BATCH_BYTES:
                yield _one(waiting)
                waiting, count, size = [], 0, 0
    if count:
        yield _one(waiting)


def _one(batches: list["pa.RecordBatch"]) -> "pa.RecordBatch":
    import pyarrow as pa

    return batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _widened(batch: "pa.RecordBatch", schema: "pa.Schema") -> "pa.RecordBatch":
    import pyarrow as pa

    places = {name: number for number, name in enumerate(batch.schema.names)}
    columns = [
        batch.column(places[field.name]).cast(field.type)
        if field.name in places
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
