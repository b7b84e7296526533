"""From a question to one DuckDB statement: MetricFlow makes the SQL, the syntax tree takes values and tenant filter."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.catalog import Catalog
from serving.conditions import Conditions, MarkedValues, conditions_of
from serving.literals import date_literal, literal
from serving.marts import SCHEMA
from serving.names import Dimension, GroupBy, unknown
from serving.periods import require_whole_periods
from serving.pruning import Days, Pruning
from serving.query import MetricQuery
from serving.simplify import simplify
from serving.tenancy import marts_of, parse_statement, restrict
from warehouse.errors import DataInsightError
from warehouse.policy import Policy

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

_KEPT_STATEMENTS = 512


@dataclass(frozen=True)
class Place:
    """Where a statement will run.

    Attributes:
        organization: Whose rows it reads; None reads everybody's.
        relation: Where the rows of some days of a mart are.
        time_columns: The time column of each mart that has one.
        schema_of: The columns of a mart.
        type_of: The type of a dimension's values.
    """

    organization: str | None
    relation: "Callable[[str, Days], exp.Table]"
    time_columns: dict[str, str | None]
    schema_of: "Callable[[str], pa.Schema]"
    type_of: Callable[[Dimension], str]


@dataclass(frozen=True)
class Statement:
    """What runs, and the marts it reads."""

    sql: str
    marts: frozenset[str]


class Compiler:
    """Makes statements; what MetricFlow made is kept, whatever the values and whoever asks.

    Args:
        catalog: The metrics.
        policy: Whose the rows of each mart are.
    """

    def __init__(self, catalog: Catalog, policy: Policy) -> None:
        self._catalog = catalog
        self._policy = policy
        self._lock = threading.Lock()
        self._made: OrderedDict[Hashable, exp.Query] = OrderedDict()

    def compile(self, query: MetricQuery, place: Place, most_rows: int | None = None) -> Statement:
        """The statement that answers a question, with no more rows than that.

        Raises:
            DataInsightError: The question names something that does not exist, or a value of the wrong type, or its
                range cuts a period of one of its metrics.
        """
        from sqlglot import exp

        names = self._catalog.names(query.metrics)
        require_whole_periods(
            query.time_range, {metric: self._catalog.names([metric]).base_grain for metric in query.metrics}
        )
        windowed = any(self._catalog.metric(name).is_windowed for name in query.metrics)
        group_by = [names.group_by(asked, query.grain) for asked in query.group_by]
        conditions = conditions_of(query, names, with_time=not windowed)
        tree = self._metricflow(query, group_by, conditions, windowed=windowed)
        literals = {marked.mark: _literals(marked, place) for marked in conditions.values}
        for text in list(tree.find_all(exp.Literal)):
            if text.is_string and text.this in literals:
                made = [one.copy() for one in literals[text.this]]
                # Several stand in a list alone; in the place of anything else a list would be ignored.
                text.replace(made if len(made) > 1 else made[0])
        simplify(tree, place.schema_of)
        marts = frozenset(mart for _, mart in marts_of(tree))
        pruning = Pruning(query.time_range, names.base_grain, {} if windowed else place.time_columns)
        restrict(tree, self._policy, place.organization, place.relation, pruning)
        ordered = _ordered(tree, query, group_by)
        limits = [limit for limit in (query.limit, most_rows) if limit is not None]
        if limits:
            ordered = ordered.limit(min(limits), copy=False)
        return Statement(ordered.sql(dialect="duckdb", comments=False), marts)

    def shown(self, query: MetricQuery, place: Place) -> Statement:
        """The same for somebody to read; which columns are hidden from them it does not say.

        Raises:
            DataInsightError: As for one that runs.
        """
        from sqlglot import exp

        statement = self.compile(query, place)
        tree = parse_statement(statement.sql)
        for star in tree.find_all(exp.Star):
            star.set("except_", None)
        return Statement(tree.sql(dialect="duckdb", pretty=True), statement.marts)

    def _metricflow(
        self, query: MetricQuery, group_by: list[GroupBy], conditions: Conditions, *, windowed: bool
    ) -> "exp.Query":
        """A copy of the statement of everything but the values, ours to change."""
        between = (query.time_range.start, query.time_range.end) if windowed else (None, None)
        columns = tuple(one.column for one in group_by)
        shape = (query.metrics, columns, conditions.where, between)
        with self._lock:
            made = self._made.get(shape)
        if made is None:
            made = parse_statement(self._catalog.sql(query.metrics, columns, conditions.where, between))
        with self._lock:
            self._made[shape] = made
            self._made.move_to_end(shape)
            if len(self._made) > _KEPT_STATEMENTS:
                self._made.popitem(last=False)
        return made.copy()


def _literals(marked: MarkedValues, place: Place) -> "list[exp.Expr]":
    """The values of a condition as the statement writes them.

    Raises:
        DataInsightError: One is of another type than the dimension, or cannot be compared with it so.
    """
    if marked.dimension is None:
        return [date_literal(value) for value in marked.values]
    kind, name = place.type_of(marked.dimension), marked.dimension.name
    if marked.of_texts and kind != "string":
        raise DataInsightError(f"filter on {name}: `contains` looks into texts, and {name} is a {kind}")
    return [literal(value, kind, name) for value in marked.values]


def shown_mart(mart: str, _days: Days) -> "exp.Table":
    """Where the rows of a mart are, for somebody to read."""
    from sqlglot import exp

    return exp.table_(mart, db=SCHEMA)


def _ordered(tree: "exp.Query", query: MetricQuery, group_by: list[GroupBy]) -> "exp.Select":
    """The statement with the columns, names and order that were asked for."""
    from sqlglot import exp

    def column(one: GroupBy) -> "exp.Expr":
        made = exp.column(one.column, "answer", quoted=True)
        return exp.cast(made, "date") if one.grain else made

    columns: dict[str, exp.Expr] = {one.asked: column(one) for one in group_by}
    columns |= {metric: exp.column(metric, "answer", quoted=True) for metric in query.metrics}
    order: dict[str, bool] = {}
    for given in query.order_by:
        name = given.removeprefix("-")
        if name not in columns:
            raise unknown("column to order by", name, columns.keys())
        order.setdefault(name, given.startswith("-"))
    # The rest of the key makes the order complete, so that equal questions have equal answers.
    for one in group_by:
        order.setdefault(one.asked, False)
    selection = exp.select(*(exp.alias_(made, name, quoted=True) for name, made in columns.items())).from_(
        tree.subquery("answer", copy=False), copy=False
    )
    if order:
        selection.order_by(
            *(
                exp.Ordered(this=exp.column(name, quoted=True), desc=descending, nulls_first=False)
                for name, descending in order.items()
            ),
            copy=False,
        )
    return selection
