"""What a stream's JSON schema says of its columns, as Arrow types, and its records as batches of them.

A value of a type that is not its column's makes the record unfit; text takes anything, written as JSON.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connectors.extraction.records import json_text

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_BIGINT = 9_223_372_036_854_775_807
_DIGITS = 38


@dataclass(frozen=True)
class Column:
    """A column of a stream.

    Attributes:
        name: As the stream has it.
        said: What the schema calls its type, for people.
        kind: `integer`, `whole` (beyond 64 bits), `decimal`, `number`, `boolean`, `date-time`, `date`, `time`, `text`.
        scale: Digits behind the point of a `decimal`; None when each value says.
    """

    name: str
    said: str
    kind: str
    scale: int | None = None

    @property
    def exact(self) -> bool:
        """Whether its numbers have to be read digit by digit."""
        return self.kind in {"decimal", "whole"}

    def array(self, values: Sequence[Any]) -> "pa.Array":
        """Values as Arrow.

        Raises:
            ValueError: One of them is not of this type.
        """
        import pyarrow as pa

        convert = _CONVERSIONS[self.kind]
        converted = [None if value is None else convert(value) for value in values]
        if not self.exact:
            return pa.array(converted, _arrow_type(self.kind))
        scale = self.scale if self.scale is not None else _scale(converted)
        digits = max([_whole_digits(value) for value in converted if value is not None], default=0) + scale
        if digits > _DIGITS:
            raise ValueError(f"has more than {_DIGITS} digits")
        try:
            return pa.array(converted, pa.decimal128(max(digits, 1), scale))
        except pa.ArrowInvalid:
            raise ValueError(f"has more than {scale} digits behind the point") from None


def columns_of(schema: Mapping[str, Any]) -> dict[str, Column]:
    """The columns that a stream's schema declares, by name."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {name: _column(name, said if isinstance(said, Mapping) else {}) for name, said in properties.items()}


def fitting(columns: Sequence[Column], records: Sequence[Mapping[str, Any]]) -> tuple["pa.RecordBatch", dict[int, str]]:
    """The records that fit their columns as a batch, and why each other one, by its place, does not."""
    import pyarrow as pa

    try:
        return _batch(columns, records), {}
    except (ValueError, TypeError, OverflowError, pa.ArrowInvalid):
        unfit = {place: reason for place, record in enumerate(records) if (reason := _misfit(columns, record))}
    return _batch(columns, [record for place, record in enumerate(records) if place not in unfit]), unfit


def _batch(columns: Sequence[Column], records: Sequence[Mapping[str, Any]]) -> "pa.RecordBatch":
    import pyarrow as pa

    arrays = [column.array([record.get(column.name) for record in records]) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _misfit(columns: Sequence[Column], record: Mapping[str, Any]) -> str | None:
    import pyarrow as pa

    for column in columns:
        value = record.get(column.name)
        try:
            column.array([value])
        except (ValueError, TypeError, OverflowError, pa.ArrowInvalid) as error:
            reason = str(error) if "digits" in str(error) else f"is no {column.said}"
            return f"{column.name}: {json.dumps(value, default=str)[:100]} {reason}"
    return None


def _column(name: str, schema: Mapping[str, Any]) -> Column:
    """A union lands as text, unless all but null is one type, or is integer and number."""
    found = list(dict.fromkeys(_alternatives(schema)))
    kinds = {kind for kind, _ in found}
    if kinds == {"integer", "number"}:
        found = [("number", None)]
    if len(found) != 1:
        return Column(name, " or ".join(sorted(kinds)) or "any", "text")
    kind, scale = found[0]
    said = schema.get("format") if kind == "text" and isinstance(schema.get("format"), str) else kind
    return Column(name, str(said), kind if kind in _CONVERSIONS else "text", scale)


def _alternatives(schema: Mapping[str, Any]) -> Iterator[tuple[str, int | None]]:
    for union in ("anyOf", "oneOf"):
        for item in schema.get(union) or ():
            if isinstance(item, Mapping):
                # What stands beside the union, such as a format, holds for each of its parts.
                yield from _alternatives({**{key: schema[key] for key in ("format",) if key in schema}, **item})
    types = schema.get("type", [])
    for one in [types] if isinstance(types, str) else types:
        if one == "integer":
            highest = schema.get("maximum")
            wide = isinstance(highest, int | float) and highest > _MAX_BIGINT
            yield ("whole", 0) if wide else ("integer", None)
        elif one == "number":
            yield _number(schema.get("multipleOf"))
        elif one == "string":
            yield _text(schema.get("format"))
        elif one != "null":
            yield one, None


def _number(step: Any) -> tuple[str, int | None]:
    """A number that is a multiple of a power of ten is exact: `multipleOf: 0.01` has two digits behind the point."""
    try:
        _, _, exponent = Decimal(str(step)).normalize().as_tuple()
    except InvalidOperation:
        return "number", None
    return ("decimal", max(0, -exponent)) if isinstance(exponent, int) and -exponent < _DIGITS else ("number", None)


def _text(said: Any) -> tuple[str, int | None]:
    match said:
        case "date-time" | "date" | "time":
            return said, None
        case "singer.decimal":
            return "decimal", None
    return "text", None


def _scale(values: Sequence[Decimal | None]) -> int:
    return max((max(0, -int(value.as_tuple()[2])) for value in values if value is not None), default=0)


def _whole_digits(value: Decimal) -> int:
    return max(0, value.adjusted() + 1)


def _arrow_type(kind: str) -> "pa.DataType":
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date-time": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "text": pa.string(),
    }
    return types[kind]


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value != int(value):
        raise ValueError("not an integer")
    if not -_MAX_BIGINT - 1 <= value <= _MAX_BIGINT:
        raise ValueError("beyond 64 bits")
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, int | float | Decimal) and type(value) is not bool:
        return float(value)
    raise ValueError("not a number")


def _decimal(value: Any) -> Decimal:
    if type(value) is bool or not isinstance(value, int | float | str | Decimal):
        raise ValueError("not a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not number.is_finite() or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("not a finite number")
    return number


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise ValueError("not a boolean")


def _moment(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    # Many taps write a day as its midnight; a moment that is none would lose something.
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if found.time() != time():
        raise ValueError("not a date")
    return found.date()


def _time(value: Any) -> time:
    found = value if isinstance(value, time) else time.fromisoformat(value)
    if found.utcoffset():
        raise ValueError("a time away from UTC")
    return found.replace(tzinfo=None)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "whole": _decimal,
    "decimal": _decimal,
    "number": _float,
    "boolean": _boolean,
    "date-time": _moment,
    "date": _date,
    "time": _time,
    "text": json_text,
}
