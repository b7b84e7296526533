"""Which SQL makes each MySQL type arrive whole: what ConnectorX rounds or gives up on is cast."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.database.relation import Column, Decoding

# Type codes of the MySQL protocol.
_DECIMALS = {0, 246}
_DATES = {10, 14}
_MOMENTS = {7, 12}
_TIME, _BIT, _GEOMETRY, _NULL = 11, 16, 255, 6
_NAMES = {
    0: "decimal", 1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 6: "null", 7: "timestamp",
    8: "bigint", 9: "mediumint", 10: "date", 11: "time", 12: "datetime", 13: "year", 16: "bit", 245: "json",
    246: "decimal", 247: "enum", 248: "set", 252: "text", 253: "varchar", 254: "char", 255: "geometry",
}  # fmt: skip


def described(fields: Iterable[Any], known: Mapping[str, tuple[Any, ...]], quote: Callable[[str], str]) -> list[Column]:
    """The columns of a statement.

    Dates are sent as text, because 0000-00-00 is none in Arrow; so is TIME, which goes from -838 to 838 hours.

    Args:
        fields: What the protocol says of each column.
        known: What the catalogue says of each column of a table: type, digits, digits after the point.
    """
    return [_column(field, known.get(field.name), quote(field.name)) for field in fields]


def _column(field: Any, known: tuple[Any, ...] | None, quoted: str) -> Column:
    type_name, precision, scale = known or (_NAMES.get(field.type_code, "text"), None, None)
    type_name = type_name.decode() if isinstance(type_name, bytes) else str(type_name)
    text = f"cast({quoted} as char)"
    expression, decoding = quoted, "as_is"
    code = field.type_code
    if code in _DECIMALS:
        return Column(field.name, type_name, text, "decimal", precision, scale)
    if code in _DATES | _MOMENTS:
        expression, decoding = text, "date" if code in _DATES else "moment"
    elif code == _BIT:
        expression = f"cast({quoted} as unsigned)"
        decoding = "boolean" if type_name == "bit(1)" else "as_is"
    elif code == _GEOMETRY:
        expression = f"st_astext({quoted})"
    elif code in {_TIME, _NULL} or type_name in {"uuid", "inet4", "inet6"}:
        expression = text
    kind: Decoding = decoding  # type: ignore[assignment]
    return Column(field.name, type_name, expression, kind)
