"""How a header or a JSON key becomes a column: `Account ID` → `account_id`, the same on every machine.

The names made here are ones that dlt's own naming leaves alone (a test holds the two together).
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

MAX_BYTES = 63

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z0-9])(?=[A-Z][a-z])")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_SYSTEM = {"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"}  # Every table of PostgreSQL has them already.
_SIGNS = str.maketrans({"%": " percent ", "#": " number ", "$": " usd ", "€": " eur ", "£": " gbp "})


def column_name(header: str, position: int = 1) -> str:
    """The column that a header or key lands in.

    Lower case, words joined by one underscore, accents dropped, at most 63 bytes. A header without a name is
    `column_<position>`; one in a script without Latin letters is `column_<hash of it>`; a leading digit gets an
    underscore in front, as do a name that began with one, and the names of PostgreSQL's own columns (`xmin`).

    Args:
        header: The header as the file has it.
        position: Its place among the columns, counted from 1.
    """
    header = header.strip()
    if not header:
        return f"column_{position}"
    plain = unicodedata.normalize("NFKD", header.translate(_SIGNS)).encode("ascii", "ignore").decode()
    name = _NOT_IN_NAMES.sub("_", _WORD_STARTS.sub("_", plain).lower()).strip("_")
    digest = hashlib.sha256(header.encode()).hexdigest()[:8]
    if not name:
        return f"column_{digest}"
    if header.startswith("_") or name[0].isdigit() or name in _SYSTEM:
        name = f"_{name}"
    return name if len(name) <= MAX_BYTES else f"{name[: MAX_BYTES - 9].rstrip('_')}_{digest}"


def naming_problem(headers: Iterable[str], columns: Iterable[str]) -> str | None:
    """What keeps these headers from being columns, or None: a reserved name, or two headers with one name."""
    taken: dict[str, str] = {}
    for header, column in zip(headers, columns, strict=True):
        if column == "_row_number" or column.startswith("_dlt"):
            return f"the column {header!r} has a name that landing keeps for itself (_row_number, _dlt…)"
        if column in taken:
            if taken[column] == header:
                return f"the column {header!r} is there twice"
            return f"the columns {taken[column]!r} and {header!r} would both be named {column}"
        taken[column] = header
    return None
