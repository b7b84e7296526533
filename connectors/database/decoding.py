"""From what a driver hands over to typed Arrow: decimals exactly, moments within what can be stored.

A value that no type of the warehouse can hold (NaN as a decimal, `infinity` as a date, MySQL's 0000-00-00) is read as
null and counted, so that it can be told; it is never guessed.
"""

import contextlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connectors.database.relation import Column
from connectors.extraction.request import RefusedError

if TYPE_CHECKING:
    import pyarrow as pa

_SHORT, _LONG = 38, 76  # Digits of Arrow's two decimal types.
_FIRST_DAY, _LAST_DAY = date.min.toordinal() - 719_163, date.max.toordinal() - 719_163
_DAY = 86_400_000_000


class Decoder:
    """Decodes the batches of one statement.

    Attributes:
        read_as_null: By column, how many values could not be held.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.read_as_null: Counter[str] = Counter()
        self._columns = columns
        self._digits: dict[str, tuple[int, int]] = {}

    def batch(self, found: "pa.RecordBatch") -> "pa.RecordBatch":
        """The batch with its columns typed and named as in the source.

        Raises:
            RefusedError: A number has more digits than Arrow's longest decimal.
        """
        import pyarrow as pa

        columns = [
            _clean(self._decoded(column, values)) for column, values in zip(self._columns, found.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, names=[column.name for column in self._columns])

    def _decoded(self, column: Column, values: Any) -> Any:
        import pyarrow as pa

        match column.decoding:
            case "decimal":
                decoded = self._decimals(column, values)
            case "date":
                decoded = _dates(values)
            case "moment":
                decoded = _moments(values)
            case "boolean":
                decoded = values.cast(pa.int64()).cast(pa.bool_())
            case _:
                return values
        if lost := decoded.null_count - values.null_count:
            self.read_as_null[column.name] += lost
        return decoded

    def _decimals(self, column: Column, texts: Any) -> Any:
        import pyarrow as pa
        from pyarrow import compute

        precision, scale = column.precision, column.scale
        if precision is not None and scale is not None and 0 <= scale <= precision <= _LONG:
            # NaN, or more digits than declared, which some databases do not mind: the numbers themselves tell then.
            with contextlib.suppress(pa.ArrowInvalid):
                return texts.cast(_decimal_type(precision, scale))
        texts = _plain_numbers(texts)
        points = compute.find_substring(texts, ".")
        lengths = compute.binary_length(texts)
        has_point = compute.greater_equal(points, 0)
        after = compute.if_else(has_point, compute.subtract(compute.subtract(lengths, points), 1), 0)
        before = compute.if_else(has_point, points, lengths)
        old_before, old_after = self._digits.get(column.name, (0, 0))
        digits = (max(old_before, compute.max(before).as_py() or 0), max(old_after, compute.max(after).as_py() or 0))
        if sum(digits) > _LONG:
            raise RefusedError(
                f"the column {column.name} holds a number of {sum(digits)} digits; {_LONG} are possible:"
                f" say `cast: {{{column.name}: text}}` for the table"
            )
        self._digits[column.name] = digits
        return texts.cast(_decimal_type(_SHORT if sum(digits) <= _SHORT else _LONG, digits[1]))


def _clean(values: Any) -> Any:
    """The same values with nothing after the last bit that says which are null: ADBC leaves there what was in memory.

    Two copies of a table are told to be the same by their bytes.
    """
    import pyarrow as pa

    size, buffers = len(values), values.buffers()
    if not values.null_count or values.offset or buffers[0] is None or size % 8 == 0:
        return values
    bits = bytearray(memoryview(buffers[0])[: size // 8 + 1])
    bits[-1] &= (1 << size % 8) - 1
    return pa.Array.from_buffers(values.type, size, [pa.py_buffer(bits), *buffers[1:]], values.null_count)


def _decimal_type(precision: int, scale: int) -> Any:
    import pyarrow as pa

    return pa.decimal128(precision, scale) if precision <= _SHORT else pa.decimal256(precision, scale)


def _plain_numbers(texts: Any) -> Any:
    """Only numbers written without an exponent; everything else that is no number is null."""
    from pyarrow import compute

    plain = compute.match_substring_regex(texts, r"^-?[0-9]*\.?[0-9]*$")
    return texts if compute.all(plain).as_py() is not False else _finite(texts)


def _finite(texts: Any) -> Any:
    import pyarrow as pa

    def number(text: str | None) -> str | None:
        try:
            value = Decimal(text) if text is not None else None
        except InvalidOperation:
            return None
        return f"{value:f}" if value is not None and value.is_finite() else None

    return pa.array([number(text) for text in texts.to_pylist()], pa.string())


def _dates(values: Any) -> Any:
    import pyarrow as pa

    if not pa.types.is_date(values.type):
        try:
            return values.cast(pa.date32())
        except pa.ArrowInvalid:
            return pa.array([_date(text) for text in values.to_pylist()], pa.date32())
    return _within(values.cast(pa.int32()), _FIRST_DAY, _LAST_DAY).cast(pa.date32())


def _moments(values: Any) -> Any:
    import pyarrow as pa

    if not pa.types.is_timestamp(values.type):
        try:
            if not _has_zone(values):
                values = values.cast(pa.timestamp("us"))
            return values.cast(pa.timestamp("us", "UTC"))
        except pa.ArrowInvalid:
            return pa.array([_moment(text) for text in values.to_pylist()], pa.timestamp("us", "UTC"))
    numbers = _within(values.cast(pa.int64()), _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1)
    return numbers.cast(values.type)


def _has_zone(texts: Any) -> bool:
    first = next((text.as_py() for text in texts if text.is_valid), "")
    return first.endswith("Z") or "+" in first[10:]


def _within(numbers: Any, low: int, high: int) -> Any:
    """The numbers; null where one is out of bounds."""
    import pyarrow as pa
    from pyarrow import compute

    ends = compute.min_max(numbers).as_py()
    if ends["min"] is None or (ends["min"] >= low and ends["max"] <= high):
        return numbers
    is_inside = compute.and_(compute.greater_equal(numbers, low), compute.less_equal(numbers, high))
    return compute.if_else(is_inside, numbers, pa.scalar(None, numbers.type))


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
