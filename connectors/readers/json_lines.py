"""JSON lines: each key of an object is a column; values land as the literal text they have in the file."""

import json
import re
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import orjson

from connectors.names import column_name
from connectors.readers.reading import (
    BATCH_BYTES,
    BATCH_ROWS,
    FileReader,
    UnreadableFileError,
    count_lines,
    open_content,
)

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_LINE_BYTES = 64 << 20
_HEADER_LINES = 1_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# A number that would not come back as it was written: with a fraction, an exponent, more digits than 64 bits
# hold, or a minus zero.
_DELICATE_NUMBER = re.compile(rb"[:\[,]\s*(?:-?\d+[.eE]|-?\d{18}|-0\s*[,}\]])")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class JsonLinesReader(FileReader):
    """Reads a file of one JSON object per line; blank lines are no rows, other lines are set aside."""

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        rows = _Rows(self)
        seen = 0
        with open_content(self.path) as content:
            for number, line in _lines(content):
                seen += 1
                try:
                    rows.add(_row(line))
                except ValueError as error:
                    self.set_aside(number, line.decode(errors="replace").rstrip("\r\n"), str(error))
                rows.bytes += len(line)
                if rows.count >= BATCH_ROWS or rows.bytes >= BATCH_BYTES:
                    yield rows.take()
        if not seen:
            raise UnreadableFileError("the file is empty")
        if rows.count or not self.columns:
            yield rows.take()

    def header(self) -> list[str]:
        """See `FileReader`; the keys of the first thousand lines."""
        rows = _Rows(self)
        with open_content(self.path) as content, closing(_lines(content)) as lines:
            for _, line in islice(lines, _HEADER_LINES):
                try:
                    rows.add(_row(line))
                except ValueError as error:
                    self.set_aside(0, "", str(error))
        return self.columns

    def count_rows(self) -> int:
        """See `FileReader`."""
        return count_lines(self.path)


class _Rows:
    """Rows on their way into a batch, column by column."""

    def __init__(self, reader: JsonLinesReader) -> None:
        self._reader = reader
        self._headers: list[str] = []
        self._columns: dict[str, str] = {}
        self._values: dict[str, list[str | None]] = {}
        self.count = 0
        self.bytes = 0

    def add(self, row: dict[str, str | None]) -> None:
        for key, value in row.items():
            values = self._values.get(key)
            if values is None:
                values = self._values[key] = self._new_column(key)
            if (missing := self.count - len(values)) > 0:
                values.extend([None] * missing)
            values.append(value)
        self.count += 1

    def take(self) -> "pa.RecordBatch":
        import pyarrow as pa

        for values in self._values.values():
            values.extend([None] * (self.count - len(values)))
        arrays = [pa.array(self._values[key], pa.string()) for key in self._headers]
        batch = pa.RecordBatch.from_arrays(arrays, names=self._reader.columns)
        self._values = {key: [] for key in self._headers}
        self.count = self.bytes = 0
        return batch

    def _new_column(self, key: str) -> list[str | None]:
        headers = [*self._headers, key]
        columns = [*self._reader.columns, column_name(key, len(headers))]
        self._reader.check_names(headers, columns)
        self._headers, self._reader.columns = headers, columns
        return []


def _lines(content: IO[bytes]) -> Generator[tuple[int, bytes], None, None]:
    """The lines that are not blank, with their numbers."""
    number = 0
    while line := content.readline(_MAX_LINE_BYTES):
        number += 1
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if len(line) >= _MAX_LINE_BYTES and not line.endswith(b"\n"):
            raise UnreadableFileError(f"line {number} is longer than {_MAX_LINE_BYTES >> 20} MiB")
        if not line.isspace() and line:
            yield number, line


def _row(line: bytes) -> dict[str, str | None]:
    """The columns and texts of the object on a line.

    Raises:
        ValueError: The line is no JSON object, has no field, or holds what PostgreSQL's text cannot.
    """
    if b"\\u0000" in line and _NUL.search(line):
        raise ValueError("it holds the character \\u0000, which PostgreSQL cannot store")
    try:
        found = orjson.loads(line)
        if type(found) is not dict:
            raise ValueError("it is JSON, but no object")
        if not found:
            raise ValueError("it is an object without a field")
        if _DELICATE_NUMBER.search(line):
            found = json.loads(line, parse_float=_literal, parse_int=_literal)
        return {key: value if type(value) is str else _text(value) for key, value in found.items()}
    except orjson.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    except (RecursionError, TypeError):
        raise ValueError("it is JSON, but nested too deeply") from None


def _literal(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return orjson.dumps(value).decode()
