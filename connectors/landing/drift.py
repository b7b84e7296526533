"""What changed between the columns a table has in raw and those that come now: taken in, refused, or reported."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from connectors.extraction.spool import Portion

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
    """The columns that a table of raw has, and their types without precision; none when there is no such table."""
    rows = connection.execute(
        sa.text(
            "select attname, format_type(atttypid, null) from pg_attribute"
            " where attrelid = to_regclass(format('%I.%I', cast(:schema as text), cast(:table as text)))"
            " and attnum > 0 and not attisdropped order by attnum"
        ),
        {"schema": schema, "table": table},
    )
    found: list[tuple[str, str]] = [(row[0], row[1]) for row in rows]
    return {name: _RAW_NAMES.get(kind, kind) for name, kind in found if not name.startswith(("_dlt", "_row_number"))}


def refuse_changed_types(portions: Sequence[Portion], known: Mapping[str, str]) -> None:
    """Refuse every portion with a column of another type than raw has, or than an earlier portion brought.

    Args:
        portions: The portions of one table, in order.
        known: Its columns in raw.
    """
    types = {name: (kind, "in the warehouse") for name, kind in known.items()}
    for portion in portions:
        if portion.refused is not None:
            continue
        where = f"in {portion.file.path}" if portion.file else "in what comes now"
        found = {
            field.name: (raw_type(field.type), where)
            for schema in portion.schemas
            for field in schema
            if raw_type(field.type) != "null"
        }
        changed = [name for name in found if name in types and types[name][0] != found[name][0]]
        if changed:
            told = "; ".join(_told(name, types[name], found[name]) for name in changed)
            portion.refuse(f"a changed type: {told}")
        else:
            types = {**found, **types}


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


def _told(name: str, known: tuple[str, str], found: tuple[str, str]) -> str:
    return f"the column {name} is {known[0]} {known[1]} and {found[0]} {found[1]}"
