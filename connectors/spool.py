"""Reads new files into Arrow on disk before anything is loaded: a file turns out readable, or is refused whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.files_kind import FileTable
from connectors.listing import NewFile, check_unchanged, vanished
from connectors.readers import open_reader
from connectors.readers.reading import FileReader, UnreadableFileError, UnreadableLine

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class SpooledFile:
    """A file that was read to its end.

    Attributes:
        parts: Arrow IPC streams with its rows; a part begins where a new column appeared.
        schemas: The schema of each part.
        rows: Rows in the parts.
    """

    file: NewFile
    columns: list[str] = field(default_factory=list)
    parts: list[Path] = field(default_factory=list)
    schemas: list["pa.Schema"] = field(default_factory=list)
    rows: int = 0
    unreadable: list[UnreadableLine] = field(default_factory=list)

    def batches(self) -> Iterator["pa.RecordBatch"]:
        """The rows again, part by part."""
        import pyarrow as pa

        for part in self.parts:
            with pa.OSFile(str(part), "rb") as stream, pa.ipc.open_stream(stream) as reader:
                yield from reader


@dataclass(frozen=True)
class RefusedFile:
    """A file that cannot be read as its table at all.

    Attributes:
        row_count: Its data lines; 0 when that cannot be known.
    """

    file: NewFile
    reason: str
    row_count: int
    columns: list[str]


def spool(file: NewFile, table: FileTable, folder: Path) -> SpooledFile | RefusedFile:
    """Read `file` into `folder`.

    Raises:
        DataInsightError: The file vanished or was written to meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reader: FileReader | None = None
    spooled = SpooledFile(file)
    try:
        reader = open_reader(file.path, table, folder)
        _write(reader, spooled, folder)
        _judge(reader, spooled, table)
    except UnreadableFileError as error:
        for part in folder.iterdir():
            part.unlink()
        check_unchanged(file)
        columns = reader.columns if reader else []
        return RefusedFile(file, error.reason, reader.count_rows() if reader else 0, columns)
    except FileNotFoundError:
        raise vanished(file.path) from None
    check_unchanged(file)
    return spooled


def _write(reader: FileReader, spooled: SpooledFile, folder: Path) -> None:
    import pyarrow as pa

    writer: Any = None
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    try:
        for batch in reader.batches():
            if not spooled.schemas or not batch.schema.equals(spooled.schemas[-1]):
                if writer is not None:
                    writer.close()
                part = folder / f"{len(spooled.parts)}.arrow"
                spooled.parts.append(part)
                spooled.schemas.append(batch.schema)
                writer = pa.ipc.new_stream(str(part), batch.schema, options=options)
            writer.write_batch(batch)
            spooled.rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()


def _judge(reader: FileReader, spooled: SpooledFile, table: FileTable) -> None:
    """Refuse what was readable line by line and still is not this table."""
    spooled.columns, spooled.unreadable = reader.columns, reader.unreadable
    if len(reader.unreadable) > spooled.rows:
        first = reader.unreadable[0]
        raise UnreadableFileError(
            f"{len(reader.unreadable):,} of its {len(reader.unreadable) + spooled.rows:,} lines cannot be read;"
            f" line {first.line}: {first.reason}"
        )
    missing = [column for column in table.key_columns if column not in reader.columns]
    if missing and (spooled.rows or reader.columns):
        raise UnreadableFileError(
            f"it has no key column {', '.join(missing)}; its columns are {', '.join(reader.columns)[:300]}"
        )
