"""What goes on without the warehouse, and how a new snapshot comes in while everybody asks."""

import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running, until
from tests.serving.http.relay import Relay

# serving/identity/keys.py
REMEMBERED_SECONDS = 10.0
CLIENTS = 12
QUESTIONS_A_SECOND = 200


@pytest.fixture
def relay(server_url: sa.URL) -> Iterator[Relay]:
    assert server_url.host is not None
    assert server_url.port is not None
    made = Relay((server_url.host, server_url.port))
    yield made
    made.cut()


def test_while_the_warehouse_is_away_questions_are_answered_and_afterwards_everything(
    store: Store, relay: Relay
) -> None:
    store.publish()
    url = store.warehouse.url_object.set(host="127.0.0.1", port=relay.port, drivername="postgresql")
    settings = store.settings.model_copy(update={"database_url": SecretStr(url.render_as_string(hide_password=False))})
    with running(create_app(settings)) as address:
        server = Server(address, store.warehouse)
        with (
            server.client(server.key("acme")) as acme,
            server.client(server.key("acme", Role.ADMIN)) as admin,
            server.client(server.key(None, Role.OPERATOR)) as operator,
        ):
            assert operator.ask("mrr").status_code == admin.get("/keys").status_code == 200
            before = acme.answer("mrr", group_by=["metric_time"])
            assert "warehouse_unreachable_since" not in before["trust"]

            relay.cut()
            until(lambda: "warehouse_unreachable_since" in acme.answer("mrr")["trust"])
            # One that was asked before, one that was not.
            assert acme.answer("mrr", group_by=["metric_time"])["rows"] == before["rows"]
            assert acme.answer("mrr", group_by=["metric_time"], grain="year")["timing"]["cache"] == "miss"
            assert acme.get("/metrics").status_code == 200
            # What must be written down first, what is asked of the warehouse, and whoever is not known, has to wait.
            told = {"json": {"name": "a notebook", "role": "viewer"}}
            for waits in (operator.ask("mrr"), admin.get("/keys"), admin.http.post("/api/v1/keys", **told)):
                assert (waits.status_code, waits.headers["Content-Type"]) == (503, "application/problem+json")
                assert str(relay.port) not in waits.text
            with server.client(server.key("bolt")) as bolt:
                refused = bolt.ask("mrr")
                assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
                assert int(refused.headers["Retry-After"]) > 0

                relay.mend()
                until(lambda: bolt.ask("mrr").status_code == 200)
            until(lambda: "warehouse_unreachable_since" not in acme.answer("mrr")["trust"])
            assert operator.ask("mrr").status_code == 200


def test_a_warehouse_that_hangs_keeps_no_question_waiting(store: Store, relay: Relay) -> None:
    store.publish()
    url = store.warehouse.url_object.set(host="127.0.0.1", port=relay.port, drivername="postgresql")
    settings = store.settings.model_copy(update={"database_url": SecretStr(url.render_as_string(hide_password=False))})
    with running(create_app(settings)) as address:
        server = Server(address, store.warehouse)
        with server.client(server.key("acme")) as acme, server.client(server.key("bolt")) as bolt:
            before, started = acme.ask("mrr", group_by=["metric_time"]), time.monotonic()
            same = {"If-None-Match": before.headers["ETag"]}
            assert acme.ask("mrr", group_by=["metric_time"], headers=same).status_code == 304
            relay.hold()
            try:
                until(lambda: "warehouse_unreachable_since" in acme.answer("mrr")["trust"])
                # By now the key would be looked up again.
                until(lambda: time.monotonic() - started > REMEMBERED_SECONDS, seconds=2 * REMEMBERED_SECONDS)
                again = acme.ask("mrr", group_by=["metric_time"], headers=same)
                assert (again.status_code, again.json()["rows"]) == (200, before.json()["rows"])
                assert "warehouse_unreachable_since" in again.json()["trust"]
                assert acme.answer("mrr", grain="year")["timing"]["cache"] == "miss"
                assert bolt.ask("mrr").status_code == 503
            finally:
                relay.release()
            until(lambda: bolt.ask("mrr").status_code == 200)
            until(lambda: "warehouse_unreachable_since" not in acme.answer("mrr")["trust"])


def test_a_new_snapshot_comes_in_while_everybody_asks(store: Store) -> None:
    store.publish()
    settings = store.settings.model_copy(update={"rate_limits": {"standard": 10**9}})
    with running(create_app(settings)) as address:
        server = Server(address, store.warehouse)
        keys = [server.key("acme"), server.key("bolt"), server.key(None, Role.OPERATOR)]
        seen: list[tuple[int, int, int, float]] = []
        failed: list[str] = []
        stopping = threading.Event()

        def keep_asking(number: int, key: str) -> None:
            with server.client(key) as client:
                due = time.monotonic()
                # As often as all of them together are to ask, or as this machine lets them.
                while not stopping.wait(due - time.monotonic()):
                    due = max(due + CLIENTS / QUESTIONS_A_SECOND, time.monotonic() - 1)
                    # Half of them in ever new words, so that they are computed.
                    grain = {"limit": 1_000 + len(seen)} if number % 2 else {}
                    answer = client.ask("mrr", "user_actions", **grain)
                    if answer.status_code != 200:
                        failed.append(answer.text)
                        return
                    told = answer.json()
                    mrr, actions = told["rows"][0]
                    seen.append((number % 3, told["trust"]["snapshot_id"], actions, mrr))

        threads = [threading.Thread(target=keep_asking, args=(number, keys[number % 3])) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(seen) > QUESTIONS_A_SECOND)
            store.sql("update marts.fact_organization_months set mrr_usd = mrr_usd * 2")
            store.sql(
                "delete from marts.fact_user_actions where user_action_id in (select user_action_id from ("
                " select user_action_id, row_number() over (partition by organization_id order by user_action_id) as n"
                " from marts.fact_user_actions) as numbered where n % 2 = 0)"
            )
            second = store.publish("another build").snapshot_id
            until(lambda: any(snapshot_id == second for _, snapshot_id, _, _ in seen) or failed)
            after = len(seen)
            until(lambda: len(seen) > after + QUESTIONS_A_SECOND or failed)
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
    assert not failed, failed[0]
    for number in range(3):
        # Each snapshot has one answer, whoever computed it and when.
        answers = {(snapshot_id, actions, mrr) for who, snapshot_id, actions, mrr in seen if who == number}
        assert len(answers) == 2, answers
        (_, actions, mrr), (_, fewer_actions, more_mrr) = sorted(answers)
        assert (2 * fewer_actions, more_mrr) == (actions, pytest.approx(2 * mrr))
