"""Which part of a mart a time range can concern, said on the mart's own time column so that DuckDB can skip the rest.

MetricFlow compares `date_trunc(…)` of the time with the range, which no file and no row group can be told by.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from serving.names import METRIC_TIME
from serving.periods import end_of, start_of
from serving.query import TimeRange

if TYPE_CHECKING:
    from sqlglot import exp


class Days(NamedTuple):
    """From a first day to the one before another; None: without that end."""

    first: date | None = None
    before: date | None = None


EVERY_DAY = Days()


@dataclass(frozen=True)
class Pruning:
    """The days that can matter to a query.

    Attributes:
        time_range: What was asked for.
        grain: How fine the metrics' time is; the range reaches to the bounds of its periods.
        time_columns: The time column of each mart that has one.
    """

    time_range: TimeRange
    grain: str
    time_columns: dict[str, str | None]

    def days(self, table: "exp.Table") -> Days:
        """The days that matter in one place where a mart is read; all where its time may not be the metrics' time.

        It is, where the mart leads a selection that takes `metric_time` from the mart's own time column: whatever is
        counted there is held against the time range afterwards.
        """
        from sqlglot import exp

        column = self.time_columns.get(table.name)
        selection = table.find_ancestor(exp.Select)
        if column is None or selection is None or not self._leads(table, selection, column):
            return EVERY_DAY
        start, end = self.time_range.start, self.time_range.end
        last = date.max if end is None else end_of(end, self.grain)
        # A time may be a moment of the last day, so it is held against the day after; the last day of all has none.
        return Days(
            None if start is None else start_of(start, self.grain),
            None if last == date.max else last + timedelta(days=1),
        )

    def condition(self, mart: str, days: Days) -> "list[exp.Expr]":
        """Conditions that keep these days of a mart; none for every day."""
        from sqlglot import exp

        column = self.time_columns.get(mart)
        if column is None:
            return []
        time = exp.column(column, quoted=True)
        found: list[exp.Expr] = []
        if days.first is not None:
            found.append(time >= _day(days.first))
        if days.before is not None:
            found.append(time < _day(days.before))
        return found

    def _leads(self, table: "exp.Table", selection: "exp.Select", column: str) -> bool:
        from sqlglot import exp

        source = selection.args.get("from_")
        if source is None or source.this is not table:
            return False
        return any(
            isinstance(made, exp.Alias)
            and made.alias.startswith(f"{METRIC_TIME}__")
            and [found.name for found in made.find_all(exp.Column)] == [column]
            and all(found.table in ("", table.alias) for found in made.find_all(exp.Column))
            for made in selection.expressions
        )


def _day(day: date) -> "exp.Expr":
    from serving.literals import date_literal

    return date_literal(day)
