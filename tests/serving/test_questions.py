"""How metrics may be asked for: names, dimensions, filters, and what is said of a mistake."""

from typing import Any

import pytest

from tests.serving.conftest import Asking
from warehouse.errors import DataInsightError


def test_the_time_is_offered_to_split_by_and_not_to_filter_on(reader: Asking) -> None:
    with pytest.raises(DataInsightError) as raised:
        reader.rows("mrr", group_by=["no"])
    assert "metric_time" in (raised.value.hint or "")
    with pytest.raises(DataInsightError) as raised:
        reader.rows("mrr", filters=[{"dimension": "no", "op": "is_null"}])
    assert "metric_time" not in (raised.value.hint or "")


def test_short_names_full_names_and_entities(reader: Asking) -> None:
    by_country = [["DE", 200.5], ["US", 100.0]]
    for name in ("country", "organization__country"):
        answer = reader.answer("mrr", group_by=[name])
        assert answer["rows"] == by_country
        assert [column["name"] for column in answer["columns"]] == [name, "mrr"]
    assert reader.rows("mrr", group_by=["plan"]) == [["Basic", 60.0], ["Pro", 240.5]]
    assert reader.rows("mrr", group_by=["organization"]) == [["acme", 100.0], ["bolt", 200.5], ["crow", 0.0]]
    assert [row[0] for row in reader.rows("mrr", group_by=["organization__name"])][:2] == ["Acme", "Bolt"]
    assert reader.rows("churn_events", group_by=["reason"]) == [["pricing", 1], ["support", 1], [None, 1]]


@pytest.mark.parametrize(
    ("query", "message", "hint"),
    [
        ({"metrics": ["mrrr"]}, "no metric 'mrrr'", "did you mean mrr?"),
        ({"metrics": ["mrr"], "group_by": ["contry"]}, "no dimension 'contry' of mrr", "organization__country?"),
        ({"metrics": ["mrr"], "group_by": ["reason"]}, "no dimension 'reason' of mrr", "allowed: "),
        ({"metrics": ["mrr"], "group_by": ["name"]}, "organization__name or plan__name", "full name"),
        ({"metrics": ["mrr"], "group_by": ["metric_time"], "grain": "day"}, "allowed are month, quarter", None),
        ({"metrics": ["mrr"], "group_by": ["metric_time"], "grain": "hour"}, "grain: ", "a query has"),
        ({"metrics": ["mrr"], "group_by": ["country", "country"]}, "country twice", None),
        ({"metrics": ["mrr"], "order_by": ["-country"]}, "no column to order by 'country'", "allowed: mrr"),
        ({"metrics": []}, "metrics: ", None),
        ({"metrics": ["mrr"], "limit": 0}, "limit: ", None),
        ({"metrics": ["mrr"], "by": ["country"]}, "by: ", None),
        ({"metrics": ["mrr"], "time_range": {"start": "yesterday"}}, "time_range.start: ", None),
        ({"metrics": ["mrr"], "time_range": {"start": "2024-02-01", "end": "2024-01-01"}}, "before it", None),
        ({"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "like", "values": ["x"]}]}, "op", None),
        ({"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "eq", "values": []}]}, "one value", None),
        ({"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "in"}]}, "at least one", None),
        ({"metrics": ["mrr"], "filters": [{"dimension": "no", "op": "is_null"}]}, "no dimension 'no'", None),
        ({"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "eq", "values": [5]}]}, "no string", None),
        (
            {"metrics": ["feature_uses"], "filters": [{"dimension": "is_beta", "op": "eq", "values": ["maybe"]}]},
            "'maybe' is no boolean, and usage__is_beta is one",
            "true or false",
        ),
        (
            {
                "metrics": ["feature_uses"],
                "filters": [{"dimension": "usage_date", "op": "lt", "values": ["31.12.2024"]}],
            },
            "is no date",
            "2024-12-31",
        ),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_allowed(
    reader: Asking, query: dict[str, Any], message: str, hint: str | None
) -> None:
    with pytest.raises(DataInsightError) as raised:
        reader.rows(*query.pop("metrics"), **query)

    assert message in raised.value.message
    assert "\n" not in raised.value.message
    assert hint is None or hint in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("dimension", "op", "values", "expected"),
    [
        ("country", "in", ["US", "FR"], 240),
        ("country", "not_in", ["US"], 120),
        ("country", "eq", ["DE"], 120),
        ("country", "ne", ["DE"], 240),
        ("organization__name", "contains", ["CROW"], 120),
        ("referral_source", "is_null", [], 120),
        ("referral_source", "is_not_null", [], 240),
        ("referral_source", "ne", ["ads"], 240),
        ("referral_source", "not_in", ["ads"], 240),
        ("referral_source", "gt", ["b"], 120),
        ("action_date", "lt", ["2024-01-02"], 4),
        ("user_action__action_date", "gte", ["2024-03-30"], 4),
        ("action_type", "eq", ["PushEvent"], 180),
    ],
)
def test_filters(reader: Asking, dimension: str, op: str, values: list[str], expected: int) -> None:
    given = [{"dimension": dimension, "op": op, "values": values}]

    assert reader.rows("user_actions", filters=given) == [[expected]]


def test_a_boolean_may_be_written_as_a_text(reader: Asking) -> None:
    for value in (True, "true"):
        given = [{"dimension": "is_beta", "op": "eq", "values": [value]}]
        assert reader.rows("feature_uses", filters=given) == [[855]]
