"""Rows of Python values as Arrow, by the type that a column was declared with; a value that does not fit is told.

SQLite keeps any value in any column, so a row may hold what its columns are not: such a row is set aside, whole.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connectors.database.relation import Column

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 100
_KINDS: list[tuple[str, str]] = [
    (r"\[\]|^STRUCT|^MAP|^LIST|^ARRAY|^JSON|^VARIANT|^OBJECT|^SUPER|^UNION", "json"),
    (r"^BOOL", "boolean"),
    (r"^U?HUGEINT|^UBIGINT|^UINT64|^INT128|^DEC|^NUM|^FIXED|^MONEY|^BIGNUM", "decimal"),
    (r"^INTERVAL", "text"),
    (r"^U?(TINY|SMALL|MEDIUM|BIG)?INT|^U?INT\d*|^INTEGER|^SERIAL|^YEAR", "integer"),
    (r"^FLOAT|^REAL|^DOUBLE|^BINARY_", "double"),
    (r"^TIMESTAMP|^DATETIME", "moment"),
    (r"^DATE", "date"),
    (r"^TIME", "time"),
    (r"BLOB|^BINARY|^VARBINARY|^BYTE|^RAW|^LONG RAW|^IMAGE", "binary"),
    (r"CHAR|TEXT|CLOB|STRING|UUID|^ENUM|^ROWID|^XML|^LONG|GUID", "text"),
]


def column_of(name: str, type_name: str, expression: str, dialect: str) -> Column:
    """The column as it is to be read; `literal_type` keeps the kind of its values, '' until they tell."""
    kind = next((kind for pattern, kind in _KINDS if re.search(pattern, type_name.upper())), "")
    if dialect == "oracle" and kind == "date":
        kind = "moment"
    digits = re.search(r"\((\d+)\s*(?:,\s*(\d+))?\)", type_name) if kind == "decimal" and dialect != "sqlite" else None
    return Column(
        name,
        type_name.lower() or "unknown",
        expression,
        decoding="decimal" if kind == "decimal" else "value",
        precision=int(digits[1]) if digits else None,
        scale=int(digits[2] or 0) if digits else None,
        literal_type=kind,
    )


class RowTyping:
    """Turns rows into batches; a column that was declared as nothing is what its first values are."""

    def __init__(self, columns: Sequence[Column]) -> None:
        from connectors.database.decoding import Decoder

        self._names = [column.name for column in columns]
        self._declared = [column.type_name for column in columns]
        self._kinds = [column.literal_type for column in columns]
        # Numbers of a column that was declared as decimal are decoded with those of every other engine, later.
        self._numbers = {
            place: Decoder([Column(column.name, "decimal", "", "decimal")])
            for place, column in enumerate(columns)
            if not column.literal_type
        }

    def batch(self, rows: Sequence[Any], set_aside: Callable[[dict[str, Any], str], None]) -> "pa.RecordBatch":
        """The rows as a batch, without those that were set aside."""
        import pyarrow as pa

        while True:
            bad: dict[int, str] = {}
            columns = list(zip(*rows, strict=True)) if rows else [()] * len(self._names)
            arrays = [self._array(place, values, bad) for place, values in enumerate(columns)]
            if not bad:
                return pa.RecordBatch.from_arrays(arrays, names=self._names)
            for place, reason in bad.items():
                set_aside({name: _shown(value) for name, value in zip(self._names, rows[place], strict=True)}, reason)
            rows = [row for place, row in enumerate(rows) if place not in bad]

    def _array(self, place: int, values: Sequence[Any], bad: dict[int, str]) -> Any:
        import pyarrow as pa

        kind = self._kinds[place] or _kind_of(values)
        if not kind:
            return pa.nulls(len(values))
        self._kinds[place] = kind
        target = {
            "boolean": pa.bool_(),
            "integer": pa.int64(),
            "double": pa.float64(),
            "moment": pa.timestamp("us", "UTC"),
            "date": pa.date32(),
            "time": pa.time64("us"),
            "binary": pa.binary(),
        }.get(kind, pa.string())
        try:
            if _are(values, kind):
                return self._typed(place, kind, pa.array(values, target))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            pass  # Some value does not fit; which one is found below.
        converted = []
        for number, value in enumerate(values):
            try:
                converted.append(None if value is None else self._converted(place, kind, value))
            except (TypeError, ValueError, OverflowError, InvalidOperation):
                converted.append(None)
                said = self._declared[place] if self._declared[place] != "unknown" else kind
                bad.setdefault(number, f"the column {self._names[place]} is {said} and holds {repr(value)[:_SHOWN]}")
        return self._typed(place, kind, pa.array(converted, target))

    def _converted(self, place: int, kind: str, value: Any) -> Any:
        if kind == "decimal" and place in self._numbers and not Decimal(value).is_finite():
            raise ValueError
        return _CONVERTED[kind](value)

    def _typed(self, place: int, kind: str, values: Any) -> Any:
        if kind != "decimal" or place not in self._numbers:
            return values
        import pyarrow as pa

        return self._numbers[place].batch(pa.RecordBatch.from_arrays([values], names=["number"])).column(0)


def _are(values: Iterable[Any], kind: str) -> bool:
    """Whether Arrow reads these values as we do; it would take a number for a moment, and a moment for a date."""
    wanted = {"moment": datetime, "date": date, "time": time, "text": str}.get(kind)
    if kind in {"decimal", "json"}:
        return False
    return wanted is None or all(value is None or type(value) is wanted for value in values)


def _kind_of(values: Iterable[Any]) -> str:
    """What values of a column without a declared type are; text where they are of several kinds."""
    found = {type(value) for value in values if value is not None}
    if not found:
        return ""
    for kinds, kind in (
        ({bool}, "boolean"),
        ({int}, "integer"),
        ({int, float}, "double"),
        ({int, Decimal}, "decimal"),
        ({datetime}, "moment"),
        ({date}, "date"),
        ({time}, "time"),
        ({bytes, bytearray, memoryview}, "binary"),
        ({dict, list, tuple}, "json"),
    ):
        if found <= kinds:
            too_long = kind == "integer" and any(value is not None and abs(value) >= 1 << 63 for value in values)
            return "decimal" if too_long else kind
    return "text"


def _integer(value: Any) -> int:
    if isinstance(value, str | bytes) or int(value) != value:
        raise ValueError
    if abs(int(value)) >= 1 << 63:
        raise OverflowError
    return int(value)


def _double(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise TypeError
    return float(value)


def _decimal(value: Any) -> str:
    if isinstance(value, str | bytes):
        raise TypeError
    return f"{Decimal(repr(value) if isinstance(value, float) else value):f}"


def _boolean(value: Any) -> bool:
    if value not in {0, 1}:
        raise ValueError
    return bool(value)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - landing takes it for UTC.
    return datetime.fromisoformat(value)


def _date(value: Any) -> date:
    moment = _moment(value)
    if moment.time() != time():
        raise ValueError
    return moment.date()


def _time(value: Any) -> time:
    return value if isinstance(value, time) else time.fromisoformat(value)


def _binary(value: Any) -> bytes:
    if isinstance(value, str):
        raise TypeError
    return bytes(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():g}S"
    return value if isinstance(value, str) else str(value)


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "double": _double,
    "decimal": _decimal,
    "moment": _moment,
    "date": _date,
    "time": _time,
    "binary": _binary,
    "text": _text,
    "json": _json,
}


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
