"""Writes the rows of a mart as sorted Parquet files, one for each partition.

Delta's own writer reorders rows; the sorting inside a file is what lets a reader skip all row groups but
those of one organization, so the files are written here and handed to Delta.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# docs/decisions/0014-row-groups-of-50000-rows.md
ROW_GROUP_ROWS = 50_000

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class WrittenFile:
    """A file under the table's folder."""

    path: str
    size_bytes: int
    row_count: int


def write_partitions(
    url: str, schema: "pa.Schema", folder: Callable[[str], str], rows: "Iterable[tuple[str, pa.RecordBatch]]"
) -> Iterator[tuple[str, WrittenFile]]:
    """Write each partition as it comes, with never more than a row group of it in memory.

    Args:
        url: The table's folder or object store URL.
        schema: Columns of the files.
        folder: The folder of a partition under `url`, empty or ending in a slash.
        rows: Sorted batches, one partition after the other.

    Yields:
        The partition and its file.
    """
    import pyarrow.parquet as pq
    from deltalake.fs import DeltaStorageHandler
    from pyarrow.fs import PyFileSystem

    files = PyFileSystem(DeltaStorageHandler(url))
    for partition, batches in groupby(rows, key=itemgetter(0)):
        path = f"{folder(partition)}part-{uuid.uuid4().hex}.parquet"
        count = 0
        with (
            files.open_output_stream(path) as out,
            pq.ParquetWriter(out, schema, compression="zstd") as writer,
        ):
            for group in _row_groups(batch for _, batch in batches):
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                count += group.num_rows
        yield partition, WrittenFile(path, files.get_file_info(path).size, count)


def _row_groups(batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.Table]":
    """The same rows in tables of a row group each, the last one smaller."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= ROW_GROUP_ROWS:
            table = pa.Table.from_batches(waiting)
            full = count - count % ROW_GROUP_ROWS
            yield table.slice(0, full)
            waiting, count = table.slice(full).to_batches(), count - full
    if count:
        yield pa.Table.from_batches(waiting)
