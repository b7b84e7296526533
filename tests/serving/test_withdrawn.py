"""What is withdrawn is answered to nobody any more: not from files, not from memory, not from Redis."""

import socket
from pathlib import Path

import duckdb
import pytest
import redis

from serving.engine import Engine
from serving.flights import AbandonedError, Interruption
from serving.http.app import create_app
from serving.identity.roles import Role
from serving.kept_answers import KeptAnswers
from serving.metrics import Metrics, parse_query
from serving.shared_answers import SharedAnswers
from serving.standing import Standing, Standings
from serving.store import delete_withdrawn
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running, until
from tests.serving.test_kept_answers import answer, key, redis_server
from warehouse.errors import DataInsightError, UnavailableError

LOGINS = {"metrics": ["user_actions"], "group_by": ["user__login"]}


def parquet_files(store: Store) -> set[Path]:
    return set(Path(store.settings.metric_store_url).rglob("*.parquet"))


def rename(store: Store, *, anew: bool = False) -> int:
    """Publish the star without a name that it had; gives the snapshot's number."""
    store.sql("update marts.dim_users set login = 'nobody' where login = 'login3'")
    return store.publish("renamed", anew=anew).snapshot_id


def test_a_snapshot_is_published_anew_although_nothing_differs(store: Store) -> None:
    first = store.publish()
    again = store.publish(anew=True)
    assert (again.published, again.rewritten) == (True, {})
    assert again.snapshot_id > first.snapshot_id


def test_the_files_of_what_was_withdrawn_are_deleted_and_those_that_are_served_stay(store: Store) -> None:
    store.publish()
    before = parquet_files(store)
    rename(store, anew=True)
    # Who is just reading what was withdrawn is not disturbed.
    assert before < parquet_files(store)
    delete_withdrawn(store.warehouse, store.settings)
    left = parquet_files(store)
    assert before - left
    assert all(path.parent.name == "dim_users" for path in before - left)
    with running(create_app(store.settings)) as address:
        server = Server(address, store.warehouse)
        with server.client(server.key(None, Role.OPERATOR)) as client:
            assert "login3" not in str(client.answer("user_actions", group_by=["user__login"])["rows"])
    # Once more there is nothing to delete, and the next publication goes on from here.
    delete_withdrawn(store.warehouse, store.settings)
    assert parquet_files(store) == left
    assert store.publish("renamed").published is False


def test_a_server_lets_go_of_what_was_withdrawn(store: Store) -> None:
    store.publish()
    with running(create_app(store.settings)) as address:
        server = Server(address, store.warehouse)
        with server.client(server.key(None, Role.OPERATOR)) as client:
            first = client.http.post("/api/v1/metrics/query", json=LOGINS, params={"page_size": 2}).json()
            earlier = first["trust"]["snapshot_id"]
            renamed = rename(store)
            until(lambda: client.answer("user_actions")["trust"]["snapshot_id"] == renamed)
            following = {"page_size": 2, "cursor": first["next_cursor"]}
            assert client.http.post("/api/v1/metrics/query", json=LOGINS, params=following).status_code == 200
            store.publish("renamed", anew=True)
            delete_withdrawn(store.warehouse, store.settings)
            gone = client.http.post("/api/v1/metrics/query", json=LOGINS, params=following)
            assert (gone.status_code, earlier < renamed) == (410, True)
            # At the moment of the switch a question may have to be asked again.
            until(lambda: client.ask("user_actions").status_code == 200)


def test_what_follows_a_withdrawn_snapshot_is_answered_from_before_it_is_warm(store: Store) -> None:
    first = store.publish().snapshot_id
    standings = Standings(store.warehouse, store.settings.snapshot_retention_hours)
    prepared: list[int] = []
    standings.watch(lambda standing: prepared.append(standing.snapshot.snapshot_id))
    try:
        second = store.publish("another build").snapshot_id
        until(lambda: standings.now().snapshot.snapshot_id == second)
        third = store.publish("a third build", anew=True).snapshot_id
        until(lambda: standings.now().snapshot.snapshot_id == third)
    finally:
        standings.close()
    assert prepared == [first, second]
    assert standings.at(second) is None


def test_what_goes_wrong_with_one_snapshot_keeps_nobody_from_the_next(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    first = store.publish().snapshot_id
    standings = Standings(store.warehouse, store.settings.snapshot_retention_hours)
    refused: set[int] = set()

    def prepare(standing: Standing) -> None:
        if standing.snapshot.snapshot_id != first and not refused:
            refused.add(standing.snapshot.snapshot_id)
            raise ValueError("nobody has thought of this")

    standings.watch(prepare)
    try:
        second = store.publish("another build").snapshot_id
        until(lambda: standings.now().snapshot.snapshot_id == second)
        third = store.publish("a third build", anew=True).snapshot_id
        until(lambda: standings.now().withdrawn_up_to == second)
        assert standings.now().snapshot.snapshot_id == third
    finally:
        standings.close()
    assert refused == {second}
    assert "the newest snapshot cannot be served" in caplog.text


def test_files_that_cannot_be_read_are_told_of_in_one_line(store: Store) -> None:
    store.publish()
    for file in Path(store.settings.metric_store_url).rglob("*.parquet"):
        file.write_bytes(b"no parquet")
    engine = Engine(store.settings)
    with pytest.raises(DataInsightError, match=r"the metric store .* cannot be used"):
        engine.open(store.latest())
    engine.close()


def test_a_snapshot_is_made_warm_for_no_longer_than_a_question_may_take(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish()
    metrics = Metrics(store.settings.model_copy(update={"query_seconds": 1}), store.warehouse)

    def takes_long(_key: object, interruption: Interruption) -> None:
        with duckdb.connect() as connection, connection.cursor() as cursor, interruption.over(cursor):
            try:
                cursor.sql("select count(*) from range(100000000000) as a, range(1000) as b").fetchall()
            except duckdb.InterruptException as error:
                raise AbandonedError from error

    try:
        metrics.watch()
        # What was asked twice is asked of the next one, too.
        for _ in range(2):
            metrics.query(parse_query({"metrics": ["mrr"]}))
        monkeypatch.setattr(metrics._answering, "find", takes_long)
        second = store.publish("another build").snapshot_id
        until(lambda: metrics.standing().snapshot.snapshot_id == second)
    finally:
        metrics.close()


def test_who_would_read_more_of_a_withdrawn_snapshot_is_told_to_ask_again(store: Store) -> None:
    store.publish()
    engine = Engine(store.settings)
    opened = engine.open(store.latest())
    assert opened.run("select 1 as one").to_pylist() == [{"one": 1}]
    engine.close_up_to(store.latest().snapshot_id)
    for ask in (lambda: opened.run("select 1 as one"), lambda: engine.open(store.latest())):
        with pytest.raises(UnavailableError, match="was withdrawn while this was asked of it"):
            ask()
    store.publish("another build", anew=True)
    assert engine.open(store.latest()).run("select 1 as one").num_rows == 1
    engine.close()


def test_answers_of_withdrawn_snapshots_are_forgotten_and_not_kept_again() -> None:
    kept = KeptAnswers(10**6)
    kept.put(key(1), answer())
    assert kept.near(key(1)) is not None
    kept.forget_up_to(6)
    assert kept.near(key(1)) is not None
    kept.forget_up_to(7)
    assert kept.near(key(1)) is None
    assert kept.bytes == 0
    # One that was being computed meanwhile comes too late.
    kept.put(key(1), answer())
    assert kept.near(key(1)) is None


def test_redis_is_emptied_of_answers_and_of_nothing_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    shared = SharedAnswers(f"redis://127.0.0.1:{port}/0", 10**6)
    with pytest.raises(DataInsightError, match="the answers in Redis cannot be removed"):
        shared.clear()
    with redis_server(port, tmp_path), redis.Redis(port=port) as client:
        # It was away a moment ago, and is not asked for a while; another one asks it.
        again = SharedAnswers(f"redis://127.0.0.1:{port}/0", 10**6)
        for limit in range(1, 4):
            again.put(key(limit), answer())
        client.set("somebody else's", "stays")
        assert len(client.keys()) == 4
        again.clear()
        assert client.keys() == [b"somebody else's"]
        again.close()
    shared.close()
