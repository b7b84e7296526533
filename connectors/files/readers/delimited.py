"""CSV and its kin: every field lands as the text it is, parsed by Arrow in blocks of bounded size."""

import io
import uuid
from bisect import bisect_right
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from connectors.files.kind import FileTable
from connectors.files.readers.content import open_content
from connectors.files.readers.declared import Declared
from connectors.files.readers.dialect import DELIMITERS, Dialect, find_dialect
from connectors.files.readers.encoding import BROKEN, Utf8Text, without_marks
from connectors.files.readers.line_numbers import first_lines
from connectors.files.readers.reading import (
    BATCH_ROWS,
    MAX_COLUMNS,
    MAX_UNREADABLE_LINES,
    FileReader,
    UnreadableFileError,
    count_lines,
)
from connectors.names import column_name

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK_BYTES = 2 << 20


@dataclass(frozen=True)
class _SetAside:
    """A row that was set aside.

    Attributes:
        row: Its number: as Arrow counts, invalid rows included; or, for one that Arrow took, among those it took.
        taken: Whether Arrow took it.
        offset: The line within the row.
    """

    row: int
    offset: int
    text: str
    reason: str
    taken: bool = False


class DelimitedReader(FileReader):
    """Reads a CSV file.

    Arrow takes a quoted field that is never closed for a complete one. So a line of our own is put behind the
    last one of the file: when it does not come back as a line of its own, the file ends inside quotes.

    Args:
        path: The file.
        table: What is configured; the rest is found out.
        name: The file's own name.
    """

    def __init__(self, path: Path, table: FileTable, name: str) -> None:
        super().__init__(path)
        self._table = table
        self._name = name
        self._end = f"end-of-file-{uuid.uuid4().hex}"
        self._declared = Declared(table.declared)
        self._dialect = Dialect(",", '"', header=True)
        self._encoding = "utf-8"
        self._set_rows: list[_SetAside] = []

    @property
    def reading(self) -> dict[str, Any]:
        """See `FileReader`."""
        return {
            "format": "csv",
            "delimiter": self._dialect.delimiter,
            "quote": self._dialect.quote or "none",
            "encoding": "windows-1252" if self._encoding == "cp1252" else self._encoding,
            "header": self._dialect.header,
        }

    @property
    def missing_columns(self) -> list[str]:
        """See `FileReader`."""
        return self._declared.missing

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        import pyarrow as pa

        rows = 0
        with open_content(self.path) as content:
            text = Utf8Text(content, self._table.encoding)
            self._encoding = text.encoding
            try:
                for batch in self._without_end(self._parsed(text)):
                    for start in range(0, batch.num_rows, BATCH_ROWS):
                        part = batch.slice(start, BATCH_ROWS)
                        yield self._fitted(part, rows, has_broken=text.has_broken)
                        rows += part.num_rows
            except pa.ArrowInvalid as error:
                if len(self._set_rows) > MAX_UNREADABLE_LINES:
                    reason = self._set_rows[-1].reason
                    raise UnreadableFileError(
                        f"more than {MAX_UNREADABLE_LINES:,} lines cannot be read: {reason}"
                    ) from error
                raise UnreadableFileError(_in_our_words(str(error))) from error
            self._encoding = text.encoding
        self._number_lines()
        if not rows:
            yield self._declared.fit(self._empty()).batch

    def header(self) -> list[str]:
        """See `FileReader`."""
        with closing(self.batches()) as batches:
            next(batches)
        return self.columns

    def count_rows(self) -> int:
        """See `FileReader`."""
        return count_lines(self.path, header_lines=int(self._dialect.header))

    def _parsed(self, content: Utf8Text) -> Iterator["pa.RecordBatch"]:
        """The data rows, under the names they will have in raw."""
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        self._dialect = self._find_dialect(content)
        # The header is read as a row like any other, so that Arrow alone decides where it ends.
        stream = arrow_csv.open_csv(
            cast(Any, _WithEnd(content, self._end)),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK_BYTES, autogenerate_column_names=True
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=self._dialect.quote or False,
                newlines_in_values=self._dialect.quote is not None,
                invalid_row_handler=self._on_invalid_row,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={f"f{number}": pa.string() for number in range(MAX_COLUMNS + 1)},
                strings_can_be_null=False,
                check_utf8=False,  # Utf8Text has done that.
            ),
        )
        for batch in stream:
            if not self.columns:
                if not batch.num_rows:
                    continue
                self._take_header([str(column[0]) for column in batch.columns])
                if self._dialect.header:
                    batch = batch.slice(1)  # noqa: PLW2901 - the header is no data row.
            yield batch.rename_columns(self.columns)
        if not self.columns:
            raise UnreadableFileError("the file is empty")

    def _find_dialect(self, content: Utf8Text) -> Dialect:
        table = self._table
        return find_dialect(
            content.peek().decode(errors="replace"),
            whole=content.sample_is_all,
            delimiter=table.delimiter_of(self._name),
            quote=table.quote,
            header=None if table.header == "auto" else table.header,
            known_columns=[*table.key_columns, *table.declared],
        )

    def _take_header(self, headers: list[str]) -> None:
        if headers == [self._end]:
            raise UnreadableFileError("the file is empty")
        if not self._dialect.header:
            headers = ["" for _ in headers]
        headers = [without_marks(header).strip() for header in headers]
        delimiter = self._dialect.delimiter
        if len(headers) == 1 and any(sign in headers[0] for sign in DELIMITERS[:4]) and self._table.delimiter:
            likely = max(DELIMITERS[:4], key=headers[0].count)
            raise UnreadableFileError(
                f"with the delimiter {delimiter!r} its header is one column, {headers[0][:100]!r};"
                f" is the delimiter {likely!r}?"
            )
        columns = [column_name(header, position) for position, header in enumerate(headers, start=1)]
        self.check_names(headers if self._dialect.header else columns, columns)
        self.columns = columns

    def _fitted(self, batch: "pa.RecordBatch", before: int, *, has_broken: bool) -> "pa.RecordBatch":
        """The batch with its declared types, and without the rows that do not fit or hold a broken byte."""
        if not has_broken and not self._declared.types:
            return batch
        fitted = self._declared.fit(batch, BROKEN if has_broken else None)
        for place, reason in fitted.misfits:
            said = self._dialect.delimiter.join(str(column[place]) for column in batch.columns)
            row = _SetAside(1 + before + place, 0, without_marks(said), reason, taken=True)
            self._set_rows.append(row)
            if len(self._set_rows) > MAX_UNREADABLE_LINES:
                raise UnreadableFileError(f"more than {MAX_UNREADABLE_LINES:,} lines cannot be read: {reason}")
        return fitted.batch

    def _on_invalid_row(self, row: Any) -> Literal["skip", "error"]:
        # Nothing may be raised here: Arrow would print it and go on with words of its own.
        if row.text != self._end:
            among = "where the header has" if self._dialect.header else "where the first row has"
            reason = f"{row.actual_columns} fields {among} {row.expected_columns}"
            self._set_rows.append(_SetAside(row.number, 0, without_marks(row.text), reason))
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
                invalid = sum(not aside.taken for aside in self._set_rows)
                row = int(self._dialect.header) + rows + invalid
                self._set_open_quote_aside(row, self._dialect.delimiter.join(tail))
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
        rows = self._row_numbers()
        lines = first_lines(self.path, rows, self._dialect, self._encoding)
        both = zip(rows, self._set_rows, strict=True)
        numbered = [(lines.get(row, row) + aside.offset, aside) for row, aside in both]
        for line, aside in sorted(numbered, key=lambda item: item[0]):
            self.set_aside(line, aside.text, aside.reason)

    def _row_numbers(self) -> list[int]:
        """The number of each row set aside, counting every row: the header, those Arrow took and those it did not."""
        invalid = sorted({aside.row for aside in self._set_rows if not aside.taken})
        # Before the n-th row that Arrow took stand as many invalid ones as have a number below its own.
        free = [number - place for place, number in enumerate(invalid)]
        header = int(self._dialect.header)
        return [
            header + aside.row + bisect_right(free, header + aside.row) if aside.taken else aside.row
            for aside in self._set_rows
        ]

    def _empty(self) -> "pa.RecordBatch":
        import pyarrow as pa

        schema = pa.schema([(column, pa.string()) for column in self.columns])
        return pa.RecordBatch.from_pylist([], schema=schema)


class _WithEnd(io.RawIOBase):
    """The content followed by a line of our own."""

    def __init__(self, content: Utf8Text, end: str) -> None:
        self._content = content
        self._end: bytes | None = f"\n{end}\n".encode()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = self._content.read(size)
        if not found and self._end is not None:
            found, self._end = self._end, None
        return found


def _in_our_words(message: str) -> str:
    if "Empty CSV" in message:
        return "the file is empty"
    if "straddl" in message or "block" in message:
        return f"one of its rows is longer than {_BLOCK_BYTES >> 20} MiB; is a quote never closed?"
    return f"it is no CSV: {message.splitlines()[0]}"
