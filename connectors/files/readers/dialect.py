"""How a CSV file is written: the delimiter, the quote and whether there is a header, found out from its beginning."""

import csv
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from connectors.names import column_name

DELIMITERS = ",;\t|^~"  # In the order in which one is preferred when several would do.
SAMPLE_ROWS = 200

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:[,.' ]\d{3})+|\d+)?(?:[.,]\d+)?(?:[eE][+-]?\d+)?%?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOMENT = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?: .*)?|\d{1,2}:\d{2}(?::\d{2})?"
)


@dataclass(frozen=True)
class Dialect:
    """How the fields of a CSV file are told apart.

    Attributes:
        delimiter: The character between fields.
        quote: The character around a field that holds a delimiter or a line end; None when there is none.
        header: Whether the first row names the columns.
    """

    delimiter: str
    quote: str | None
    header: bool


def find_dialect(
    sample: str,
    *,
    whole: bool,
    delimiter: str | None = None,
    quote: str | None = None,
    header: bool | None = None,
    known_columns: Sequence[str] = (),
) -> Dialect:
    """The dialect of a file that begins with `sample`.

    Args:
        sample: The beginning of the file.
        whole: Whether that is all of it.
        delimiter: What is configured; None to find out.
        quote: What is configured, `none` for none; None to find out.
        header: What is configured; None to find out.
        known_columns: Columns that the table must have, as in raw: a first row with one of them is a header.
    """
    quotes = ['"', "'"] if quote is None else [quote]
    best: tuple[tuple[float, ...], str, str, list[list[str]]] | None = None
    for mark in quotes:
        for place, character in enumerate([delimiter] if delimiter else DELIMITERS):
            rows = _rows(sample, character, mark, whole=whole)
            if mark == "'" and quote is None and not _wrapped(sample, character):
                continue
            score = (*_score(rows), float(mark == '"'), float(-place))
            if best is None or score > best[0]:
                best = score, character, mark, rows
    if best is None:
        return Dialect(delimiter or ",", '"', header is not False)
    _, found, mark, rows = best
    if header is None:
        header = _has_header(rows, known_columns)
    return Dialect(found, None if mark == "none" else mark, header)


def _rows(sample: str, delimiter: str, quote: str, *, whole: bool) -> list[list[str]]:
    """The rows of the sample; not the last one, when the sample may have cut it."""
    csv.field_size_limit(sys.maxsize)
    lines = sample.splitlines(keepends=True)
    if quote == "none":
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    rows = [row for row in islice(reader, SAMPLE_ROWS + 1) if row]
    return rows[:-1] if len(rows) > 1 and (not whole or len(rows) > SAMPLE_ROWS) else rows


def _score(rows: list[list[str]]) -> tuple[float, float]:
    """How well a delimiter explains the rows: the share with as many fields as the first, and how many those are.

    One that does not split the first row explains nothing.
    """
    width = len(rows[0]) if rows else 0
    if width < 2:  # noqa: PLR2004 - one field is no split.
        return 0.0, 0.0
    others = rows[1:]
    return (sum(len(row) == width for row in others) / len(others) if others else 1.0) + 0.01, float(width)


def _wrapped(sample: str, delimiter: str) -> bool:
    """Whether single quotes stand around fields, as nothing but a quote does, and double quotes around none."""
    edge = re.escape(delimiter)
    if re.search(rf'(?:^|{edge})"', sample, re.MULTILINE):
        return False
    opened = len(re.findall(rf"(?:^|{edge})'", sample, re.MULTILINE))
    closed = len(re.findall(rf"'(?=\r?$|{edge})", sample, re.MULTILINE))
    lines = sum(bool(line.strip()) for line in sample.splitlines())
    return opened > 1 and opened == closed and opened >= lines / 2


def _has_header(rows: list[list[str]], known_columns: Sequence[str]) -> bool:
    """Whether the first row names columns: always, unless it is plainly data.

    Plainly data is a first row with a number or a date in it (a year alone is also a usual header), every field of
    which is of the same sort as those below it.
    """
    if not rows:
        return True
    first = [field.strip() for field in rows[0]]
    if set(known_columns) & {column_name(field, place) for place, field in enumerate(first, start=1) if field}:
        return True
    sorts = [_sort(field) for field in first]
    if not any(sort in {"number", "moment"} for sort in sorts) or len(set(first)) < len(first) - sorts.count(""):
        return not any(sort in {"number", "moment"} for sort in sorts)
    others = [row for row in rows[1:] if len(row) == len(first)]
    if not others:
        return not all(sort in {"number", "moment"} for sort in sorts)
    return not all(
        _alike(sort, [_sort(row[place].strip()) for row in others])
        for place, sort in enumerate(sorts)
        if sort in {"number", "moment"}
    )


def _alike(sort: str, below: list[str]) -> bool:
    """Whether at least nine in ten of the fields below, the empty ones aside, are of that sort."""
    filled = [other for other in below if other]
    same = sum(other == sort or {other, sort} == {"number", "year"} for other in filled)
    return same >= 0.9 * len(filled) if filled else False


def _sort(field: str) -> str:
    if not field:
        return ""
    if _YEAR.fullmatch(field):
        return "year"
    if _MOMENT.fullmatch(field):
        return "moment"
    return "number" if any(map(str.isdigit, field)) and _NUMBER.fullmatch(field) else "text"
