"""Comparison, fill, top and totals over the small star, each alone and all of them together."""

from datetime import date
from typing import Any

import pytest

from serving.periods import months_later
from tests.serving.conftest import Asking, Store

MAY_TO_JULY: dict[str, Any] = {"time_range": {"start": "2023-05-01", "end": "2023-07-31"}}
BY_MONTH: dict[str, Any] = {"group_by": ["metric_time"], "grain": "month"}
TOP: dict[str, Any] = {"dimension": "organization", "by": "mrr", "n": 1}


def names(answer: dict[str, Any]) -> list[str]:
    return [column["name"] for column in answer["columns"]]


def test_each_month_is_compared_with_the_one_at_its_place_before(reader: Asking) -> None:
    answer = reader.answer("mrr", **BY_MONTH, **MAY_TO_JULY, compare="previous_period")

    assert [(column["name"], column["type"]) for column in answer["columns"]] == [
        ("metric_time", "date"),
        ("mrr", "decimal"),
        ("mrr__previous", "decimal"),
        ("mrr__change", "double"),
    ]
    assert answer["rows"] == [
        ["2023-05-01", 350.5, 150.0, pytest.approx(200.5 / 150)],
        ["2023-06-01", 350.5, 150.0, pytest.approx(200.5 / 150)],
        ["2023-07-01", 300.5, 150.0, pytest.approx(150.5 / 150)],
    ]


def test_a_year_is_compared_with_the_year_before_wherever_either_has_a_row(reader: Asking) -> None:
    months = {"start": "2024-04-01", "end": "2024-08-31"}
    rows = reader.rows("mrr", **BY_MONTH, time_range=months, compare="previous_year")

    assert [row[:3] for row in rows] == [
        ["2024-04-01", 300.5, 150.0],
        ["2024-05-01", 300.5, 350.5],
        ["2024-06-01", 300.5, 350.5],
        ["2024-07-01", None, 300.5],
        ["2024-08-01", None, 300.5],
    ]
    assert [row[3] for row in rows][3:] == [None, None]


def test_a_row_of_one_side_is_there_and_nulls_meet_nulls(reader: Asking) -> None:
    year = {"start": "2024-01-01", "end": "2024-12-31"}
    rows = reader.rows("churn_events", group_by=["reason"], time_range=year, compare="previous_year")
    assert rows == [
        ["pricing", None, 1, None],
        ["support", 1, None, None],
        [None, None, 1, None],
    ]
    all_nulls = reader.rows(
        "user_actions",
        group_by=["referral_source"],
        time_range={"start": "2024-02-01", "end": "2024-02-29"},
        compare="previous_period",
    )
    assert [row[0] for row in all_nulls] == ["ads", "web", None]
    assert sum(row[2] for row in all_nulls) == 124


@pytest.mark.parametrize(
    ("days", "grain", "compare", "before"),
    [
        # A month is compared with a month, whatever their lengths, a leap year's too.
        (("2024-02-01", "2024-02-29"), None, "previous_period", ("2024-01-01", "2024-01-31")),
        (("2024-03-01", "2024-03-31"), None, "previous_period", ("2024-02-01", "2024-02-29")),
        (("2024-01-01", "2024-02-29"), None, "previous_period", ("2023-11-01", "2023-12-31")),
        (("2024-02-01", "2024-02-29"), None, "previous_year", ("2023-02-01", "2023-02-28")),
        (("2024-01-10", "2024-01-19"), None, "previous_period", ("2023-12-31", "2024-01-09")),
        # By the day, as many days; by the week, as many weeks.
        (("2024-02-01", "2024-02-29"), "day", "previous_period", ("2024-01-03", "2024-01-31")),
        (("2024-02-10", "2024-02-20"), "week", "previous_period", ("2024-01-20", "2024-01-30")),
        (("2024-03-10", "2024-03-31"), "month", "previous_period", ("2024-02-10", "2024-02-29")),
        (("2024-03-04", "2024-03-10"), "week", "previous_year", ("2023-03-06", "2023-03-12")),
    ],
)
def test_what_a_range_is_compared_with(
    reader: Asking, days: tuple[str, str], grain: str | None, compare: str, before: tuple[str, str]
) -> None:
    asked: dict[str, Any] = {"time_range": dict(zip(("start", "end"), days, strict=True)), "compare": compare}
    if grain:
        asked |= {"group_by": ["metric_time"], "grain": grain}
    place = len(asked.get("group_by", ()))
    told = sum(row[place + 1] or 0 for row in reader.rows("user_actions", **asked))
    expected = reader.rows("user_actions", time_range=dict(zip(("start", "end"), before, strict=True)))

    assert told == (expected[0][0] or 0)


def test_a_day_that_the_other_year_lacks_is_compared_with_none(reader: Asking) -> None:
    leap: dict[str, Any] = {"group_by": ["metric_time"], "grain": "day", "compare": "previous_year"}
    days = reader.rows("user_actions", time_range={"start": "2024-02-28", "end": "2024-03-01"}, **leap)
    assert [row[:3] for row in days] == [["2024-02-28", 4, None], ["2024-02-29", 4, None], ["2024-03-01", 4, None]]
    later = reader.rows("user_actions", time_range={"start": "2025-02-01", "end": "2025-02-28"}, **leap)
    assert [row[:3] for row in later][-2:] == [["2025-02-27", None, 4], ["2025-02-28", None, 4]]


def test_the_change_is_against_the_size_of_what_was_and_null_where_that_was_nothing(reader: Asking) -> None:
    months = {"start": "2024-03-01", "end": "2024-03-31"}
    # It went from -200 up to 150.
    ((now, before, change),) = reader.rows("net_new_mrr", time_range=months, compare="previous_period")
    assert change == pytest.approx((now - before) / abs(before))
    assert change > 0
    crow: Any = [{"dimension": "organization_id", "op": "eq", "values": ["crow"]}]
    assert reader.rows("mrr", filters=crow, time_range=months, compare="previous_period") == [[0.0, 0.0, None]]


def test_totals_are_asked_anew_so_that_they_are_right_for_what_cannot_be_added_up(reader: Asking) -> None:
    answer = reader.answer("active_users", "actions_per_user", "user_actions", **BY_MONTH, totals=True, limit=1)

    assert len(answer["rows"]) == 1
    assert answer["totals"] == {"active_users": 9, "actions_per_user": 40.0, "user_actions": 360}
    assert answer["totals"] == reader.answer("active_users", "actions_per_user", "user_actions", totals=True)["totals"]
    acme = reader.answer("user_actions", **BY_MONTH, totals=True, organization="acme")
    assert acme["totals"] == {"user_actions": 120}
    assert "totals" not in reader.answer("user_actions", totals=False)


@pytest.mark.parametrize(("fill", "missing"), [("null", None), ("zero", 0)])
def test_every_period_is_there_for_each_combination_that_occurs(reader: Asking, fill: str, missing: Any) -> None:
    asked: dict[str, Any] = {**BY_MONTH, "group_by": ["metric_time", "country"], "fill": fill}
    rows = reader.rows("churn_events", **asked, time_range={"start": "2023-06-15", "end": "2023-08-01"})
    assert rows == [["2023-06-01", "US", missing], ["2023-07-01", "US", 1], ["2023-08-01", "US", missing]]

    # Without a range, from the data's own first period to its last.
    rows = reader.rows("churn_events", **{**BY_MONTH, "fill": fill})
    assert [row[0] for row in rows] == [str(months_later(date(2023, 2, 1), n)) for n in range(12)]
    assert [row[1] for row in rows] == [1, *[missing] * 4, 1, *[missing] * 5, 1]


def test_filled_columns_keep_their_types(reader: Asking) -> None:
    asked: dict[str, Any] = {**BY_MONTH, "time_range": {"start": "2023-01-01", "end": "2024-06-30"}}
    metrics = ("refunds_usd", "arpa", "churn_events")
    plain = reader.answer(*metrics, **asked)
    for fill in ("null", "zero"):
        answer = reader.answer(*metrics, **asked, fill=fill)
        assert answer["columns"] == plain["columns"]
    assert answer["rows"][0] == ["2023-01-01", 0.0, 75.0, 0]


def test_weeks_are_filled_from_monday_to_monday_and_no_rows_are_filled_with_none(reader: Asking) -> None:
    weeks: dict[str, Any] = {"group_by": ["metric_time"], "grain": "week", "fill": "zero"}
    rows = reader.rows("churn_events", **weeks, time_range={"start": "2023-06-28", "end": "2023-07-11"})
    assert rows == [["2023-06-26", 1], ["2023-07-03", 0], ["2023-07-10", 0]]
    nothing = {"start": "2019-01-02", "end": "2019-01-08"}
    assert reader.rows("churn_events", **weeks, time_range=nothing) == [["2018-12-31", 0], ["2019-01-07", 0]]
    by_reason = {**weeks, "group_by": ["metric_time", "reason"]}
    assert reader.rows("churn_events", **by_reason, time_range=nothing) == []
    assert reader.rows("churn_events", **weeks, time_range={"end": "2019-01-08"}) == []


def test_the_largest_values_and_the_others_by_their_own_question(reader: Asking) -> None:
    answer = reader.answer("arpa", "mrr", group_by=["organization"], top={**TOP, "other": True})

    assert [(column["name"], column["type"]) for column in answer["columns"]][:2] == [
        ("organization", "string"),
        ("organization__is_other", "boolean"),
    ]
    # Acme and Crow together have one that is active, so that their revenue per organization is not that of two.
    assert answer["rows"] == [["bolt", False, 200.5, 200.5], [None, True, 100.0, 100.0]]
    assert reader.rows("mrr", group_by=["organization"], top=TOP) == [["bolt", 200.5]]
    two = reader.rows("mrr", group_by=["organization"], top={**TOP, "n": 2}, order_by=["-mrr"])
    assert two == [["bolt", 200.5], ["acme", 100.0]]


def test_others_are_counted_once_and_are_no_others_when_there_are_none(reader: Asking) -> None:
    by_type: dict[str, Any] = {"dimension": "organization", "by": "user_actions", "n": 1, "other": True}
    rows = reader.rows("active_users", "user_actions", group_by=["organization"], top=by_type)
    rest: Any = [{"dimension": "organization", "op": "ne", "values": [rows[0][0]]}]
    assert rows[1] == [None, True, *reader.rows("active_users", "user_actions", filters=rest)[0]]
    all_of_them = {**by_type, "n": 3}
    rows = reader.rows("active_users", "user_actions", group_by=["organization"], top=all_of_them)
    assert [row[:2] for row in rows] == [["acme", False], ["bolt", False], ["crow", False]]


def test_a_row_without_a_value_may_be_among_the_largest_and_is_not_the_others(reader: Asking) -> None:
    top: dict[str, Any] = {"dimension": "reason", "by": "churn_events", "n": 1, "other": True}
    only: Any = [{"dimension": "reason", "op": "is_null"}]
    assert reader.rows("churn_events", group_by=["reason"], filters=only, top=top) == [[None, False, 1]]
    # Of equal ones the first by name is taken, and what has no name comes last.
    rows = reader.rows("churn_events", group_by=["reason"], top={**top, "n": 2})
    assert rows == [["pricing", False, 1], ["support", False, 1], [None, True, 1]]
    sources = reader.rows(
        "feature_uses",
        group_by=["referral_source"],
        top={**top, "dimension": "referral_source", "by": "feature_uses", "n": 2},
    )
    assert [row[:2] for row in sources][-1] in ([None, False], [None, True])


def test_the_largest_may_have_a_longer_name_than_one_may_ask_for(store: Store, ask: Asking) -> None:
    store.sql("update marts.dim_organizations set industry = repeat('retail', 200) where organization_id = 'bolt'")
    store.publish()
    top = {"dimension": "industry", "by": "mrr", "n": 1, "other": True}
    assert ask.rows("mrr", group_by=["industry"], top=top) == [
        ["retail" * 200, False, 200.5],
        [None, True, 100.0],
    ]


@pytest.mark.parametrize("dimension", ["is_beta", "plan", "feature"])
def test_the_largest_of_any_type(reader: Asking, dimension: str) -> None:
    top = {"dimension": dimension, "by": "feature_uses", "n": 1, "other": True}
    whole = reader.answer("feature_uses", group_by=[dimension], order_by=["-feature_uses"])
    answer = reader.answer("feature_uses", group_by=[dimension], top=top)
    assert answer["columns"][0]["type"] == whole["columns"][0]["type"]
    assert answer["rows"][0] == [whole["rows"][0][0], False, whole["rows"][0][1]]
    assert answer["rows"][1] == [None, True, sum(row[1] for row in whole["rows"][1:])]


def test_every_part_together(reader: Asking) -> None:
    answer = reader.answer(
        "mrr",
        "active_organizations",
        group_by=["metric_time", "organization"],
        grain="month",
        time_range={"start": "2024-05-01", "end": "2024-07-31"},
        compare="previous_year",
        fill="zero",
        top={**TOP, "other": True},
        totals=True,
        order_by=["-mrr__change", "-metric_time"],
        limit=4,
    )
    assert names(answer) == [
        *("metric_time", "organization", "organization__is_other", "mrr", "mrr__previous", "mrr__change"),
        *("active_organizations", "active_organizations__previous", "active_organizations__change"),
    ]
    # In June 2023 Crow still paid: with Acme 150, in which the one of now is a third less.
    assert [row[:6] for row in answer["rows"]] == [
        ["2024-06-01", "bolt", False, 200.5, 200.5, 0.0],
        ["2024-05-01", "bolt", False, 200.5, 200.5, 0.0],
        ["2024-06-01", None, True, 100.0, 150.0, pytest.approx(-1 / 3)],
        ["2024-05-01", None, True, 100.0, 150.0, pytest.approx(-1 / 3)],
    ]
    assert answer["rows"][2][6:] == [1, 2, -0.5]
    # The range ends with July, of which there is none in 2024: its last month is June there, and July before.
    assert answer["totals"]["mrr"] == 300.5
    assert answer["totals"]["mrr__previous"] == 300.5
    assert answer["totals"]["mrr__change"] == 0.0


def test_a_composed_question_sees_the_rows_of_its_organization_alone(reader: Asking) -> None:
    asked: dict[str, Any] = {
        **BY_MONTH,
        "group_by": ["organization"],
        "time_range": {"start": "2024-02-01", "end": "2024-02-29"},
        "compare": "previous_period",
        "top": {**TOP, "by": "user_actions", "other": True},
        "totals": True,
    }
    del asked["grain"]
    answer = reader.answer("user_actions", **asked, organization="acme")
    assert [row[:2] for row in answer["rows"]] == [["acme", False]]
    alone: Any = {"time_range": asked["time_range"], "compare": "previous_period", "organization": "acme"}
    assert [list(answer["totals"].values())] == reader.rows("user_actions", **alone)


def test_parts_are_kept_and_so_is_the_whole(store: Store, ask: Asking) -> None:
    store.publish()
    asked: dict[str, Any] = {**BY_MONTH, **MAY_TO_JULY, "compare": "previous_period", "totals": True}
    first, second = ask.answer("mrr", **asked), ask.answer("mrr", **asked)
    assert [first["timing"]["cache"], second["timing"]["cache"]] == ["miss", "hit"]
    assert (first["rows"], first["totals"]) == (second["rows"], second["totals"])
    assert ask.answer("mrr", **BY_MONTH, **MAY_TO_JULY)["timing"]["cache"] == "hit"


def test_a_question_whose_parts_say_nothing_is_the_plain_one(reader: Asking) -> None:
    reader.answer("tickets_opened", group_by=["priority"])
    same = reader.answer("tickets_opened", group_by=["priority"], compare=None, totals=False, fill=None, top=None)
    assert same["timing"]["cache"] == "hit"
