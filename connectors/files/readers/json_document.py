"""A JSON document: an array of records, or one record; read record by record, so that its size does not matter."""

import io
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from connectors.files.kind import FileTable
from connectors.files.readers.content import open_content
from connectors.files.readers.declared import Declared
from connectors.files.readers.encoding import Utf8Text
from connectors.files.readers.json_rows import JsonRows
from connectors.files.readers.reading import FileReader, UnreadableFileError

if TYPE_CHECKING:
    import pyarrow as pa

_SPACE = b" \t\r\n"
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(_STRING + rb'|[\[\]{},"]', re.DOTALL)
_MEMBER = re.compile(rb"[ \t\r\n]*(" + _STRING + rb")[ \t\r\n]*:", re.DOTALL)
_CHUNK_BYTES = 1 << 20
_MAX_RECORD_BYTES = 64 << 20
_MAX_SEARCHED_BYTES = 256 << 20
_HEADER_RECORDS = 1_000
_SAMPLE_LINES = 100


class JsonDocumentReader(FileReader):
    """Reads a file that is one JSON value: each element of an array is a row, any other value is one.

    An element that is no object with a field lands in the column `value`. An element that is no JSON is set aside;
    a document whose brackets or commas are wrong is refused.

    Args:
        path: The file.
        table: What is configured.
    """

    def __init__(self, path: Path, table: FileTable) -> None:
        super().__init__(path)
        self._table = table
        self._declared = Declared(table.declared)
        self._encoding = "utf-8"
        self._rows_seen = 0
        self._nuls = 0

    @property
    def reading(self) -> dict[str, Any]:
        """See `FileReader`."""
        records = {"records": self._table.records} if self._table.records else {}
        nuls = {"nul_characters_replaced": self._nuls} if self._nuls else {}
        return {"format": "json", "encoding": self._encoding, **records, **nuls}

    @property
    def missing_columns(self) -> list[str]:
        """See `FileReader`."""
        return self._declared.missing

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        rows = JsonRows(self, self._declared)
        with open_content(self.path) as content:
            for line, record in self._records(content):
                self._rows_seen += 1
                rows.add(line, record, any_value=True)
                if rows.full:
                    yield rows.take()
        self._nuls = rows.nuls
        if rows.count or not self.columns:
            yield rows.take()

    def header(self) -> list[str]:
        """See `FileReader`; the keys of the first thousand records."""
        rows = JsonRows(self, self._declared)
        with open_content(self.path) as content, closing(self._records(content)) as records:
            for line, record in islice(records, _HEADER_RECORDS):
                rows.add(line, record, any_value=True)
        return self.columns

    def count_rows(self) -> int:
        """See `FileReader`; as many as were seen before it turned out unreadable."""
        return self._rows_seen

    def _records(self, content: IO[bytes]) -> Generator[tuple[int, bytes], None, None]:
        text = Utf8Text(content, self._table.encoding, guesses=False)
        self._encoding = text.encoding
        if self._table.records:
            document = _all_of(text, _MAX_SEARCHED_BYTES, "document in which records are searched")
            line, document = _found_under(document, self._table.records.split("."))
            yield from _values(io.BytesIO(document), line)
        else:
            yield from _values(text, 1)


def is_lines(path: Path, encoding: str | None) -> bool:
    """Whether a file of JSON is one of JSON lines: most of its first lines, two at least, are objects by themselves."""
    with open_content(path) as content:
        text = Utf8Text(content, encoding, guesses=False)
        sample = text.peek()
        if not sample.lstrip(_SPACE).startswith(b"{"):
            return False
        lines = sample.split(b"\n") if text.sample_is_all else sample.split(b"\n")[:-1]
    filled = [line for line in lines if line.strip(_SPACE)][:_SAMPLE_LINES]
    return len(filled) > 1 and sum(map(_is_object, filled)) > len(filled) / 2


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _values(stream: IO[bytes] | Utf8Text, line: int) -> Iterator[tuple[int, bytes]]:
    """The elements of the array that the stream is, or the one other value; each with its line.

    Raises:
        UnreadableFileError: It is neither.
    """
    start = b""
    while not start.lstrip(_SPACE):
        if not (block := stream.read(_CHUNK_BYTES)):
            raise UnreadableFileError("the file is empty")
        start += block
    value = start.lstrip(_SPACE)
    line += start[: len(start) - len(value)].count(b"\n")
    if value.startswith(b"["):
        yield from _elements(stream, value[1:], b"]", line)
        return
    whole = value + _all_of(stream, _MAX_RECORD_BYTES, "document that is no array")
    try:
        orjson.loads(whole)
    except orjson.JSONDecodeError as error:
        raise UnreadableFileError(f"it is no JSON document: {error}") from None
    yield line, whole


def _all_of(stream: IO[bytes] | Utf8Text, limit: int, what: str) -> bytes:
    found: list[bytes] = []
    size = 0
    while block := stream.read(_CHUNK_BYTES):
        found.append(block)
        size += len(block)
        if size > limit:
            raise UnreadableFileError(f"a {what} may have {limit >> 20} MiB at most; JSON lines have no such limit")
    return b"".join(found)


def _elements(
    stream: IO[bytes] | Utf8Text, buffer: bytes, closing_bracket: bytes, line: int
) -> Iterator[tuple[int, bytes]]:
    """What stands between the commas of an array or an object, up to its closing bracket, behind which is nothing.

    Args:
        stream: What follows the buffer.
        buffer: What follows the opening bracket.
        closing_bracket: Of the array or object.
        line: The line of the opening bracket.
    """
    count = 0
    for raw, sign, rest in _split(stream, buffer):
        element = raw.lstrip(_SPACE)
        line += raw[: len(raw) - len(element)].count(b"\n")
        is_end = sign == closing_bracket
        if sign != b"," and not is_end:
            raise UnreadableFileError(f"it is no JSON document: a {sign.decode()!r} too many in line {line}")
        if element:
            yield line, element
        elif count or not is_end:
            raise UnreadableFileError(f"it is no JSON document: nothing between two commas in line {line}")
        line += element.count(b"\n")
        count += 1
        if is_end:
            _check_end(stream, rest)
            return
    raise UnreadableFileError(f"it is no JSON document: it ends before it is complete, {count:,} records in")


def _split(stream: IO[bytes] | Utf8Text, buffer: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """What stands before each comma or closing bracket that is inside no inner bracket; that sign; what follows it.

    What follows is given with a closing bracket only, and as far as it was read.
    """
    start = scanned = depth = 0
    while True:
        for token in _TOKEN.finditer(buffer, scanned):
            sign = buffer[token.start() : token.start() + 1]
            if sign == b'"':
                if token.end() - token.start() == 1:  # The opening quote of a string that goes on behind the buffer.
                    scanned = token.start()
                    break
            elif sign in b"[{":
                depth += 1
            elif depth == 0:
                yield buffer[start : token.start()], sign, b"" if sign == b"," else buffer[token.end() :]
                start = token.end()
            elif sign != b",":
                depth -= 1
        else:
            scanned = len(buffer)
        more = stream.read(max(_CHUNK_BYTES, len(buffer) - start))
        if not more:
            return
        buffer = buffer[start:] + more
        scanned -= start
        start = 0
        if len(buffer) > 2 * _MAX_RECORD_BYTES:
            raise UnreadableFileError(f"one of its records is longer than {_MAX_RECORD_BYTES >> 20} MiB")


def _check_end(stream: IO[bytes] | Utf8Text, rest: bytes) -> None:
    while not rest.strip(_SPACE):
        if not (rest := stream.read(_CHUNK_BYTES)):
            return
    raise UnreadableFileError("it is no JSON document: something follows its end; are these JSON lines?")


def _found_under(document: bytes, path: list[str]) -> tuple[int, bytes]:
    """The value under a path of keys, and its line; of a key that is there twice, the last one.

    Raises:
        UnreadableFileError: The document is no JSON, or has no such key.
    """
    line = 1
    for key in path:
        value = document.lstrip(_SPACE)
        line += document[: len(document) - len(value)].count(b"\n")
        if not value.startswith(b"{"):
            raise UnreadableFileError(f"it has no records under {'.'.join(path)}: {key} is sought in what is no object")
        found: tuple[int, bytes] | None = None
        names: list[str] = []
        for at, member in _elements(io.BytesIO(value[1:]), b"", b"}", line):
            named = _MEMBER.match(member)
            try:
                name = orjson.loads(named[1]) if named else None
                rest = member[named.end() :] if named else b""
                if name == key:
                    found = at + member[: len(member) - len(rest)].count(b"\n"), rest
                else:
                    orjson.loads(rest)
            except orjson.JSONDecodeError as error:
                raise UnreadableFileError(f"it is no JSON document: line {at}: {error}") from None
            names.append(str(name))
        if found is None:
            there = ", ".join(names)[:300]
            raise UnreadableFileError(f"it has no records under {'.'.join(path)}; its keys are {there}")
        line, document = found
    return line, document
