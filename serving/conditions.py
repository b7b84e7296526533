"""The conditions of a query as MetricFlow takes them, with marks in the place of values.

MetricFlow pastes conditions into SQL as they are and renders them as templates first, so no value of a user may be
in them: each is a mark, and the literal takes its place later, on the syntax tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from serving.names import METRIC_TIME, Dimension, Names
from serving.query import Filter, MetricQuery, Operator, Scalar

_TEMPLATES: dict[Operator, str] = {
    "in": "{operand} in ({mark})",
    "not_in": "({operand} not in ({mark}) or {operand} is null)",
    "eq": "{operand} = {mark}",
    "ne": "{operand} is distinct from {mark}",
    "lt": "{operand} < {mark}",
    "lte": "{operand} <= {mark}",
    "gt": "{operand} > {mark}",
    "gte": "{operand} >= {mark}",
    "contains": "contains(lower({operand}), lower({mark}))",
    "is_null": "{operand} is null",
    "is_not_null": "{operand} is not null",
}


@dataclass(frozen=True)
class MarkedValues:
    """The values of a condition, and the mark that holds their place in the statement: one, however many they are.

    Attributes:
        dimension: The dimension they are compared with; None for the metrics' own time.
        of_texts: Whether only texts can be compared so.
    """

    mark: str
    values: tuple[Scalar, ...]
    dimension: Dimension | None
    of_texts: bool = False


@dataclass(frozen=True)
class Conditions:
    """MetricFlow's conditions, and the values that belong in them."""

    where: tuple[str, ...]
    values: tuple[MarkedValues, ...]


def conditions_of(query: MetricQuery, names: Names, *, with_time: bool) -> Conditions:
    """Resolve the filters and, unless MetricFlow is told it otherwise, the time range.

    Raises:
        DataInsightError: A filter names a dimension that these metrics do not have.
    """
    values: list[MarkedValues] = []

    def mark(given: tuple[Scalar, ...], dimension: Dimension | None, *, of_texts: bool = False) -> str:
        values.append(MarkedValues(f"__value_{len(values)}__", given, dimension, of_texts))
        return f"'{values[-1].mark}'"

    def filtered(given: Filter) -> str:
        dimension = names.dimension(given.dimension)
        marked = mark(given.values, dimension, of_texts=given.op == "contains")
        return _TEMPLATES[given.op].format(operand=_operand(dimension), mark=marked)

    def timed() -> Iterator[str]:
        time = f"{{{{ TimeDimension('{METRIC_TIME}', '{names.base_grain}') }}}}"
        if query.time_range.start is not None:
            start = mark((query.time_range.start,), None)
            yield f"{time} >= date_trunc('{names.base_grain}', cast({start} as date))"
        if query.time_range.end is not None:
            yield f"{time} <= cast({mark((query.time_range.end,), None)} as date)"

    where = (*(filtered(one) for one in query.filters), *(timed() if with_time else ()))
    return Conditions(where, tuple(values))


def _operand(dimension: Dimension) -> str:
    if dimension.kind == "time":
        return f"{{{{ TimeDimension('{dimension.defined_name}', '{dimension.grain}') }}}}"
    kind = "Entity" if dimension.kind == "entity" else "Dimension"
    return f"{{{{ {kind}('{dimension.defined_name}') }}}}"
