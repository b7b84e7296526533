"""Questions as they are written in Python, and as the API takes them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NotRequired, TypedDict

Value = str | int | float | bool | date
Grain = Literal["day", "week", "month", "quarter", "year"]
Operator = Literal["in", "not_in", "eq", "ne", "lt", "lte", "gt", "gte", "contains", "is_null", "is_not_null"]


class Filter(TypedDict):
    """Which rows are counted."""

    dimension: str
    op: Operator
    values: NotRequired[Sequence[Value]]


class Top(TypedDict):
    """The largest values of a dimension."""

    dimension: str
    by: str
    n: int
    other: NotRequired[bool]


class Question(TypedDict, total=False):
    """What metrics are asked by; docs/querying.md says what each part means.

    Attributes:
        start: The first day; with `end`, the last one.
        filters: Those of the API, or by dimension the value or values that it may have; None: it has none.
    """

    group_by: Sequence[str]
    grain: Grain
    start: str | date
    end: str | date
    filters: Sequence[Filter] | Mapping[str, Value | Iterable[Value] | None]
    order_by: Sequence[str]
    limit: int
    compare: Literal["previous_period", "previous_year"]
    totals: bool
    fill: Literal["null", "zero"]
    top: Top


class NamedQuestion(Question):
    """A question with its metrics in it."""

    metrics: Sequence[str]


def whole(metrics: Sequence[str], given: Question) -> dict[str, Any]:
    """The question as the API takes it, as JSON values."""
    question: dict[str, Any] = {**given, "metrics": list(metrics)}
    start, end = question.pop("start", None), question.pop("end", None)
    if start is not None or end is not None:
        question["time_range"] = {"start": _day(start), "end": _day(end)}
    filters = question.get("filters")
    if isinstance(filters, Mapping):
        question["filters"] = [_filter(dimension, values) for dimension, values in filters.items()]
    return question


def _filter(dimension: str, values: Any) -> dict[str, Any]:
    """One value or several that a dimension may have; None: it has none."""
    if values is None:
        return {"dimension": dimension, "op": "is_null"}
    many = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    return {"dimension": dimension, "op": "in", "values": [_day(value) for value in many]}


def _day(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
