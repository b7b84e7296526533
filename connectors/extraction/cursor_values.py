"""Values of cursors: which types they may have, how a state writes them, how they compare, what a lag takes off."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from connectors.extraction.arrow_types import landing_type
from connectors.extraction.request import RefusedError
from warehouse.errors import DataInsightError
from warehouse.spans import Lag

_READ: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "Decimal": Decimal,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes.fromhex,
}
_SQL_NAMES = {
    "datetime": "timestamp with time zone",
    "date": "date",
    "Decimal": "numeric",
    "int": "bigint",
    "float": "double precision",
    "str": "text",
    "bytes": "bytea",
}
_LOWEST_INTEGER = -(1 << 63)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d|\d{8})"
    r"((?P<between>\D)(?P<time>\d\d(:\d\d){0,2}|\d{4}|\d{6})([.,](?P<fraction>\d+))?(?P<zone>Z|[+-][\d:]+)?)?"
)


def cursor_kind(cursor: str, found: Any) -> str | None:
    """The Python type of a column's values, None for a column without any.

    Raises:
        RefusedError: No state can keep values of this Arrow type.
    """
    from pyarrow import types

    landed = landing_type(found)
    tests: list[tuple[Callable[[Any], bool], str | None]] = [
        (types.is_null, None),
        (types.is_timestamp, "datetime"),
        (types.is_date, "date"),
        (types.is_decimal, "Decimal"),
        (types.is_integer, "int"),
        (types.is_floating, "float"),
        (types.is_string, "str"),
        (types.is_binary, "bytes"),
    ]
    for test, kind in tests:
        if test(landed):
            return kind
    said = "boolean" if types.is_boolean(landed) else "time" if types.is_time(landed) else str(landed)
    raise RefusedError(
        f"the cursor {cursor} is {said}, which does not tell new rows: a cursor is a moment, a date, a number, text or"
        " bytes"
    )


def refuse_changed_kind(cursor: str, known: str, found: str | None) -> None:
    """Compare what a cursor was with what it is now.

    Raises:
        RefusedError: Its values cannot be compared.
    """
    if found is not None and found != known:
        raise RefusedError(
            f"a changed type: the cursor {cursor} was {_SQL_NAMES[known]} up to now and is {_SQL_NAMES[found]}"
            " in what comes now"
        )


def written(value: Any) -> list[str]:
    """A cursor as a state keeps it: its type and its text."""
    match value:
        case date():
            text = value.isoformat()
        case bytes():
            text = value.hex()
        case _:
            text = str(value)
    return [type(value).__name__, text]


def read(said: list[str] | None) -> Any:
    """What `written` has written; None where nothing was, or by an older version in a way that says nothing."""
    if said is None or said[0] not in _READ:
        return None
    try:
        return _READ[said[0]](said[1])
    except ValueError:
        return None


def highest(values: Any) -> Any:
    """The highest of an Arrow array of landing type; None when there is none."""
    from pyarrow import compute

    top = compute.max(values).as_py()
    if isinstance(top, datetime) and top.tzinfo is None:
        return top.replace(tzinfo=UTC)
    return None if isinstance(top, float) and math.isnan(top) else top


def at_least(values: Any, low: Any) -> Any:
    """Which values are `low` or higher, as an Arrow array; null, which no cursor reaches, counts as near."""
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_null(values.type) or isinstance(low, Decimal):
        # No decimal type holds both numbers for certain.
        return pa.array([value is None or value >= low for value in values.to_pylist()], pa.bool_())
    return compute.fill_null(compute.greater_equal(values, pa.scalar(low, values.type)), fill_value=True)


def lowered(high: Any, lag: Lag, cursor: str) -> Any:
    """A cursor less the lag.

    Raises:
        DataInsightError: The lag is not one of such a cursor.
    """
    match high, lag:
        case _, None:
            return high
        case datetime(), timedelta():
            return _earlier(high, lag)
        case date(), timedelta():
            days = -(-lag // timedelta(days=1))
            return date.fromordinal(max(high.toordinal() - days, 1))
        case ((int() | Decimal()), Decimal()):
            with localcontext(prec=200):
                low = high - lag
            return max(int(low), _LOWEST_INTEGER) if isinstance(high, int) else low
        case float(), Decimal():
            return high - float(lag)
        case str(), timedelta():
            return _earlier_text(high, lag)
    raise DataInsightError(
        f"the lag {lag} does not fit the cursor {cursor}, whose highest value is {high!r}",
        hint="a cursor of time takes a lag such as '2 days', a cursor of numbers a plain number",
    )


def _earlier(moment: datetime, lag: timedelta) -> datetime:
    try:
        return moment - lag
    except OverflowError:
        return datetime.min.replace(tzinfo=moment.tzinfo)


def _earlier_text(high: str, lag: timedelta) -> str:
    """A moment as text, less the lag, written as the source writes it: texts are compared letter by letter."""
    match = _MOMENT.fullmatch(high)
    try:
        moment = datetime.fromisoformat(high) if match else None
    except ValueError:
        moment = None
    if match is None or moment is None:
        raise DataInsightError(
            f"a lag of time needs a cursor that is a moment such as 2024-01-31 or 2024-01-31T12:00:00Z, not {high!r}",
            hint="leave the lag away",
        )
    low = _earlier(moment, lag)
    day = low.date().isoformat()
    text = day if "-" in match["date"] else day.replace("-", "")
    if match["time"] is None:
        return text
    clock = low.strftime("%H:%M:%S") if ":" in match["time"] else low.strftime("%H%M%S")
    text += match["between"] + clock[: len(match["time"])]
    if match["fraction"] is not None:
        digits = len(match["fraction"])
        text += high[match.start("fraction") - 1] + f"{low.microsecond:06}".ljust(digits, "0")[:digits]
    return text + (match["zone"] or "")
