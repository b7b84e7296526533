"""The question: which metrics, by what, when, of which rows, in which order. Its JSON shape is the API's."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from warehouse.errors import DataInsightError

# How much a question may hold: it is checked and compiled before anybody knows what it asks for.
_MOST_NAMES = 50
_MOST_FILTERS = 50
_MOST_VALUES = 10_000
MOST_ROWS = 1_000_000_000

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Scalar = bool | int | float | date | datetime | Annotated[str, StringConstraints(max_length=1_000)]
Operator = Literal["in", "not_in", "eq", "ne", "lt", "lte", "gt", "gte", "contains", "is_null", "is_not_null"]
Grain = Literal["day", "week", "month", "quarter", "year"]

WITHOUT_VALUE = ("is_null", "is_not_null")
_WITH_MANY_VALUES = ("in", "not_in")

_TOP = re.compile(r"([^:]+):([^:]+):(\d{1,9})(:other)?", flags=re.ASCII)


class TimeRange(BaseModel):
    """Days from `start` to `end`, both included; either may be left open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: date | None = None
    end: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"ends on {self.end}, before it starts on {self.start}")
        return self


class Filter(BaseModel):
    """A condition on one dimension; all filters of a query must hold.

    `in` and `not_in` take one value or more, `is_null` and `is_not_null` none, every other operator one. A row
    without a value meets `is_null` and `not_in` and `ne`, and no other condition.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimension: Name
    op: Operator
    values: tuple[Scalar, ...] = Field(default=(), max_length=_MOST_VALUES)

    @model_validator(mode="after")
    def _has_its_values(self) -> Self:
        count = len(self.values)
        if self.op in WITHOUT_VALUE and count:
            raise ValueError(f"`{self.op}` takes no values")
        if self.op in _WITH_MANY_VALUES and not count:
            raise ValueError(f"`{self.op}` needs at least one value")
        if self.op not in (*WITHOUT_VALUE, *_WITH_MANY_VALUES) and count != 1:
            raise ValueError(f"`{self.op}` takes one value, not {count}")
        return self


class MetricQuery(BaseModel):
    """A question about metrics.

    Attributes:
        group_by: Dimensions, by full name (`organization__country`), by a short name that is not ambiguous
            (`country`), or by entity (`plan` is its name, `organization` its id); `metric_time` is the metrics'
            own time.
        grain: How fine `metric_time` is; unset, as fine as the metrics are.
        order_by: Metrics or names of `group_by`, descending with a leading `-`; unset, by `group_by`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metrics: tuple[Name, ...] = Field(min_length=1, max_length=_MOST_NAMES)
    group_by: tuple[Name, ...] = Field(default=(), max_length=_MOST_NAMES)
    grain: Grain | None = None
    time_range: TimeRange = TimeRange()
    filters: tuple[Filter, ...] = Field(default=(), max_length=_MOST_FILTERS)
    order_by: tuple[Name, ...] = Field(default=(), max_length=2 * _MOST_NAMES)
    limit: int | None = Field(default=None, ge=1, le=MOST_ROWS)

    @model_validator(mode="after")
    def _without_repetition(self) -> Self:
        for name, given in (("metrics", self.metrics), ("group_by", self.group_by)):
            repeated = sorted(one for one, times in Counter(given).items() if times > 1)
            if repeated:
                raise ValueError(f"{name} names {repeated[0]} twice")
        values = sum(len(one.values) for one in self.filters)
        if values > _MOST_VALUES:
            raise ValueError(f"its filters have {values:,} values together; {_MOST_VALUES:,} are allowed")
        return self


class Top(BaseModel):
    """Only the largest values of one dimension.

    Attributes:
        dimension: One of `group_by`, by the name it has there.
        by: The metric that says how large a value is, over the whole time range.
        n: How many values.
        other: Whether all other values are told too, together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimension: Name
    by: Name
    n: int = Field(ge=1, le=1_000)
    other: bool = False


class ComposedQuery(MetricQuery):
    """A question with parts that no single statement answers.

    Attributes:
        compare: Tells each metric also as it was before: in as long a range, or in the year before.
        totals: Tells what each metric comes to in all, whatever it is split by.
        fill: Tells every period, those without rows with nulls or with zeros.
        top: Tells the largest values of a dimension only.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "metrics": ["mrr"],
                    "group_by": ["metric_time", "organization__industry"],
                    "grain": "month",
                    "time_range": {"start": "2024-01-01", "end": "2024-12-31"},
                    "filters": [{"dimension": "organization__country", "op": "in", "values": ["US", "DE"]}],
                    "order_by": ["-mrr"],
                    "limit": 1000,
                    "compare": "previous_year",
                    "totals": True,
                }
            ]
        }
    )

    compare: Literal["previous_period", "previous_year"] | None = None
    totals: bool = False
    fill: Literal["null", "zero"] | None = None
    top: Top | None = None

    @model_validator(mode="after")
    def _of_parts_that_fit(self) -> Self:
        if self.compare and (self.time_range.start is None or self.time_range.end is None):
            raise ValueError("compare needs a time_range with a start and an end, to know what lies before it")
        if self.top is not None:
            for part, name, allowed in (
                ("dimension", self.top.dimension, self.group_by),
                ("by", self.top.by, self.metrics),
            ):
                if name not in allowed:
                    raise ValueError(
                        f"top.{part} is {name!r}; allowed, since they are asked for: {', '.join(allowed) or 'none'}"
                    )
        return self

    @property
    def plain(self) -> MetricQuery:
        """The question without those parts."""
        return MetricQuery.model_construct(**{name: getattr(self, name) for name in MetricQuery.model_fields})

    @property
    def simplest(self) -> MetricQuery:
        """The question itself, or a plain one that asks the same."""
        is_composed = self.compare or self.totals or self.fill or self.top
        return self if is_composed else self.plain


def parse_top(text: str) -> dict[str, Any]:
    """The part `top` as links and commands write it: `country:mrr:5`, or `country:mrr:5:other`.

    Raises:
        DataInsightError: It is none.
    """
    found = _TOP.fullmatch(text)
    if found is None:
        raise DataInsightError(
            f"top {text!r} is not dimension:metric:number",
            hint="write country:mrr:5, or country:mrr:5:other to have all others together, too",
        )
    return {"dimension": found[1], "by": found[2], "n": int(found[3]), "other": found[4] is not None}


def parse_query(given: Mapping[str, Any]) -> MetricQuery:
    """A query from its JSON shape.

    Raises:
        DataInsightError: It is no query; the message names the part and what is allowed.
    """
    try:
        return ComposedQuery.model_validate(given).simplest
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:3]) or "the query"
        raise DataInsightError(
            f"{where}: {first['msg'].removeprefix('Value error, ')}",
            hint=f"a query has {', '.join(ComposedQuery.model_fields)}; docs/querying.md explains each",
        ) from error
