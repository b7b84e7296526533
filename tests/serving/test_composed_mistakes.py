"""Composed questions that cannot be answered: what is wrong with them is said in one line."""

from typing import Any

import pytest

from serving.query import parse_top
from tests.serving.conftest import Asking, Store
from warehouse.errors import DataInsightError

MAY_TO_JULY: dict[str, Any] = {"time_range": {"start": "2023-05-01", "end": "2023-07-31"}}
BY_MONTH: dict[str, Any] = {"group_by": ["metric_time"], "grain": "month"}
TOP: dict[str, Any] = {"dimension": "organization", "by": "mrr", "n": 1}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"compare": "previous_period"}, "compare needs a time_range with a start and an end"),
        ({"compare": "previous_year", "time_range": {"start": "2024-01-01"}}, "compare needs a time_range"),
        ({"compare": "last_week", **MAY_TO_JULY}, "compare: "),
        ({"compare": "previous_period", "time_range": {"start": "0001-01-01", "end": "0001-12-31"}}, "no range before"),
        ({"compare": "previous_year", "time_range": {"start": "0001-01-01", "end": "9999-12-31"}}, "no range before"),
        ({"fill": "zero"}, "no metric_time in group_by"),
        ({"fill": "none", **BY_MONTH}, "fill: "),
        ({"fill": "null", "group_by": ["metric_time__month", "metric_time__year"]}, "it takes one time"),
        (
            {"compare": "previous_year", "group_by": ["metric_time__month", "metric_time__year"], **MAY_TO_JULY},
            "compare: the rows are told by metric_time__month and metric_time__year",
        ),
        ({"top": TOP}, "top.dimension is 'organization'; allowed, since they are asked for: none"),
        ({"top": {**TOP, "by": "arr"}, "group_by": ["organization"]}, "top.by is 'arr'"),
        ({"top": {**TOP, "n": 0}, "group_by": ["organization"]}, "top.n: "),
        ({"top": {**TOP, "m": 1}, "group_by": ["organization"]}, "top.m: "),
        ({"top": {**TOP, "dimension": "metric_time"}, **BY_MONTH}, "metric_time is a time"),
        ({"totals": "perhaps"}, "totals: "),
        (
            {**MAY_TO_JULY, "compare": "previous_year", "order_by": ["mrr__chance"]},
            "no column to order by 'mrr__chance'",
        ),
        ({"order_by": ["mrr__change"]}, "no column to order by 'mrr__change'"),
        ({"totals": True, "order_by": ["mrr__change"]}, "no column to order by 'mrr__change'"),
        ({"fill": "null", **BY_MONTH, "group_by": ["metric_time", "planet"]}, "no dimension 'planet'"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_allowed(reader: Asking, query: dict[str, Any], message: str) -> None:
    with pytest.raises(DataInsightError) as raised:
        reader.rows("mrr", **query)
    assert message in raised.value.message
    assert "\n" not in raised.value.message


def test_filled_rows_count_as_rows(published: Store) -> None:
    from serving.metrics import Metrics

    few = Asking(Metrics(published.settings.model_copy(update={"query_rows": 20}), published.warehouse))
    try:
        assert len(few.rows("churn_events", **BY_MONTH, fill="null")) == 12
        with pytest.raises(DataInsightError, match="fill: the answer would have 120 rows, more than 20"):
            few.rows("churn_events", **BY_MONTH, fill="null", time_range={"start": "2020-01-01", "end": "2029-12-31"})
        with pytest.raises(DataInsightError, match="more than 20 rows"):
            few.rows("churn_events", "user_actions", group_by=["metric_time"], grain="day")
    finally:
        few.metrics.close()


def test_top_as_a_text() -> None:
    assert parse_top("country:mrr:5") == {"dimension": "country", "by": "mrr", "n": 5, "other": False}
    assert parse_top("country:mrr:5:other")["other"] is True
    for text in ("country", "country:mrr", "country:mrr:five", "country:mrr:5:others", "::5", "", "a:b:٣"):
        with pytest.raises(DataInsightError, match="is not dimension:metric:number"):
            parse_top(text)
