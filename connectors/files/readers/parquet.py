"""Parquet: typed columns land typed; lists and structs land as JSON text."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.extraction.arrow_types import to_landing
from connectors.files.kind import FileTable
from connectors.files.readers.content import unpacked
from connectors.files.readers.declared import Declared
from connectors.files.readers.reading import (
    BATCH_BYTES,
    BATCH_ROWS,
    FileReader,
    UnreadableFileError,
)
from connectors.names import column_name

if TYPE_CHECKING:
    import pyarrow as pa


class ParquetReader(FileReader):
    """Reads a Parquet file; a packed one is unpacked first, because it is read from its end.

    Args:
        path: The file.
        table: What is configured.
        scratch: Where to unpack it.
    """

    def __init__(self, path: Path, table: FileTable, scratch: Path) -> None:
        super().__init__(path)
        self._declared = Declared(table.declared)
        self._scratch = scratch
        self._rows_before = 0

    @property
    def reading(self) -> dict[str, Any]:
        """See `FileReader`."""
        return {"format": "parquet"}

    @property
    def missing_columns(self) -> list[str]:
        """See `FileReader`."""
        return self._declared.missing

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        import pyarrow as pa

        with self._opened() as file:
            empty = True
            for batch in file.iter_batches(batch_size=_batch_rows(file.metadata), use_threads=False):
                empty = False
                yield self._landed(batch)
            if empty:
                schema = file.schema_arrow
                yield self._landed(pa.RecordBatch.from_pylist([], schema=schema))

    def header(self) -> list[str]:
        """See `FileReader`."""
        with self._opened():
            return self.columns

    def count_rows(self) -> int:
        """See `FileReader`; what the file's own metadata says."""
        try:
            with self._opened(check_names=False) as file:
                return int(file.metadata.num_rows)
        except UnreadableFileError:
            return 0

    @contextmanager
    def _opened(self, *, check_names: bool = True) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import parquet

        if not self.path.stat().st_size:
            raise UnreadableFileError("the file is empty")
        path = unpacked(self.path, self._scratch)
        try:
            with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
                headers = list(file.schema_arrow.names)
                columns = [column_name(header, position) for position, header in enumerate(headers, start=1)]
                if check_names:
                    self.check_names(headers, columns)
                self.columns = columns
                yield file
        except pa.ArrowException as error:
            raise UnreadableFileError(f"it is no readable Parquet file: {str(error).splitlines()[0]}") from error
        except FileNotFoundError:
            raise
        except OSError as error:
            # Arrow reports a broken page as an OSError without a number.
            if error.errno is not None:
                raise
            raise UnreadableFileError(f"it is no readable Parquet file: {str(error).splitlines()[0]}") from error

    def _landed(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        import pyarrow as pa

        arrays = [to_landing(column) for column in batch.columns]
        for column, values in zip(self.columns, arrays, strict=True):
            if pa.types.is_string(values.type):
                _check_text(column, values)
        batch = pa.RecordBatch.from_arrays(arrays, names=self.columns)
        if self._declared.types:
            fitted = self._declared.fit(batch)
            for place, reason in fitted.misfits:
                self.set_aside(self._rows_before + place + 1, str(batch.slice(place, 1).to_pylist()[0]), reason)
            self._rows_before += batch.num_rows
            batch = fitted.batch
        return batch


_BUFFER_BYTES = 1 << 20  # Read a column bit by bit; by itself Arrow would hold a whole row group, and the ones before.


def _batch_rows(metadata: Any) -> int:
    """How many rows fit a batch, by the size that the file's metadata gives them."""
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    row_bytes: int = max(size // max(metadata.num_rows, 1), 1)
    return max(min(BATCH_ROWS, BATCH_BYTES // row_bytes), 1)


def _check_text(column: str, values: Any) -> None:
    """Refuse text that PostgreSQL cannot hold; Parquet promises UTF-8, and nobody keeps writers to it."""
    import pyarrow as pa

    try:
        values.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(f"the column {column} is not UTF-8 text") from error
