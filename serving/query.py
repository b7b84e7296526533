"""The question: which metrics, by what, when, of which rows, in which order. Its JSON shape is the API's."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from warehouse.errors import DataInsightError

Scalar = bool | int | float | date | datetime | str
Operator = Literal["in", "not_in", "eq", "ne", "lt", "lte", "gt", "gte", "contains", "is_null", "is_not_null"]
Grain = Literal["day", "week", "month", "quarter", "year"]

WITHOUT_VALUE = ("is_null", "is_not_null")
_WITH_MANY_VALUES = ("in", "not_in")


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

    `in` and `not_in` take any number of values, `is_null` and `is_not_null` none, every other operator one. A row
    without a value meets `is_null` and `not_in` and `ne`, and no other condition.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimension: str
    op: Operator
    values: tuple[Scalar, ...] = ()

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

    metrics: tuple[str, ...] = Field(min_length=1)
    group_by: tuple[str, ...] = ()
    grain: Grain | None = None
    time_range: TimeRange = TimeRange()
    filters: tuple[Filter, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _without_repetition(self) -> Self:
        for name, given in (("metrics", self.metrics), ("group_by", self.group_by)):
            repeated = sorted({one for one in given if given.count(one) > 1})
            if repeated:
                raise ValueError(f"{name} names {repeated[0]} twice")
        return self


def parse_query(given: Mapping[str, Any]) -> MetricQuery:
    """A query from its JSON shape.

    Raises:
        DataInsightError: It is no query; the message names the part and what is allowed.
    """
    try:
        return MetricQuery.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:3]) or "the query"
        raise DataInsightError(
            f"{where}: {first['msg'].removeprefix('Value error, ')}",
            hint=f"a query has {', '.join(MetricQuery.model_fields)}; docs/querying.md explains each",
        ) from error
