"""The periods of the calendar: where each begins and ends, and which ranges are made of whole ones."""

from collections.abc import Mapping
from datetime import date, timedelta

from serving.names import GRAINS
from serving.query import TimeRange
from warehouse.errors import DataInsightError

# What a period is made of: always as many days, or as many months of different lengths.
DAYS_IN = {"day": 1, "week": 7}
MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}

_MOST_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


def start_of(day: date, grain: str) -> date:
    """The first day of the period a day is in."""
    match grain:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            return day


def end_of(day: date, grain: str) -> date:
    """The last day of the period a day is in, as far as there are dates."""
    try:
        following = start_of(day, grain) + timedelta(days=_MOST_DAYS[grain])
    except OverflowError:
        return date.max
    return start_of(following, grain) - timedelta(days=1)


def count_of_periods(start: date, end: date, grain: str) -> int:
    """How many periods the days from `start` to `end` lie in, both included."""
    first, last = start_of(start, grain), start_of(end, grain)
    if grain in DAYS_IN:
        return (last - first).days // DAYS_IN[grain] + 1
    return ((last.year - first.year) * 12 + last.month - first.month) // MONTHS_IN[grain] + 1


def months_later(day: date, months: int) -> date:
    """The same day of a month so many months later, or that month's last one where it has no such day.

    Raises:
        ValueError: The calendar does not reach so far.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = end_of(date(year, month + 1, 1), "month")
    return last.replace(day=min(day.day, last.day))


def require_whole_periods(time_range: TimeRange, grains: Mapping[str, str]) -> None:
    """Refuse a range that would count other days of a metric when it is asked for with others than when alone.

    Together, metrics are held against a range by the coarsest of their own times.

    Args:
        time_range: What was asked for.
        grains: How fine each metric's own time is.

    Raises:
        DataInsightError: The range begins or ends inside a period of the coarsest time, and some metric's is finer.
    """
    finest = min(grains, key=lambda metric: GRAINS.index(grains[metric]))
    coarsest = max(grains, key=lambda metric: GRAINS.index(grains[metric]))
    grain = grains[coarsest]
    if grain == grains[finest]:
        return
    for side, verb, day, border in (
        ("start", "starts", time_range.start, start_of),
        ("end", "ends", time_range.end, end_of),
    ):
        if day is not None and day != (whole := border(day, grain)):
            raise DataInsightError(
                f"time_range.{side}: {day} cuts a {grain}, and {finest}, told by the {grains[finest]}, can be asked"
                f" together with {coarsest}, told by the {grain}, for whole {grain}s only",
                hint=f"a range that {verb} on {whole}, or one question for each of them",
            )
