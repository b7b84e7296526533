"""The columns of a composed answer: what its rows are known by, and what is told of them."""

from dataclasses import dataclass

from serving.names import METRIC_TIME, GroupBy, Names
from serving.query import ComposedQuery
from warehouse.errors import DataInsightError


@dataclass(frozen=True)
class Layout:
    """The columns of a composed answer.

    Attributes:
        keys: What its rows are known by, in the order of the answer.
        metrics: The metrics that were asked for.
        time: The one of the keys that is the metrics' own time; None when rows are of no time.
        is_compared: Whether each metric has `<metric>__previous` and `<metric>__change` beside it.
    """

    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    time: GroupBy | None
    is_compared: bool

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that hold numbers of the metrics."""
        before = tuple(previous(metric) for metric in self.metrics) if self.is_compared else ()
        return self.metrics + before

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the answer, in order."""
        beside = (
            (metric, previous(metric), change(metric)) if self.is_compared else (metric,) for metric in self.metrics
        )
        return self.keys + tuple(column for columns in beside for column in columns)


def layout_of(query: ComposedQuery, names: Names) -> Layout:
    """The columns of a question's answer.

    Raises:
        DataInsightError: It names what does not exist, or its rows must be of one time and are of none or of two.
    """
    group_by = [names.group_by(asked, query.grain) for asked in query.group_by]
    times = [one for one in group_by if one.dimension is None]
    part = "fill" if query.fill else "compare" if query.compare else None
    if part is not None and len(times) > 1:
        raise DataInsightError(
            f"{part}: the rows are told by {' and '.join(one.asked for one in times)}; it takes one time",
            hint="leave one of them out of group_by",
        )
    if query.fill and not times:
        raise DataInsightError(
            f"fill: there is no {METRIC_TIME} in group_by, so there are no periods to fill",
            hint=f"add {METRIC_TIME} to group_by, or leave out fill",
        )
    keys: list[str] = []
    for one in group_by:
        keys.append(one.asked)
        if query.top is not None and query.top.dimension == one.asked:
            _require_no_time(one)
            if query.top.other:
                keys.append(is_other(one.asked))
    return Layout(tuple(keys), query.metrics, times[0] if times else None, query.compare is not None)


def _require_no_time(one: GroupBy) -> None:
    if one.grain is not None:
        raise DataInsightError(
            f"top.dimension: {one.asked} is a time, which has no largest values",
            hint="order_by and limit give the periods with the largest values",
        )


def previous(metric: str) -> str:
    """The column with a metric's value in the range that is compared with."""
    return f"{metric}__previous"


def change(metric: str) -> str:
    """The column with the change of a metric since then."""
    return f"{metric}__change"


def is_other(dimension: str) -> str:
    """The column that says whether a row is of all values of a dimension but the largest."""
    return f"{dimension}__is_other"
