"""Several files of one table as one stream of batches: the union of their columns, numbered rows, even sizes."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connectors.append import FrozenTypeError
from connectors.readers.arrow_types import postgresql_type
from connectors.readers.reading import BATCH_BYTES, BATCH_ROWS
from connectors.spool import SpooledFile
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa

ROW_NUMBER = "_row_number"
_HINT = "a column keeps its type: write the file with the old type, or under another column name, and run again"


def merged_schema(table: str, files: Sequence[SpooledFile]) -> "pa.Schema":
    """The columns of all files in the order they first appear, and `_row_number`.

    A column that is nowhere more than null is left out: it has no type yet, and reads as NULL anyway.

    Raises:
        DataInsightError: Two files give one column different types.
    """
    import pyarrow as pa

    types: dict[str, tuple[pa.DataType, SpooledFile]] = {}
    for file in files:
        for field in (field for schema in file.schemas for field in schema):
            known, first = types.setdefault(field.name, (field.type, file))
            if pa.types.is_null(known):
                types[field.name] = (field.type, file)
            elif not pa.types.is_null(field.type) and not known.equals(field.type):
                raise DataInsightError(
                    f"table {table}: the column {field.name} is {postgresql_type(known)} in {first.file.path}"
                    f" and {postgresql_type(field.type)} in {file.file.path}; nothing of this load counts",
                    hint=_HINT,
                )
    found = [(name, found) for name, (found, _) in types.items() if not pa.types.is_null(found)]
    return pa.schema([*found, (ROW_NUMBER, pa.int64())])


def merged_batches(files: Sequence[SpooledFile], schema: "pa.Schema") -> Iterator["pa.RecordBatch"]:
    """The rows of all files with the columns of `schema`, numbered from 1."""
    import numpy as np
    import pyarrow as pa

    first = 1
    for rows in _gathered(files, schema):
        numbers = pa.array(np.arange(first, first + rows.num_rows, dtype=np.int64))
        first += rows.num_rows
        yield pa.RecordBatch.from_arrays([*rows.columns[:-1], numbers], schema=schema)


def changed_type(error: FrozenTypeError, files: Sequence[SpooledFile]) -> DataInsightError:
    """What the user should read when a file's column has another type than it has in raw."""
    new = {
        file.file.path: postgresql_type(field.type)
        for file in files
        for schema in file.schemas
        for field in schema
        if field.name == error.column
    }
    where = ", ".join(str(path) for path in new)
    return DataInsightError(
        f"table {error.table}: the column {error.column} is {error.existing} in the warehouse"
        f" and {', '.join(sorted(set(new.values())))} in {where}; nothing of this load counts",
        hint=_HINT,
    )


def _gathered(files: Sequence[SpooledFile], schema: "pa.Schema") -> Iterator["pa.RecordBatch"]:
    """Batches of about 65,536 rows or 16 MiB, so that many small files cost no more than a big one."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = size = 0
    for file in files:
        for batch in file.batches():
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
