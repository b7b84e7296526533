"""JSON lines: one object on each line."""

import io
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from connectors.files.kind import FileTable
from connectors.files.readers.content import open_content
from connectors.files.readers.declared import Declared
from connectors.files.readers.encoding import Utf8Text
from connectors.files.readers.json_rows import JsonRows
from connectors.files.readers.reading import FileReader, UnreadableFileError, count_lines

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_LINE_BYTES = 64 << 20
_HEADER_LINES = 1_000


class JsonLinesReader(FileReader):
    """Reads a file of one JSON object per line; blank lines are no rows, other lines are set aside.

    Args:
        path: The file.
        table: What is configured.
    """

    def __init__(self, path: Path, table: FileTable) -> None:
        super().__init__(path)
        self._table = table
        self._declared = Declared(table.declared)
        self._encoding = "utf-8"
        self._nuls = 0

    @property
    def reading(self) -> dict[str, Any]:
        """See `FileReader`."""
        nuls = {"nul_characters_replaced": self._nuls} if self._nuls else {}
        return {"format": "jsonl", "encoding": self._encoding, **nuls}

    @property
    def missing_columns(self) -> list[str]:
        """See `FileReader`."""
        return self._declared.missing

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        rows = JsonRows(self, self._declared)
        seen = 0
        with open_content(self.path) as content:
            for number, line in self._lines(content):
                seen += 1
                rows.add(number, line, any_value=False)
                if rows.full:
                    yield rows.take()
        if not seen:
            raise UnreadableFileError("the file is empty")
        self._nuls = rows.nuls
        if rows.count or not self.columns:
            yield rows.take()

    def header(self) -> list[str]:
        """See `FileReader`; the keys of the first thousand lines."""
        rows = JsonRows(self, self._declared)
        with open_content(self.path) as content, closing(self._lines(content)) as lines:
            for number, line in islice(lines, _HEADER_LINES):
                rows.add(number, line, any_value=False)
        return self.columns

    def count_rows(self) -> int:
        """See `FileReader`."""
        return count_lines(self.path)

    def _lines(self, content: IO[bytes]) -> Generator[tuple[int, bytes], None, None]:
        """The lines that are not blank, with their numbers."""
        text = Utf8Text(content, self._table.encoding, guesses=False)
        self._encoding = text.encoding
        lines = io.BufferedReader(cast(Any, text), 1 << 20)
        number = 0
        while line := lines.readline(_MAX_LINE_BYTES):
            number += 1
            if len(line) >= _MAX_LINE_BYTES and not line.endswith(b"\n"):
                raise UnreadableFileError(f"line {number} is longer than {_MAX_LINE_BYTES >> 20} MiB")
            if not line.isspace() and line:
                yield number, line
