"""Metrics over the small star: the numbers, the names they can be asked by, and what comes with them."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.serving.conftest import Asking, Store
from warehouse.errors import DataInsightError


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("mrr", 300.5),
        ("arr", 3606.0),
        ("active_subscriptions", 3),
        ("active_organizations", 2),
        ("arpa", 150.25),
        ("churn_events", 3),
        ("refunds_usd", 12.44),
        ("feature_uses", 4095),
        ("usage_hours", 68.25),
        ("tickets_opened", 60),
        ("first_response_minutes", 91.5),
        ("user_actions", 360),
        ("active_users", 9),
        ("actions_per_user", 40.0),
    ],
)
def test_each_metric_in_all(reader: Asking, metric: str, expected: float) -> None:
    assert reader.rows(metric) == [[pytest.approx(expected)]]


def test_over_a_longer_grain_the_last_month_counts(reader: Asking) -> None:
    assert reader.rows("mrr", group_by=["metric_time"], grain="year") == [
        ["2023-01-01", 300.5],
        ["2024-01-01", 300.5],
    ]
    assert reader.rows("mrr", group_by=["metric_time"], grain="quarter", time_range={"end": "2023-09-30"}) == [
        ["2023-01-01", 150.0],
        ["2023-04-01", 350.5],
        ["2023-07-01", 300.5],
    ]


def test_of_a_range_that_ends_within_a_year_its_last_month_counts(reader: Asking) -> None:
    until_june = {"end": "2023-06-15"}

    assert reader.rows("mrr", group_by=["metric_time"], grain="year", time_range=until_june) == [["2023-01-01", 350.5]]
    assert reader.rows("mrr", time_range=until_june) == [[350.5]]
    assert reader.rows("mrr", time_range={"start": "2023-01-31", "end": "2023-01-31"}) == [[150.0]]


def test_an_organization_that_has_left_counts_with_zero(reader: Asking) -> None:
    crow: Any = [{"dimension": "organization_id", "op": "eq", "values": ["crow"]}]

    assert reader.rows("mrr", filters=crow) == [[0.0]]
    assert reader.rows("mrr", group_by=["metric_time"], grain="year", organization="crow") == [
        ["2023-01-01", 0.0],
        ["2024-01-01", 0.0],
    ]
    assert reader.rows("mrr", filters=crow, time_range={"end": "2023-06-30"}) == [[50.0]]


def test_plain_metrics_by_every_grain(reader: Asking) -> None:
    days = reader.rows("user_actions", group_by=["metric_time"], grain="day")
    assert (days[0], len(days)) == (["2024-01-01", 4], 90)
    assert reader.rows("user_actions", group_by=["metric_time"], grain="month") == [
        ["2024-01-01", 124],
        ["2024-02-01", 116],
        ["2024-03-01", 120],
    ]
    assert reader.rows("user_actions", group_by=["metric_time__year"]) == [["2024-01-01", 360]]
    assert reader.rows("user_actions", group_by=["metric_time"], grain="week")[0] == ["2024-01-01", 28]


ADDITIVE = ["churn_events", "refunds_usd", "feature_uses", "usage_hours", "tickets_opened", "user_actions"]


def test_every_metric_is_told_by_each_of_its_dimensions_at_each_grain(reader: Asking) -> None:
    # Metrics that are told by the same are asked together: they make hundreds of pairs with their dimensions.
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for metric in reader.metrics.list():
        alike.setdefault((tuple(metric["dimensions"]), tuple(metric["grains"])), []).append(metric["name"])
    for (dimensions, grains), names in alike.items():
        whole = totals(names, [[round(reader.rows(name)[0][0], 2) for name in names]])
        for grain in grains:
            periods = reader.rows(*names, group_by=["metric_time"], grain=grain)
            for name, values in columns(names, periods).items():
                assert [value for value in values if value is not None], (name, grain)
            assert totals(names, periods) == whole, grain
        for dimension in dimensions:
            if dimension != "metric_time":
                both = reader.rows(*names, group_by=["metric_time", dimension], grain=grains[0])
                assert totals(names, both) == whole, dimension
                if whole:
                    assert totals([*whole], reader.rows(*whole, group_by=[dimension])) == whole, dimension


def columns(names: list[str], rows: list[list[Any]]) -> dict[str, list[Any]]:
    """The values of each metric in an answer, whose last columns they are."""
    return {name: [row[number - len(names)] for row in rows] for number, name in enumerate(names)}


def totals(names: list[str], rows: list[list[Any]]) -> dict[str, float]:
    """The sums of those metrics that can be added up."""
    # Hours are a sum of doubles, whose last digits depend on the order of adding.
    return {
        name: round(sum(value or 0 for value in values), 2)
        for name, values in columns(names, rows).items()
        if name in ADDITIVE
    }


def test_a_range_includes_both_its_days(reader: Asking) -> None:
    days = {"start": "2024-01-31", "end": "2024-02-01"}

    assert reader.rows("user_actions", time_range=days) == [[8]]
    assert reader.rows("user_actions", group_by=["metric_time"], grain="month", time_range=days) == [
        ["2024-01-01", 4],
        ["2024-02-01", 4],
    ]


@pytest.mark.parametrize(
    ("days", "message", "hint"),
    [
        ({"start": "2024-01-10", "end": "2024-01-31"}, "time_range.start: 2024-01-10 cuts a month", "2024-01-01"),
        ({"start": "2024-01-01", "end": "2024-01-10"}, "time_range.end: 2024-01-10 cuts a month", "2024-01-31"),
    ],
)
def test_a_range_that_cuts_a_month_is_refused_to_metrics_of_days_and_of_months(
    reader: Asking, days: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(DataInsightError, match=message) as raised:
        reader.rows("tickets_opened", "mrr", time_range=days)

    assert "\n" not in raised.value.message
    assert hint in (raised.value.hint or "")
    # Among themselves, or alone, each counts the periods of its own time.
    assert reader.rows("mrr", "arr", time_range=days) == [[300.5, 3606.0]]


def test_metrics_count_in_whole_months_together_what_they_count_alone(reader: Asking) -> None:
    days = {"start": "2024-01-10", "end": "2024-01-11"}
    assert reader.rows("tickets_opened", time_range=days) == [[2]]
    assert reader.rows("tickets_opened", "user_actions", time_range=days) == [[2, 8]]
    for months in ({"start": "2024-02-01", "end": "2024-02-29"}, {"start": "2024-02-01"}, {"end": "2024-01-31"}):
        alone = [reader.rows(metric, time_range=months)[0][0] for metric in ("tickets_opened", "mrr")]
        assert reader.rows("tickets_opened", "mrr", time_range=months) == [alone]


def test_a_range_may_reach_to_the_ends_of_the_calendar(reader: Asking) -> None:
    always = {"start": "0001-01-01", "end": "9999-12-31"}

    assert reader.rows("user_actions", time_range=always) == [[360]]
    assert reader.rows("mrr", time_range=always) == [[300.5]]
    assert reader.rows("mrr", "user_actions", time_range=always) == [[300.5, 360]]


def test_order_and_limit(reader: Asking) -> None:
    assert reader.rows("mrr", group_by=["organization"], order_by=["-mrr"], limit=2) == [
        ["bolt", 200.5],
        ["acme", 100.0],
    ]
    assert reader.rows("user_actions", group_by=["metric_time"], grain="month", order_by=["-metric_time"])[0] == [
        "2024-03-01",
        120,
    ]


def test_metrics_of_different_tables_meet_in_one_answer(reader: Asking) -> None:
    rows = reader.rows("mrr", "churn_events", group_by=["metric_time", "country"], time_range={"start": "2024-01-01"})

    assert [row for row in rows if row[0] == "2024-01-01"] == [
        ["2024-01-01", "DE", 200.5, 1],
        ["2024-01-01", "US", 100.0, None],
    ]


def test_columns_say_their_types(reader: Asking) -> None:
    answer = reader.answer("mrr", "arpa", "active_subscriptions", group_by=["metric_time", "country"])

    assert [(column["name"], column["type"]) for column in answer["columns"]] == [
        ("metric_time", "date"),
        ("country", "string"),
        ("mrr", "decimal"),
        ("arpa", "double"),
        ("active_subscriptions", "integer"),
    ]


def test_the_list_says_what_each_metric_is(published: Store, reader: Asking) -> None:
    listed = {metric["name"]: metric for metric in reader.metrics.list()}

    defined = json.loads(published.semantic_manifest.read_text(encoding="utf-8"))["metrics"]
    assert listed.keys() == {metric["name"] for metric in defined}
    assert listed["mrr"]["owner"] == "finance"
    assert listed["mrr"]["type"] == "simple"
    assert listed["mrr"]["grains"] == ["month", "quarter", "year"]
    assert {"metric_time", "organization__country", "plan__name"} <= set(listed["mrr"]["dimensions"])
    assert listed["user_actions"]["grains"][0] == "day"


def test_an_equal_question_is_answered_from_memory_until_there_is_a_new_snapshot(store: Store, ask: Asking) -> None:
    store.publish()
    first = ask.answer("user_actions")
    second = ask.answer("user_actions")
    assert [first["timing"]["cache"], second["timing"]["cache"]] == ["miss", "hit"]
    assert ask.answer("user_actions", organization="acme")["rows"] == [[120]]

    store.sql("delete from marts.fact_user_actions where user_action_id = 'a0'")
    store.publish()
    third = ask.answer("user_actions")
    assert (third["timing"]["cache"], third["rows"]) == ("miss", [[359]])
    assert third["trust"]["snapshot_id"] > first["trust"]["snapshot_id"]


def test_the_definitions_are_those_of_the_snapshot(store: Store, ask: Asking, tmp_path: Any) -> None:
    store.publish()
    text = store.semantic_manifest.read_text(encoding="utf-8")
    store.semantic_manifest = tmp_path / "semantic_manifest.json"
    store.semantic_manifest.write_text(text.replace("mrr * 12", "mrr * 10"), encoding="utf-8")
    assert ask.rows("arr") == [[3606.0]]

    store.publish()

    assert ask.rows("arr") == [[3005.0]]


def test_a_mart_that_the_snapshot_lacks_is_named(store: Store, ask: Asking) -> None:
    store.publish()
    store.sql("drop table marts.fact_churn_events")
    store.publish()

    with pytest.raises(DataInsightError, match="fact_churn_events is not in snapshot"):
        ask.rows("churn_events")


def test_a_store_behind_a_url_is_read_the_same(store: Store, tmp_path: Any) -> None:
    from serving.metrics import Metrics

    store.publish()
    (tmp_path / "elsewhere").mkdir()
    remote = store.settings.model_copy(update={"metric_store": f"file://{tmp_path}/elsewhere"})
    Store(store.warehouse, remote, store.semantic_manifest).publish("elsewhere")
    asking = Asking(Metrics(remote, store.warehouse))

    assert asking.rows("user_actions", group_by=["country"], time_range={"end": "2024-01-31"}) == [
        ["DE", 41],
        ["US", 83],
    ]
    assert asking.rows("mrr", organization="bolt") == [[200.5]]
    asking.metrics.close()


def test_nothing_is_written_outside_of_the_home(store: Store, ask: Asking, tmp_path: Any) -> None:
    store.publish()
    ask.rows("mrr", group_by=["country"])

    assert {entry.name for entry in tmp_path.iterdir()} <= {"home"}


def test_no_answer_keeps_a_connection(store: Store, ask: Asking) -> None:
    store.publish()
    ask.rows("mrr")

    with store.warehouse.engine().connect() as connection:
        idle = connection.execute(
            sa.text(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and state like 'idle in transaction%'"
            )
        ).scalar_one()
    assert idle == 0
