"""The conditions of a query as MetricFlow takes them, with marks in the place of values.

MetricFlow pastes conditions into SQL as they are and renders them as templates first, so no value of a user may be
in them: each is a mark, and the literal takes its place later, on the syntax tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from serving.names import METRIC_TIME, Dimension, Names
from serving.query import Filter, MetricQuery, Operator, Scalar

_TEMPLATES: dict[Operator, str] = {
    "in": "{operand} in ({marks})",
    "not_in": "({operand} not in ({marks}) or {operand} is null)",
    "eq": "{operand} = {marks}",
    "ne": "{operand} is distinct from {marks}",
    "lt": "{operand} < {marks}",
    "lte": "{operand} <= {marks}",
    "gt": "{operand} > {marks}",
    "gte": "{operand} >= {marks}",
    "contains": "contains(lower({operand}), lower({marks}))",
    "is_null": "{operand} is null",
    "is_not_null": "{operand} is not null",
}


@dataclass(frozen=True)
class MarkedValue:
    """A value, and the mark that holds its place in the statement.

    Attributes:
        dimension: The dimension it is compared with; None for the metrics' own time.
    """

    mark: str
    value: Scalar
    dimension: Dimension | None


@dataclass(frozen=True)
class Conditions:
    """MetricFlow's conditions, and the values that belong in them."""

    where: tuple[str, ...]
    values: tuple[MarkedValue, ...]


def conditions_of(query: MetricQuery, names: Names, *, with_time: bool) -> Conditions:
    """Resolve the filters and, unless MetricFlow is told it otherwise, the time range.

    Raises:
        DataInsightError: A filter names a dimension that these metrics do not have.
    """
    values: list[MarkedValue] = []

    def mark(value: Scalar, dimension: Dimension | None) -> str:
        values.append(MarkedValue(f"__value_{len(values)}__", value, dimension))
        return f"'{values[-1].mark}'"

    def filtered(given: Filter) -> str:
        dimension = names.dimension(given.dimension)
        marks = ", ".join(mark(value, dimension) for value in given.values)
        return _TEMPLATES[given.op].format(operand=_operand(dimension), marks=marks)

    def timed() -> Iterator[str]:
        time = f"{{{{ TimeDimension('{METRIC_TIME}', '{names.base_grain}') }}}}"
        if query.time_range.start is not None:
            start = mark(query.time_range.start, None)
            yield f"{time} >= date_trunc('{names.base_grain}', cast({start} as date))"
        if query.time_range.end is not None:
            yield f"{time} <= cast({mark(query.time_range.end, None)} as date)"

    where = (*(filtered(one) for one in query.filters), *(timed() if with_time else ()))
    return Conditions(where, tuple(values))


def _operand(dimension: Dimension) -> str:
    if dimension.kind == "time":
        return f"{{{{ TimeDimension('{dimension.defined_name}', '{dimension.grain}') }}}}"
    kind = "Entity" if dimension.kind == "entity" else "Dimension"
    return f"{{{{ {kind}('{dimension.defined_name}') }}}}"
