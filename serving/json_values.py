"""A table as JSON values: days and moments as ISO texts, decimals as numbers, what is not finite as null."""

import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from serving.types import type_name

if TYPE_CHECKING:
    import pyarrow as pa

_LARGEST = 2**63


def columns_and_rows(table: "pa.Table") -> dict[str, Any]:
    """`{"columns": [{"name", "type"}…], "rows": [[…]…]}` of a table."""
    types = [type_name(field.type) for field in table.schema]
    values = [
        [None if value is None else _CONVERTERS[kind](value) for value in column.to_pylist()]
        for kind, column in zip(types, table.columns, strict=True)
    ]
    return {
        "columns": [{"name": name, "type": kind} for name, kind in zip(table.column_names, types, strict=True)],
        "rows": list(zip(*values, strict=True)),
    }


def _iso(value: date) -> str:
    return value.isoformat()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _integer(value: Any) -> int | float:
    # A sum of many may exceed what JSON's readers, and our writer, take for a whole number.
    return int(value) if -_LARGEST <= value < _LARGEST else float(value)


def _number(value: Decimal) -> float:
    # A double holds 15 digits, so a sum is exact to the cent up to ten trillion.
    return float(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "string": str,
    "boolean": bool,
    "integer": _integer,
    "decimal": _number,
    "double": _finite,
    "date": _iso,
    "timestamp": _iso,
}
