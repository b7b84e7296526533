"""Records of JSON on their way into Arrow: each key is a column, each value the literal text it has in the file."""

import json
import re
from typing import TYPE_CHECKING, Any

import orjson

from connectors.files.readers.declared import Declared
from connectors.files.readers.encoding import BROKEN, without_marks
from connectors.files.readers.reading import BATCH_BYTES, BATCH_ROWS, FileReader
from connectors.names import column_name

if TYPE_CHECKING:
    import pyarrow as pa

VALUE = "value"  # The column of what is no object with a field.

# A number that would not come back as it was written: with a fraction, an exponent, more digits than 64 bits
# hold, or a minus zero.
_DELICATE_NUMBER = re.compile(rb"[:\[,]\s*(?:-?\d+[.eE]|-?\d{18}|-0\s*[,}\]])")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_BROKEN = BROKEN.encode()


class JsonRows:
    """Rows on their way into a batch, column by column.

    Args:
        reader: Whose rows they are; told of its columns, and of rows that do not fit.
        declared: What types columns are to have.
    """

    def __init__(self, reader: FileReader, declared: Declared) -> None:
        self._reader = reader
        self._declared = declared
        self._headers: list[str] = []
        self._values: dict[str, list[str | None]] = {}
        self._origins: list[tuple[int, bytes]] = []
        self._bytes = 0
        self.nuls = 0
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether it is time to take a batch."""
        return self.count >= BATCH_ROWS or self._bytes >= BATCH_BYTES

    def add(self, line: int, text: bytes, *, any_value: bool) -> None:
        """Take the record that `text` is; set it aside when it is none.

        Args:
            line: Where it is in the file.
            text: Its JSON.
            any_value: Whether what is no object with a field is a record too, with the one column `value`.
        """
        self._bytes += len(text)
        try:
            row = self._row(text, any_value=any_value)
        except ValueError as error:
            self._reader.set_aside(line, shown(text), str(error))
            return
        for key, value in row.items():
            values = self._values.get(key)
            if values is None:
                values = self._values[key] = self._new_column(key)
            if (missing := self.count - len(values)) > 0:
                values.extend([None] * missing)
            values.append(value)
        self.count += 1
        if self._declared.types:
            self._origins.append((line, text))

    def take(self) -> "pa.RecordBatch":
        """The rows so far, as a batch; none are left."""
        import pyarrow as pa

        for values in self._values.values():
            values.extend([None] * (self.count - len(values)))
        arrays = [pa.array(self._values[key], pa.string()) for key in self._headers]
        if arrays:
            batch = pa.RecordBatch.from_arrays(arrays, names=self._reader.columns)
        else:
            batch = pa.RecordBatch.from_pylist([], schema=pa.schema([]))
        if self._declared.types and arrays:
            fitted = self._declared.fit(batch)
            for place, reason in fitted.misfits:
                line, text = self._origins[place]
                self._reader.set_aside(line, shown(text), reason)
            batch = fitted.batch
        self._values = {key: [] for key in self._headers}
        self._origins = []
        self.count = self._bytes = 0
        return batch

    def _row(self, text: bytes, *, any_value: bool) -> dict[str, str | None]:
        """The columns and texts of a record.

        Raises:
            ValueError: It is no record; why.
        """
        if _BROKEN in text:
            raise ValueError("it is no JSON: it holds bytes that are not text in its encoding")
        if b"\\u0000" in text:
            text, nuls = _NUL.subn(rb"\1\\ufffd", text)
            self.nuls += nuls
        try:
            found = orjson.loads(text)
            if type(found) is not dict and not any_value:
                raise ValueError("it is JSON, but no object")
            if not found and not any_value:
                raise ValueError("it is an object without a field")
            if _DELICATE_NUMBER.search(text):
                found = json.loads(text, parse_float=_literal, parse_int=_literal)
            if type(found) is not dict or not found:
                return {VALUE: _whole(text, found)}
            return {key: value if type(value) is str else _text(value) for key, value in found.items()}
        except orjson.JSONDecodeError as error:
            raise ValueError(f"it is no JSON: {error}") from None
        except (RecursionError, TypeError):
            raise ValueError("it is JSON, but nested too deeply") from None

    def _new_column(self, key: str) -> list[str | None]:
        headers = [*self._headers, key]
        columns = [*self._reader.columns, column_name(key, len(headers))]
        self._reader.check_names(headers, columns)
        self._headers, self._reader.columns = headers, columns
        return []


def shown(text: bytes) -> str:
    """A record as quarantine shows it."""
    return without_marks(text.decode(errors="replace")).rstrip("\r\n")


def _whole(text: bytes, found: Any) -> str | None:
    """A value that is a record by itself, as text; a number to the letter."""
    if type(found) is str:
        return found
    return text.strip().decode() if type(found) in {int, float} else _text(found)


def _literal(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return orjson.dumps(value).decode()
