"""The Python client against a real server."""

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from datainsight_client import DataInsight, DataInsightClientError
from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, begin_within_a_minute, running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[DataInsight]:
    with DataInsight(server.address, server.key("acme")) as made:
        yield made


def test_an_answer_says_what_it_stands_on(client: DataInsight, published: Store) -> None:
    answer = client.query("mrr", group_by=["metric_time"], grain="year", start=date(2023, 1, 1), end="2024-06-30")
    assert (answer.columns, answer.types) == (("metric_time", "mrr"), ("date", "decimal"))
    assert answer.to_dicts() == [
        {"metric_time": "2023-01-01", "mrr": 100.0},
        {"metric_time": "2024-01-01", "mrr": 100.0},
    ]
    assert answer.trust.snapshot_id == published.latest().snapshot_id
    assert answer.trust.as_of.tzinfo is not None
    assert answer.trust.checks.passed == 7
    assert answer.trust.warehouse_unreachable_since is None


def test_arrow_and_pandas_keep_types_and_trust(client: DataInsight, published: Store) -> None:
    table = client.query_arrow("user_actions", group_by=["metric_time"], grain="month")
    frame = client.query_pandas("user_actions", group_by=["metric_time"], grain="month")
    assert table.num_rows == len(frame) == 3
    assert str(table.schema.field("metric_time").type) == "date32[day]"
    assert frame["user_actions"].sum() == 120
    assert frame.attrs["trust"]["snapshot_id"] == published.latest().snapshot_id


def test_filters_are_values_by_dimension(server: Server) -> None:
    with DataInsight(server.address, server.key(None, Role.OPERATOR)) as operator:
        whole = operator.query("user_actions").rows
        assert whole == [[360]]
        by = {"group_by": ["organization"]}
        assert operator.query("user_actions", filters={"organization": ["acme", "bolt"]}, **by).rows == [
            ["acme", 120],
            ["bolt", 120],
        ]
        assert operator.query("user_actions", filters={"organization": "crow"}, **by).rows == [["crow", 120]]
        assert operator.query("user_actions", filters={"organization__referral_source": None}, **by).rows == [
            ["crow", 120]
        ]
    with DataInsight(server.address, server.key(None, Role.OPERATOR), organization="bolt") as operator:
        assert operator.query("user_actions").rows == [[120]]


def test_long_answers_come_whole(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with DataInsight(server.address, server.key("acme")) as client:
        by_day = {"group_by": ["metric_time"], "grain": "day"}
        whole = client.query("user_actions", **by_day).rows
        sent: list[Any] = []
        send = client._send

        def in_small_pages(method: str, path: str, params: dict[str, Any] | None = None, **options: Any) -> Any:
            sent.append(params)
            return send(method, path, params={"page_size": 7, **(params or {})}, **options)

        monkeypatch.setattr(client, "_send", in_small_pages)
        assert client.query("user_actions", **by_day).rows == whole
        assert len(sent) == -(-len(whole) // 7)


def test_several_questions_stand_on_one_snapshot(client: DataInsight) -> None:
    actions, mrr = client.batch(
        {"metrics": ["user_actions"], "start": "2024-01-01", "end": "2024-01-31"},
        {"metrics": ["mrr"], "group_by": ["metric_time"], "grain": "year"},
    )
    assert actions.trust.snapshot_id == mrr.trust.snapshot_id
    assert (len(actions.rows), mrr.columns) == (1, ("metric_time", "mrr"))
    with pytest.raises(DataInsightClientError, match=r"question 2: .*mrrr") as caught:
        client.batch({"metrics": ["mrr"]}, {"metrics": ["mrrr"]})
    assert caught.value.problem is not None
    assert caught.value.problem.status == 400


def test_values_of_a_dimension(client: DataInsight) -> None:
    assert client.values("user_actions", "action_type") == ["PushEvent", "WatchEvent"]
    assert client.values("user_actions", "action_type", search="watch") == ["WatchEvent"]


def test_events_are_stored_once(server: Server) -> None:
    with DataInsight(server.address, server.key("acme", Role.EDITOR)) as editor:
        events = [
            {
                "event_id": f"client-{number}",
                "user_id": "ada",
                "action": "clicked",
                "occurred_at": "2024-01-01T00:00:00Z",
            }
            for number in range(1_500)
        ]
        assert editor.send_events(events) == 1_500
        assert editor.send_events(events) == 0


def test_metrics_are_listed(client: DataInsight) -> None:
    assert "mrr" in {metric["name"] for metric in client.metrics()}


def test_what_is_refused_says_why(client: DataInsight, server: Server) -> None:
    with pytest.raises(DataInsightClientError, match="mrrr") as caught:
        client.query("mrrr")
    assert caught.value.problem is not None
    assert (caught.value.problem.status, caught.value.problem.title) == (400, "Bad Request")
    assert caught.value.problem.request_id
    with (
        DataInsight(server.address, "di_no_key") as stranger,
        pytest.raises(DataInsightClientError, match="not valid") as caught,
    ):
        stranger.metrics()
    with (
        DataInsight(f"{server.address}/elsewhere", "x") as lost,
        pytest.raises(DataInsightClientError, match="Not Found"),
    ):
        lost.metrics()
    with (
        DataInsight("http://127.0.0.1:1", "x") as nobody,
        pytest.raises(DataInsightClientError, match="cannot be reached"),
    ):
        nobody.metrics()


def test_who_asks_too_much_waits_as_long_as_the_server_says(published: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("datainsight_client.client.time", SimpleNamespace(sleep=waited.append))
    settings = published.settings.model_copy(update={"rate_limits": {"standard": 2}})
    with running(create_app(settings)) as address:
        key = Server(address, published.warehouse).key("acme")
        with DataInsight(address, key, attempts=3) as client:
            begin_within_a_minute()
            client.metrics()
            client.metrics()
            with pytest.raises(DataInsightClientError, match="more than 2 requests"):
                client.metrics()
    assert len(waited) == 2
    assert all(1 <= seconds <= 60 for seconds in waited)
