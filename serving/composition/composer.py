"""From a composed question to its answer: which plain questions it is made of, and in which order they are joined."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from serving.composition.choosing import Choice, choose, rows_of_choice
from serving.composition.comparing import Comparison, compared, comparison_of
from serving.composition.filling import filled
from serving.composition.finishing import finished
from serving.composition.joining import Ask, Join
from serving.composition.layout import Layout, layout_of
from serving.names import Names
from serving.query import ComposedQuery, MetricQuery, TimeRange

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Composed:
    """The answer to a composed question.

    Attributes:
        totals: One row with what the metrics come to in all; None when that was not asked for.
    """

    table: "pa.Table"
    totals: "pa.Table | None"


class Composer:
    """Answers composed questions by plain ones, all of them on one snapshot.

    Args:
        names: What the metrics of the question can be asked by.
        ask: Answers a plain question.
        join: Runs a statement over tables in memory.
        most_rows: How many rows an answer may have.
    """

    def __init__(self, names: Names, ask: Ask, join: Join, most_rows: int) -> None:
        self._names = names
        self._ask = ask
        self._join = join
        self._most_rows = most_rows

    def compose(self, query: ComposedQuery) -> Composed:
        """The answer.

        Raises:
            DataInsightError: The question names something that does not exist, or its parts do not go together.
        """
        layout = layout_of(query, self._names)
        comparison = comparison_of(query, self._names, layout.time) if query.compare else None
        table = self._rows(query, layout, comparison)
        return Composed(table, self._totals(query, layout, comparison) if query.totals else None)

    def _rows(self, query: ComposedQuery, layout: Layout, comparison: Comparison | None) -> "pa.Table":
        if not (query.compare or query.fill or query.top):
            return self._ask(query.plain)
        everything = query.plain.model_copy(update={"order_by": (), "limit": None})
        choice = choose(self._ask, everything, query.top) if query.top else None
        table = self._of_range(everything, query.time_range, choice)
        if comparison is not None:
            before = self._of_range(everything, comparison.time_range, choice)
            table = compared(self._join, table, before, layout, comparison.shift)
        if query.fill:
            table = filled(self._join, table, layout, query, self._most_rows)
        return finished(self._join, table, layout, query)

    def _of_range(self, query: MetricQuery, time_range: TimeRange, choice: Choice | None) -> "pa.Table":
        asked = query.model_copy(update={"time_range": time_range})
        return self._ask(asked) if choice is None else rows_of_choice(self._ask, asked, choice)

    def _totals(self, query: ComposedQuery, layout: Layout, comparison: Comparison | None) -> "pa.Table":
        """The same question without what it is split by: right for whatever cannot be added up."""
        whole = query.plain.model_copy(update={"group_by": (), "grain": None, "order_by": (), "limit": None})
        table = self._ask(whole)
        if comparison is None:
            return table
        of_all = replace(layout, keys=(), time=None)
        before = self._ask(whole.model_copy(update={"time_range": comparison.time_range}))
        table = compared(self._join, table, before, of_all, comparison.shift)
        in_all = query.model_copy(update={"order_by": (), "limit": None})
        return finished(self._join, table, of_all, in_all)
