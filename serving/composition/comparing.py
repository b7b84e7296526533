"""Comparison: the same question of an earlier range, and each row beside the one at the same place there.

Where the range is made of whole months, so is the one before it, however long they are; days and weeks are counted.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from serving.composition.joining import Join, listed
from serving.composition.layout import Layout, previous
from serving.names import GRAINS, GroupBy, Names
from serving.periods import DAYS_IN, MONTHS_IN, count_of_periods, end_of, months_later, start_of
from serving.query import ComposedQuery, TimeRange
from warehouse.database import quote_identifier
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa

# So many days before, a week lies at the same place of the year, and begins on the same day.
_YEAR_OF_WEEKS = 364


@dataclass(frozen=True)
class Shift:
    """How far apart two ranges are: so many days, or so many months."""

    days: int = 0
    months: int = 0

    def before(self, start: date, end: date) -> TimeRange:
        """The range that lies so far before another one; the one before whole months is of whole months.

        Raises:
            ValueError: There is no such time.
            OverflowError: The same.
        """
        if self.days:
            apart = timedelta(days=self.days)
            return TimeRange(start=start - apart, end=end - apart)
        first, last = months_later(start, -self.months), months_later(end, -self.months)
        return TimeRange(start=first, end=end_of(last, "month") if _is_of_whole_months(start, end) else last)

    @property
    def interval(self) -> str:
        """The same in SQL."""
        return f"interval '{self.days} days'" if self.days else f"interval '{self.months} months'"


@dataclass(frozen=True)
class Comparison:
    """The range that is compared with, and how far before it lies."""

    time_range: TimeRange
    shift: Shift


def comparison_of(query: ComposedQuery, names: Names, time: GroupBy | None) -> Comparison:
    """What a question is compared with.

    Args:
        query: The question, whose range has both ends.
        names: What its metrics can be asked by.
        time: The time that its rows are told by.

    Raises:
        DataInsightError: There is no time before its range.
    """
    start, end = query.time_range.start, query.time_range.end
    if start is None or end is None:
        raise DataInsightError("compare: the time_range has no two ends")
    # The metrics count whole periods of their own time, and so does what they are compared with.
    start, end = start_of(start, names.base_grain), end_of(end, names.base_grain)
    grain = None if time is None else time.grain
    try:
        shift = _shift(query, start, end, grain, names.base_grain)
        return Comparison(shift.before(start, end), shift)
    except (ValueError, OverflowError) as error:
        raise DataInsightError(
            f"time_range.start: the calendar has no range before {start} that is as long", hint="ask for a later range"
        ) from error


def _shift(query: ComposedQuery, start: date, end: date, grain: str | None, base_grain: str) -> Shift:
    if query.compare == "previous_year":
        return Shift(days=_YEAR_OF_WEEKS) if grain == "week" else Shift(months=12)
    if grain is None:
        asked = query.grain or ("month" if _is_of_whole_months(start, end) else "day")
        grain = max(asked, base_grain, key=GRAINS.index)
    count = count_of_periods(start, end, grain)
    if grain in MONTHS_IN:
        return Shift(months=count * MONTHS_IN[grain])
    return Shift(days=count * DAYS_IN[grain])


def compared(join: Join, now: "pa.Table", before: "pa.Table", layout: Layout, shift: Shift) -> "pa.Table":
    """Both answers side by side: a row that only one of them has is there too, and nulls meet nulls.

    Args:
        join: Runs what joins them.
        now: The answer for the range that was asked for.
        before: The answer for the earlier range.
        layout: Their columns.
        shift: How far the ranges are apart.
    """
    metrics = ", ".join(f"{quote_identifier(name)} as {quote_identifier(previous(name))}" for name in layout.metrics)
    keys = {key: quote_identifier(key) for key in layout.keys}
    has_counterpart = "true"
    if layout.time is not None:
        told = f"rows_before.{keys[layout.time.asked]}"
        later = f"cast({told} + {shift.interval} as date)"
        # A year after 29 February there is the 28th, which another day is compared with already.
        has_counterpart = f"cast({later} - {shift.interval} as date) = {told}"
        keys[layout.time.asked] = f"{later} as {keys[layout.time.asked]}"
    selected = ", ".join((*keys.values(), metrics))
    values = ", ".join(f"any_value({quote_identifier(name)}) as {quote_identifier(name)}" for name in layout.values)
    known_by = listed(layout.keys)
    # Each side has one row for each key, and grouping takes nulls for equal, as no join does.
    return join(
        f"select {', '.join(filter(None, (known_by, values)))} from (select * from now_rows union all by name"
        f" select {selected} from rows_before where {has_counterpart})" + (f" group by {known_by}" if known_by else ""),
        {"now_rows": now, "rows_before": before},
    )


def _is_of_whole_months(start: date, end: date) -> bool:
    return start == start_of(start, "month") and end == end_of(end, "month")
