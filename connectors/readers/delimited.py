"""CSV and its kin: every field lands as the text it is, parsed by Arrow in blocks of bounded size."""

import codecs
import csv
import io
import sys
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from connectors.names import column_name
from connectors.readers.reading import (
    BATCH_ROWS,
    MAX_COLUMNS,
    MAX_UNREADABLE_LINES,
    FileReader,
    UnreadableFileError,
    count_lines,
    open_content,
)

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK_BYTES = 2 << 20
_OTHER_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class _SetAside:
    """A row that was set aside: its number as Arrow counts rows, and the line within it."""

    row: int
    offset: int
    text: str
    reason: str


class DelimitedReader(FileReader):
    """Reads a CSV file.

    Arrow takes a quoted field that is never closed for a complete one. So a line of our own is put behind the
    last one of the file: when it does not come back as a line of its own, the file ends inside quotes.

    Args:
        path: The file.
        delimiter: The one character between fields.
    """

    def __init__(self, path: Path, delimiter: str) -> None:
        super().__init__(path)
        self._delimiter = delimiter
        self._end = f"end-of-file-{uuid.uuid4().hex}"
        self._set_rows: list[_SetAside] = []

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        import pyarrow as pa

        rows = 0
        with open_content(self.path) as content:
            try:
                for batch in self._without_end(self._parsed(content)):
                    rows += batch.num_rows
                    for start in range(0, batch.num_rows, BATCH_ROWS):
                        yield batch.slice(start, BATCH_ROWS)
            except pa.ArrowInvalid as error:
                if len(self._set_rows) > MAX_UNREADABLE_LINES:
                    reason = self._set_rows[-1].reason
                    raise UnreadableFileError(
                        f"more than {MAX_UNREADABLE_LINES:,} lines cannot be read: {reason}"
                    ) from error
                raise UnreadableFileError(_in_our_words(str(error))) from error
        self._number_lines()
        if not rows:
            yield self._empty()

    def header(self) -> list[str]:
        """See `FileReader`."""
        with closing(self.batches()) as batches:
            next(batches)
        return self.columns

    def count_rows(self) -> int:
        """See `FileReader`."""
        return count_lines(self.path, header_lines=1)

    def _parsed(self, content: IO[bytes]) -> Iterator["pa.RecordBatch"]:
        """The data rows, under the names they will have in raw."""
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        # The header is read as a row like any other, so that Arrow alone decides where it ends.
        stream = arrow_csv.open_csv(
            cast(Any, _Content(content, self._end)),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK_BYTES, autogenerate_column_names=True
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._on_invalid_row
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={f"f{number}": pa.string() for number in range(MAX_COLUMNS + 1)},
                strings_can_be_null=False,
                check_utf8=False,  # _Content has done that.
            ),
        )
        for batch in stream:
            if not self.columns:
                if not batch.num_rows:
                    continue
                self._take_header([str(column[0]) for column in batch.columns])
                batch = batch.slice(1)  # noqa: PLW2901 - the header is no data row.
            yield batch.rename_columns(self.columns)
        if not self.columns:
            raise UnreadableFileError("the file is empty")

    def _take_header(self, headers: list[str]) -> None:
        if headers == [self._end]:
            raise UnreadableFileError("the file is empty")
        headers = [header.strip() for header in headers]
        if len(headers) == 1 and any(sign in headers[0] for sign in _OTHER_DELIMITERS):
            likely = max(_OTHER_DELIMITERS, key=headers[0].count)
            raise UnreadableFileError(
                f"with the delimiter {self._delimiter!r} its header is one column, {headers[0][:100]!r};"
                f" is the delimiter {likely!r}?"
            )
        columns = [column_name(header, position) for position, header in enumerate(headers, start=1)]
        self.check_names(headers, columns)
        self.columns = columns

    def _on_invalid_row(self, row: Any) -> Literal["skip", "error"]:
        # Nothing may be raised here: Arrow would print it and go on with words of its own.
        if row.text != self._end:
            reason = f"{row.actual_columns} fields where the header has {row.expected_columns}"
            self._set_rows.append(_SetAside(row.number, 0, row.text, reason))
        return "skip" if len(self._set_rows) <= MAX_UNREADABLE_LINES else "error"

    def _without_end(self, batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        """The batches without our own last line, and without a row that swallowed it."""
        rows, last = 0, None
        for batch in batches:
            if not batch.num_rows:
                continue
            if last is not None:
                yield last
            last = batch
            rows += batch.num_rows
        tail = [str(column[-1]) for column in last.columns] if last is not None else [""]
        if last is not None and self._end in tail[-1]:
            if tail != [self._end]:
                self._set_open_quote_aside(1 + rows + len(self._set_rows), self._delimiter.join(tail))
            last = last.slice(0, last.num_rows - 1)
        elif self._set_rows and self._end in self._set_rows[-1].text:
            swallowed = self._set_rows.pop()
            self._set_open_quote_aside(swallowed.row, swallowed.text)
        if last is not None:
            yield last

    def _set_open_quote_aside(self, row: int, text: str) -> None:
        lines = text.partition(self._end)[0].rstrip("\r\n").splitlines()
        reason = "the file ends inside a quoted field"
        self._set_rows.extend(_SetAside(row, offset, line, reason) for offset, line in enumerate(lines))

    def _number_lines(self) -> None:
        """Turn row numbers, which is what Arrow counts, into line numbers, which is what an editor shows."""
        if not self._set_rows:
            return
        wanted = {aside.row for aside in self._set_rows}
        lines: dict[int, int] = {}
        csv.field_size_limit(sys.maxsize)
        with open_content(self.path) as content:
            reader = csv.reader(io.TextIOWrapper(content, encoding="utf-8-sig", newline=""), delimiter=self._delimiter)
            row, lines_before = 0, 0
            for fields in reader:
                row += bool(fields)
                if fields and row in wanted:
                    lines[row] = lines_before + 1
                lines_before = reader.line_num
        for aside in self._set_rows:
            self.set_aside(lines.get(aside.row, aside.row) + aside.offset, aside.text, aside.reason)

    def _empty(self) -> "pa.RecordBatch":
        import pyarrow as pa

        schema = pa.schema([(column, pa.string()) for column in self.columns])
        return pa.RecordBatch.from_pylist([], schema=schema)


class _Content(io.RawIOBase):
    """The content followed by a line of our own; refuses what PostgreSQL's text cannot hold."""

    def __init__(self, content: IO[bytes], end: str) -> None:
        self._content = content
        self._end: bytes | None = f"\n{end}\n".encode()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = self._content.read(size)
        if b"\0" in found:
            raise UnreadableFileError("it contains NUL bytes; is it UTF-16? UTF-8 is needed")
        try:
            self._decoder.decode(found, final=not found)
        except UnicodeDecodeError as error:
            line = self._lines + error.object.count(b"\n", 0, error.start) + 1
            raise UnreadableFileError(f"line {line}: it is not UTF-8 text") from error
        self._lines += found.count(b"\n")
        if not found and self._end is not None:
            found, self._end = self._end, None
        return found


def _in_our_words(message: str) -> str:
    if "Empty CSV" in message:
        return "the file is empty"
    if "straddl" in message or "block" in message:
        return f"one of its rows is longer than {_BLOCK_BYTES >> 20} MiB; is a quote never closed?"
    return f"it is no CSV: {message.splitlines()[0]}"
