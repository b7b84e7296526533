"""An answer and its JSON shape: columns, rows, what it stands on, how long it took."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from serving.engine import type_name
from serving.trust import Trust

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Timing:
    """Milliseconds spent; `cache` is `hit` when the rows were known already."""

    compile_ms: float
    execute_ms: float
    cache: str


@dataclass(frozen=True)
class Answer:
    """The answer to a metric query.

    Attributes:
        table: Rows and columns, named as they were asked for.
    """

    table: "pa.Table"
    trust: Trust
    timing: Timing

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values: days and moments as ISO texts, decimals as numbers."""
        types = [type_name(field.type) for field in self.table.schema]
        values = [
            [None if value is None else _CONVERTERS[kind](value) for value in column.to_pylist()]
            for kind, column in zip(types, self.table.columns, strict=True)
        ]
        return {
            "columns": [
                {"name": name, "type": kind} for name, kind in zip(self.table.column_names, types, strict=True)
            ],
            "rows": [list(row) for row in zip(*values, strict=True)],
            "trust": self.trust.to_dict(),
            "timing": asdict(self.timing),
        }


def _iso(value: date) -> str:
    return value.isoformat()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: Decimal) -> float:
    # A double holds 15 digits, so a sum is exact to the cent up to ten trillion.
    return float(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "decimal": _number,
    "double": _finite,
    "date": _iso,
    "timestamp": _iso,
}
