"""Where extracted rows wait on disk until they are loaded: a portion turns out complete, or is refused whole."""

import hashlib
import math
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from connectors.extraction.request import Progress, RefusedError
from connectors.extraction.shaping import Shape
from connectors.landing.dlt_runtime import import_ahead
from connectors.names import column_name

if TYPE_CHECKING:
    import pyarrow as pa

    from connectors.files.listing import NewFile


class Portion:
    """The rows of one file, query, endpoint or stream; a context manager that seals it.

    Leaving the context with a `RefusedError` drops the rows and keeps the reason; any other error goes on.

    Attributes:
        table: The table it belongs to.
        key: The columns that tell rows apart, as in raw.
        columns: Every column it has, those without a value included, as in raw.
        parts: Arrow IPC streams with its rows; a part begins where the columns changed.
        schemas: The schema of each part.
        rows: Rows in the parts.
        size_bytes: Of the file; else of the rows in memory.
        unreadable: Payload and rule of what was set aside.
        refused: Why nothing of it lands; None when it does.
        state: What the next run is to be handed, as JSON.
        origin: Where it comes from, as JSON, for the ledger.
        notes: What somebody should know of how it was read; a warning of the batch.
        complete: Whether it holds the table's whole present content.
        changelog: Whether a later row of a key replaces an earlier one.
        reading_version: Changes with the settings that decide how a file is read; a refused one is read again then.
    """

    def __init__(self, table: str, folder: Path, progress: Progress, **said: Any) -> None:
        self.table = table
        self.key: list[str] = [column_name(header) for header in said["key"]]
        self.origin: dict[str, Any] = dict(said["origin"] or {})
        self.complete: bool = said["complete"]
        self.changelog: bool = said["changelog"]
        self.file: NewFile | None = said["file"]
        self.columns: list[str] = []
        self.parts: list[Path] = []
        self.schemas: list[pa.Schema] = []
        self.rows = 0
        self.size_bytes = self.file.size_bytes if self.file else 0
        self.seconds = 0.0
        self.reading_version: str | None = None
        self.notes: list[str] = []
        self.unreadable: list[tuple[Mapping[str, Any], str]] = []
        self.refused: str | None = None
        self.refused_rows = 0
        self.state: dict[str, Any] | None = None
        self._folder = folder
        self._progress = progress
        self._writer: Any = None
        self._shape: Shape | None = None
        self._started = 0.0

    def write(self, batch: "pa.RecordBatch") -> None:
        """Keep rows: any Arrow types, any column names; a later batch may have other columns.

        Raises:
            RefusedError: The columns cannot all be columns of one table.
        """
        if self._shape is None or not self._shape.fits(batch.schema):
            self._shape = Shape.of(batch.schema)
            self.columns += [name for name in self._shape.names if name not in self.columns]
        shaped = self._shape.apply(batch)
        if shaped.replaced_nuls:
            self.origin["nul_characters_replaced"] = (
                self.origin.get("nul_characters_replaced", 0) + shaped.replaced_nuls
            )
        rows = shaped.batch
        if self._writer is None or not rows.schema.equals(self.schemas[-1]):
            self._begin_part(rows.schema)
        self._writer.write_batch(rows)
        self.rows += rows.num_rows
        if self.file is None:
            self.size_bytes += rows.nbytes
        self._progress.add(self.table, rows.num_rows, rows.nbytes)

    def set_aside(self, payload: Mapping[str, Any], rule: str = "unreadable_line") -> None:
        """Keep what cannot land as a row: it goes to quarantine with the batch.

        Args:
            payload: What it says and why it is no row: `file` and `line` or `stream` and `record`, and `reason`.
                What PostgreSQL's JSON cannot hold becomes `�` in its texts: NUL characters, halves of characters.
            rule: The rule that it broke.
        """
        self.unreadable.append((_storable(payload), rule))

    def read(self) -> "SpooledRows":
        """The rows again; may be gone through more than once."""
        self._close()
        return SpooledRows(tuple(self.parts))

    def refuse(self, reason: str, rows: int | None = None) -> None:
        """Drop the rows; `rows` says how many there were, where more is known than was kept."""
        self._close()
        self.refused = _storable(reason)
        self.refused_rows = self.rows + len(self.unreadable) if rows is None else rows
        self.rows, self.parts, self.schemas, self.unreadable = 0, [], [], []
        shutil.rmtree(self._folder, ignore_errors=True)

    def content_hash(self) -> str:
        """SHA-256 of the rows, in order."""
        digest = hashlib.sha256()
        for batch in self.read():
            digest.update(repr(batch.schema.names).encode())
            for column in batch.columns:
                for content in _content(column):
                    digest.update(content)
        return digest.hexdigest()

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._close()
        self.seconds = time.monotonic() - self._started
        missing = [column for column in self.key if column not in self.columns]
        if error is None and missing and self.columns:
            error = RefusedError(
                f"it has no key column {', '.join(missing)}; its columns are {', '.join(self.columns)[:300]}"
            )
        if isinstance(error, RefusedError):
            self.refuse(error.reason, self.refused_rows or None)
            return True
        return False

    def _begin_part(self, schema: "pa.Schema") -> None:
        import pyarrow as pa

        self._close()
        import_ahead()
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{len(self.parts)}.arrow"
        self.parts.append(part)
        self.schemas.append(schema)
        # Compressing would take as long as reading a CSV does.
        self._writer = pa.ipc.new_stream(str(part), schema)

    def _close(self) -> None:
        """End the present part; a batch written later begins a new one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _content(column: Any) -> Iterator[Any]:
    """What a column says, as bytes: without what lies in memory under a null, or behind the last value."""
    import numpy as np
    import pyarrow as pa

    yield str(column.type).encode()
    if pa.types.is_null(column.type):
        return
    if column.null_count:
        yield np.packbits(column.is_valid().to_numpy(zero_copy_only=False))
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    values = column.drop_null()
    first, last = values.offset, values.offset + len(values)
    content = values.buffers()[-1]
    if content is None:
        return
    if pa.types.is_string(values.type) or pa.types.is_binary(values.type):
        offsets = np.frombuffer(values.buffers()[1], np.int32)[first : last + 1]
        yield offsets - offsets[0]
        yield memoryview(content)[offsets[0] : offsets[-1]]
    else:
        width = values.type.bit_width // 8
        yield memoryview(content)[first * width : last * width]


def _storable(value: Any) -> Any:
    """A JSON value as PostgreSQL can keep it."""
    match value:
        case str():
            whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {_storable(str(key)): _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
    return value


@dataclass(frozen=True)
class SpooledRows:
    """The batches of some parts, as often as they are asked for."""

    parts: tuple[Path, ...]

    def __iter__(self) -> Iterator["pa.RecordBatch"]:
        import pyarrow as pa

        for part in self.parts:
            with pa.OSFile(str(part), "rb") as stream, pa.ipc.open_stream(stream) as reader:
                yield from reader


class Spool:
    """The portions of one load; tables may be written side by side.

    Args:
        folder: Where the rows wait; removed by the caller.
        progress: Told of the rows as they come.
    """

    def __init__(self, folder: Path, progress: Progress | None = None) -> None:
        self.portions: list[Portion] = []
        self._folder = folder
        self._progress = progress or Progress()
        self._lock = threading.Lock()

    def portion(
        self,
        table: str,
        *,
        key: Sequence[str] = (),
        origin: Mapping[str, Any] | None = None,
        complete: bool = False,
        changelog: bool = False,
        file: "NewFile | None" = None,
    ) -> Portion:
        """A new portion of `table`; rows are numbered in the order in which portions were asked for."""
        with self._lock:
            folder = self._folder / str(len(self.portions))
            portion = Portion(
                table,
                folder,
                self._progress,
                key=key,
                origin=origin,
                complete=complete,
                changelog=changelog,
                file=file,
            )
            self.portions.append(portion)
        return portion
