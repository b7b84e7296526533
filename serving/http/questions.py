"""A question about metrics as a URL writes it, for links, spreadsheets and whatever cannot send a body."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import Query

from serving.query import MetricQuery, parse_query
from warehouse.errors import DataInsightError

_OF_MANY = ("in", "not_in")


async def question(
    metrics: Annotated[list[str], Query(description="Metrics, separated by commas or repeated.", min_length=1)],
    group_by: Annotated[list[str] | None, Query(description="What to split them by.")] = None,
    grain: Annotated[str | None, Query(description="day, week, month, quarter or year.")] = None,
    start: Annotated[date | None, Query(description="First day.")] = None,
    end: Annotated[date | None, Query(description="Last day, inclusive.")] = None,
    filters: Annotated[
        list[str] | None,
        Query(
            alias="filter",
            description="A condition, `dimension:op:value`, for `in` and `not_in` with values separated by commas; or"
            " the same JSON as in the body.",
        ),
    ] = None,
    order_by: Annotated[list[str] | None, Query(description="Columns to sort by, `-` for descending.")] = None,
    limit: Annotated[int | None, Query(ge=1, description="At most so many rows.")] = None,
) -> MetricQuery:
    """The question, checked like one in a body.

    Raises:
        DataInsightError: It is none.
    """
    given: dict[str, Any] = {
        "metrics": _names(metrics),
        "group_by": _names(group_by),
        "grain": grain,
        "time_range": {"start": start, "end": end},
        "filters": [_filter(text) for text in filters or ()],
        "order_by": _names(order_by),
        "limit": limit,
    }
    return parse_query({name: value for name, value in given.items() if value is not None})


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
