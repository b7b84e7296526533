"""A question about metrics as a URL writes it, for links, spreadsheets and whatever cannot send a body."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query

from serving.http.named import NamedMetric
from serving.query import MOST_ROWS, MetricQuery, parse_query, parse_top
from warehouse.errors import DataInsightError

_OF_MANY = ("in", "not_in")


async def _parts(
    group_by: Annotated[
        list[str] | None,
        Query(description="What to split them by, likewise.", examples=[["metric_time,country"]]),
    ] = None,
    grain: Annotated[str | None, Query(description="day, week, month, quarter or year.", examples=["month"])] = None,
    start: Annotated[date | None, Query(description="First day.", examples=["2024-01-01"])] = None,
    end: Annotated[date | None, Query(description="Last day, inclusive.", examples=["2024-12-31"])] = None,
    filters: Annotated[
        list[str] | None,
        Query(
            alias="filter",
            description="A condition, `dimension:op:value`, for `in` and `not_in` with values separated by commas; or"
            " the same JSON as in the body.",
            examples=[["country:in:US,DE"]],
        ),
    ] = None,
    order_by: Annotated[
        list[str] | None, Query(description="Columns to sort by, `-` for descending.", examples=[["-mrr"]])
    ] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=MOST_ROWS, description="At most so many rows.", examples=[1000])
    ] = None,
    compare: Annotated[
        str | None,
        Query(description="previous_period or previous_year: also how it was then.", examples=["previous_year"]),
    ] = None,
    totals: Annotated[bool, Query(description="Also what each metric comes to in all.", examples=[True])] = False,
    fill: Annotated[
        str | None, Query(description="null or zero: every period, also those without rows.", examples=["zero"])
    ] = None,
    top: Annotated[
        str | None,
        Query(
            description="The largest values only, `dimension:metric:number`; with `:other` all others together, too.",
            examples=["country:mrr:5:other"],
        ),
    ] = None,
) -> dict[str, Any]:
    """Everything of a question but its metrics.

    Raises:
        DataInsightError: A part of it is none.
    """
    return {
        "group_by": _names(group_by),
        "grain": grain,
        "time_range": {"start": start, "end": end},
        "filters": [_filter(text) for text in filters or ()],
        "order_by": _names(order_by),
        "limit": limit,
        "compare": compare,
        "totals": totals,
        "fill": fill,
        "top": None if top is None else parse_top(top),
    }


async def question(
    metrics: Annotated[
        list[str],
        Query(description="Metrics, separated by commas or repeated.", min_length=1, examples=[["mrr,arr"]]),
    ],
    parts: Annotated[dict[str, Any], Depends(_parts)],
) -> MetricQuery:
    """The question, checked like one in a body.

    Raises:
        DataInsightError: It is none.
    """
    return _parsed(_names(metrics), parts)


async def question_of(
    metric: NamedMetric,
    parts: Annotated[dict[str, Any], Depends(_parts)],
    metrics: Annotated[
        list[str] | None, Query(description="Further metrics, asked for together with it.", examples=[["arr"]])
    ] = None,
) -> MetricQuery:
    """A question whose first metric the path names.

    Raises:
        DataInsightError: It is none.
    """
    return _parsed([metric, *(name for name in _names(metrics) if name != metric)], parts)


def _parsed(metrics: list[str], parts: dict[str, Any]) -> MetricQuery:
    return parse_query({"metrics": metrics} | {name: value for name, value in parts.items() if value is not None})


def _names(given: Sequence[str] | None) -> list[str]:
    return [name.strip() for text in given or () for name in text.split(",") if name.strip()]


def _filter(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        try:
            whole: dict[str, Any] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise DataInsightError(f"filter {text!r} is no JSON: {error}") from error
        return whole
    dimension, _, rest = text.partition(":")
    operator, has_value, value = rest.partition(":")
    if not dimension or not operator:
        raise DataInsightError(
            f"filter {text!r} is no condition", hint="write dimension:op:value, as country:in:US,DE or plan:is_null"
        )
    values = value.split(",") if operator in _OF_MANY else [value]
    return {"dimension": dimension, "op": operator, "values": values if has_value else []}
