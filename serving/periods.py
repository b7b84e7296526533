"""The periods of the calendar: where each begins and ends, and which ranges are made of whole ones."""

from collections.abc import Mapping
from datetime import date, timedelta

from serving.names import GRAINS
from serving.query import TimeRange
from warehouse.errors import DataInsightError

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
