"""Turns row numbers of a CSV file, which its parser counts, into line numbers, which an editor shows."""

import csv
import io
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from connectors.files.readers.content import open_content
from connectors.files.readers.dialect import Dialect
from connectors.files.readers.encoding import Utf8Text


def first_lines(path: Path, rows: Collection[int], dialect: Dialect, encoding: str) -> dict[int, int]:
    """The line on which each of the rows begins.

    Args:
        path: The file; it is read to its end once more.
        rows: Their numbers, counted from 1; a header counts, blank lines do not.
        dialect: How the fields are told apart.
        encoding: What the file turned out to be in.
    """
    wanted = set(rows)
    lines: dict[int, int] = {}
    csv.field_size_limit(sys.maxsize)
    with open_content(path) as content:
        text = io.TextIOWrapper(cast(Any, Utf8Text(content, encoding)), encoding="utf-8", newline="")
        reader = csv.reader(
            text,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or '"',
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        )
        row, lines_before = 0, 0
        for fields in reader:
            row += bool(fields)
            if fields and row in wanted:
                lines[row] = lines_before + 1
            lines_before = reader.line_num
    return lines
