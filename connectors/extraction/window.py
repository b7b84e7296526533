"""What an incremental table remembers between two runs: how far its cursor went, and which rows it saw there.

A source is asked again from the highest cursor less the lag, so that rows which come late are found; what has landed
from there already is told by a digest of each row, and does not land twice.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.names import column_name
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa

Lag = timedelta | Decimal | None
_DIGEST_BYTES = 8
_LAG = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(seconds?|minutes?|hours?|days?|weeks?)?\s*", re.IGNORECASE)
_TYPES: dict[str, Any] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "Decimal": Decimal,
    "int": int,
    "float": float,
    "str": str,
}


def parse_lag(text: str | float | None) -> Lag:
    """`2 days` as a span of time, a bare number as a number.

    Raises:
        ValueError: It is neither.
    """
    if text is None:
        return None
    match = _LAG.fullmatch(str(text))
    if match is None:
        raise ValueError("must be a number, or a number of seconds, minutes, hours, days or weeks")
    number, unit = match.groups()
    if unit is None:
        return Decimal(number)
    return timedelta(**{f"{unit.lower().rstrip('s')}s": float(number)})


class Window:
    """The rows at the end of an incremental table that are asked for again.

    Args:
        state: What the last run left; None: nothing has landed yet.
        cursor: The column that tells new rows.
        lag: How far behind the highest cursor a late row may come.
    """

    def __init__(self, state: dict[str, Any] | None, cursor: str, lag: Lag = None) -> None:
        self.cursor = column_name(cursor)
        self.lag = lag
        known = state if state and state.get("column", self.cursor) == self.cursor else None
        self._high: Any = _value(known["cursor"]) if known and known.get("cursor") else None
        self._seen = _unpacked(known.get("seen", "")) if known else set()
        self._met: set[bytes] = set()

    @property
    def start(self) -> Any:
        """The cursor to ask from, itself included; None asks for everything."""
        return None if self._high is None else self._low(self._high)

    def fresh(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        """The rows that have not landed before, byte for byte the same."""
        import pyarrow as pa

        if not self._seen or not batch.num_rows:
            return batch
        names = [column_name(name) for name in batch.schema.names]
        digests = list(_digests(batch, names))
        keep = [digest not in self._seen for digest in digests]
        if self.cursor in names:
            # A row without a cursor is asked for at each run, wherever the window stands.
            missing = batch.column(names.index(self.cursor)).is_null().to_pylist()
            self._met.update(digest for digest, no, new in zip(digests, missing, keep, strict=True) if no and not new)
        return batch.filter(pa.array(keep))

    def state(self, batches: Iterable["pa.RecordBatch"]) -> dict[str, Any] | None:
        """What to hand to the next run, from the rows that landed now; None while no row had a cursor.

        Args:
            batches: The spooled rows; gone through twice.
        """
        high = self._high
        for values in self._cursors(batches):
            top = _highest(values)
            high = top if high is None or (top is not None and top > high) else high
        if high is None:
            return None
        low = self._low(high)
        # What was seen below the new window will not be asked for again; which digests those are is not kept.
        digests = set(self._met) if self._high is not None and low > self._high else set(self._seen)
        for batch in batches:
            if self.cursor in batch.schema.names:
                near = batch.filter(_at_least(batch.column(self.cursor), low))
                digests.update(_digests(near, near.schema.names))
        return {"column": self.cursor, "cursor": _said(high), "seen": _packed(digests)}

    def _cursors(self, batches: Iterable["pa.RecordBatch"]) -> Iterator[Any]:
        return (batch.column(self.cursor) for batch in batches if self.cursor in batch.schema.names)

    def _low(self, high: Any) -> Any:
        if self.lag is None:
            return high
        match high, self.lag:
            case datetime() | date(), timedelta():
                return high - self.lag
            case ((int() | Decimal()), Decimal()):
                low = high - self.lag
                return int(low) if isinstance(high, int) else low
            case float(), Decimal():
                return high - float(self.lag)
            case str(), timedelta():
                return _text_less(high, self.lag)
        raise DataInsightError(
            f"the lag {self.lag} does not fit the cursor {self.cursor}, whose highest value is {high!r}",
            hint="a cursor of time takes a lag such as '2 days', a cursor of numbers a plain number",
        )


def _text_less(high: str, lag: timedelta) -> str:
    """A moment as text, less the lag, written as the source writes it."""
    try:
        moment = datetime.fromisoformat(high)
    except ValueError:
        raise DataInsightError(
            f"a lag of time needs a cursor that is a moment, not {high!r}", hint="leave the lag away"
        ) from None
    low = moment - lag
    if re.fullmatch(r"\d{4}-\d\d-\d\d", high):
        return low.date().isoformat()
    text = low.isoformat(sep=high[10], timespec="auto" if "." in high else "seconds")
    return text.replace("+00:00", "Z") if high.endswith("Z") else text


def _highest(values: Any) -> Any:
    from pyarrow import compute

    return _python(compute.max(values).as_py())


def _at_least(values: Any, low: Any) -> Any:
    """Which values are `low` or higher; null, which no cursor reaches, counts as near."""
    import pyarrow as pa
    from pyarrow import compute

    scalar = pa.scalar(low, values.type) if not isinstance(low, Decimal) else pa.scalar(low).cast(values.type)
    return compute.fill_null(compute.greater_equal(values, scalar), fill_value=True)


def _python(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _digests(batch: "pa.RecordBatch", names: list[str]) -> Iterator[bytes]:
    """A digest of each row: of its columns by name, those that are null left out."""
    from connectors.extraction.shaping import Shape

    shaped = Shape.of(batch.schema).apply(batch).batch
    columns = sorted(zip(names, shaped.columns, strict=True), key=lambda column: column[0])
    texts = [[(name, value) for value in column.to_pylist()] for name, column in columns]
    for row in zip(*texts, strict=True) if texts else ():
        said = repr([(name, value) for name, value in row if value is not None])
        yield hashlib.blake2b(said.encode(), digest_size=_DIGEST_BYTES).digest()


def _said(value: Any) -> list[str]:
    kind = type(value).__name__
    return [kind, value.isoformat() if isinstance(value, date) else str(value)]


def _value(said: list[str]) -> Any:
    kind, text = said
    return _TYPES[kind](text)


def _packed(digests: set[bytes]) -> str:
    return base64.b64encode(b"".join(sorted(digests))).decode()


def _unpacked(text: str) -> set[bytes]:
    data = base64.b64decode(text)
    return {data[place : place + _DIGEST_BYTES] for place in range(0, len(data), _DIGEST_BYTES)}
