"""The types of values, in the words of an answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def type_name(kind: "pa.DataType") -> str:
    """An Arrow type in the words of an answer."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return "decimal" if kind.scale else "integer"
    checks: dict[str, Callable[[pa.DataType], bool]] = {
        "boolean": pa.types.is_boolean,
        "integer": pa.types.is_integer,
        "double": pa.types.is_floating,
        "date": pa.types.is_date,
        "timestamp": pa.types.is_timestamp,
    }
    return next((name for name, check in checks.items() if check(kind)), "string")
