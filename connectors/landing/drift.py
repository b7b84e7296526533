"""What changed between the columns a table has in raw and those that come now: taken in, refused, or reported."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from connectors.extraction.shaping import MAX_COLUMNS
from connectors.extraction.spool import Portion
from connectors.landing.merge import ROW_NUMBER

if TYPE_CHECKING:
    import pyarrow as pa

_RAW_NAMES = {"character varying": "text"}
_ARROW_NAMES = {
    "string": "text",
    "int64": "bigint",
    "double": "double precision",
    "bool": "boolean",
    "date32[day]": "date",
    "time64[us]": "time without time zone",
    "timestamp[us, tz=UTC]": "timestamp with time zone",
    "binary": "bytea",
}


def raw_columns(connection: sa.Connection, schema: str, table: str) -> dict[str, str]:
    """The columns that a table of raw has, and their types; none when there is no such table.

    A `numeric` of older versions has digits, which a later number may exceed.
    """
    rows = connection.execute(
        sa.text(
            "select attname, format_type(atttypid, case when atttypid = 'numeric'::regtype then atttypmod end)"
            " from pg_attribute"
            " where attrelid = to_regclass(format('%I.%I', cast(:schema as text), cast(:table as text)))"
            " and attnum > 0 and not attisdropped order by attnum"
        ),
        {"schema": schema, "table": table},
    )
    found: list[tuple[str, str]] = [(row[0], row[1]) for row in rows]
    return {
        name: _RAW_NAMES.get(kind, kind) for name, kind in found if name != ROW_NUMBER and not name.startswith("_dlt")
    }


def refuse_changed_types(portions: Sequence[Portion], known: Mapping[str, str]) -> None:
    """Refuse every portion with a column of another type than raw has, or than it, or an earlier one, brought before.

    Args:
        portions: The portions of one table, in order.
        known: Its columns in raw.
    """
    types: dict[str, tuple[str, str]] = {name: (kind, "in the warehouse") for name, kind in known.items()}
    for portion in portions:
        if portion.refused is not None:
            continue
        where = f"in {portion.file.path}" if portion.file else "in what comes now"
        after, changed = dict(types), []
        for field in (field for schema in portion.schemas for field in schema):
            kind = raw_type(field.type)
            before = after.setdefault(field.name, (kind, where)) if kind != "null" else None
            if before and not _holds(before[0], kind, field.type):
                changed.append(f"the column {field.name} is {before[0]} {before[1]} and {kind} {where}")
        if changed:
            portion.refuse(f"a changed type: {'; '.join(dict.fromkeys(changed))}")
        elif len(after) > MAX_COLUMNS:
            portion.refuse(f"with it the table would have {len(after):,} columns; {MAX_COLUMNS:,} are possible")
        else:
            types = after


def _holds(known: str, kind: str, found: Any) -> bool:
    """Whether a column of raw can hold values of a type; an older `numeric` with digits only as many."""
    digits = re.fullmatch(r"numeric\((\d+),(\d+)\)", known)
    if digits is None or kind != "numeric":
        return known == kind
    precision, scale = map(int, digits.groups())
    return bool(found.scale <= scale and found.precision - found.scale <= precision - scale)


def raw_type(found: "pa.DataType") -> str:
    """The type, without precision, that an Arrow type has in raw; `null` for a column without a value."""
    said = str(found)
    return "numeric" if said.startswith("decimal") else _ARROW_NAMES.get(said, said)


def drift(columns: Sequence[str], known: Mapping[str, str], before: Sequence[str] | None) -> dict[str, list[str]]:
    """Which columns are new to raw, and which of the batch before are gone.

    Args:
        columns: What comes now.
        known: The columns in raw.
        before: The columns of the table's batch before; None for its first.
    """
    if before is None:
        return {}
    found = {
        "new_columns": [name for name in columns if name not in known and name not in before],
        "missing_columns": [name for name in before if name not in columns],
    }
    return {what: names for what, names in found.items() if names}


def drift_checks(found: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The warnings of a batch whose columns are not those of the batch before."""
    said = {
        "new_columns": "new here, taken in: {}",
        "missing_columns": "no longer there, read as null: {}",
    }
    return [
        {
            "name": what,
            "description": "A delivery has the columns of the one before it.",
            "severity": "warn",
            "owner": "data engineering",
            "status": "warned",
            "failed_rows": 0,
            "detail": said[what].format(", ".join(names)),
        }
        for what, names in found.items()
    ]
