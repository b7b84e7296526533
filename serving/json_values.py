"""A table as JSON values: days and moments as ISO texts, decimals as numbers, what is not finite as null."""

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from serving.types import type_name

if TYPE_CHECKING:
    import pyarrow as pa

_LARGEST = 2**63


def columns_and_rows(table: "pa.Table") -> dict[str, Any]:
    """`{"columns": [{"name", "type"}…], "rows": [[…]…]}` of a table."""
    types = [type_name(field.type) for field in table.schema]
    values = [_values(column, kind) for column, kind in zip(table.columns, types, strict=True)]
    return {
        "columns": [{"name": name, "type": kind} for name, kind in zip(table.column_names, types, strict=True)],
        "rows": list(zip(*values, strict=True)),
    }


def _values(column: "pa.ChunkedArray", kind: str) -> list[Any]:
    import pyarrow as pa

    # Arrow makes the same texts of days, and numbers of whole decimals, ten times as fast.
    if kind == "date":
        return list(column.cast(pa.string()).to_pylist())
    if kind == "integer":
        with suppress(pa.ArrowInvalid):
            return list(column.cast(pa.int64()).to_pylist())
    return [None if value is None else _CONVERTERS[kind](value) for value in column.to_pylist()]


def _iso(value: datetime) -> str:
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
    "timestamp": _iso,
}
