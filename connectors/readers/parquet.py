"""Parquet: typed columns land typed; lists and structs land as JSON text."""

import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.names import column_name
from connectors.readers.arrow_types import to_landing
from connectors.readers.reading import (
    BATCH_BYTES,
    BATCH_ROWS,
    FileReader,
    UnreadableFileError,
    is_gzipped,
    open_content,
)

if TYPE_CHECKING:
    import pyarrow as pa


class ParquetReader(FileReader):
    """Reads a Parquet file; a gzipped one is unzipped first, because it is read from its end.

    Args:
        path: The file.
        scratch: Where to unzip it.
    """

    def __init__(self, path: Path, scratch: Path) -> None:
        super().__init__(path)
        self._scratch = scratch

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
        path = self._unzipped() if is_gzipped(self.path) else self.path
        try:
            with parquet.ParquetFile(path) as file:
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

    def _unzipped(self) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        target = self._scratch / "unzipped.parquet"
        with open_content(self.path) as content, target.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        return target

    def _landed(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        import pyarrow as pa

        arrays = [to_landing(column) for column in batch.columns]
        for column, values in zip(self.columns, arrays, strict=True):
            if pa.types.is_string(values.type):
                _check_text(column, values)
        return pa.RecordBatch.from_arrays(arrays, names=self.columns)


def _batch_rows(metadata: Any) -> int:
    """How many rows fit a batch, by the size that the file's metadata gives them."""
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    row_bytes: int = max(size // max(metadata.num_rows, 1), 1)
    return max(min(BATCH_ROWS, BATCH_BYTES // row_bytes), 1)


def _check_text(column: str, values: Any) -> None:
    """Refuse text that PostgreSQL cannot hold; Parquet promises UTF-8, and nobody keeps writers to it."""
    import pyarrow as pa
    from pyarrow import compute

    try:
        values.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(f"the column {column} is not UTF-8 text") from error
    if compute.any(compute.match_substring(values, "\0")).as_py():
        raise UnreadableFileError(f"the column {column} contains NUL characters")
