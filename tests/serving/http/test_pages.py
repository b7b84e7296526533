"""Long answers page by page: each row once, from one snapshot, for whoever asked and nobody else."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running

DAYS: dict[str, Any] = {"metrics": ["user_actions"], "group_by": ["metric_time", "country"], "grain": "day"}
REFUSED = "cursor: it is none that this question was answered with"


def page(client: Client, question: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    answer = client.http.post("/api/v1/metrics/query", json=question, params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def pages(client: Client, question: dict[str, Any], size: int, cursor: str | None = None) -> Iterator[dict[str, Any]]:
    while True:
        found = page(client, question, page_size=size, **({"cursor": cursor} if cursor else {}))
        yield found
        cursor = found.get("next_cursor")
        if cursor is None:
            return


@pytest.mark.parametrize(
    "question", [DAYS, {**DAYS, "order_by": ["-user_actions"], "limit": 50}, {**DAYS, "fill": "zero", "totals": True}]
)
def test_pages_have_each_row_once_and_in_order(operator: Client, question: dict[str, Any]) -> None:
    whole = page(operator, question)
    assert "next_cursor" not in whole
    found = list(pages(operator, question, 17))
    assert [row for one in found for row in one["rows"]] == whole["rows"]
    assert {len(one["rows"]) for one in found[:-1]} == {17}
    assert all(one["columns"] == whole["columns"] for one in found)
    assert all(one.get("totals") == whole.get("totals") for one in found)
    exactly = list(pages(operator, question, len(whole["rows"])))
    assert len(exactly) == 1


def test_a_link_has_pages_too_and_other_forms_have_none(operator: Client) -> None:
    link = "/metrics/query?metrics=user_actions&group_by=metric_time,country&grain=day&page_size=10"
    first = operator.get(link).json()
    second = operator.get(f"{link}&cursor={first['next_cursor']}")
    assert second.json()["rows"] == page(operator, DAYS)["rows"][10:20]
    # It is the question that a cursor belongs to, not the way in which it was asked.
    assert page(operator, DAYS, page_size=10, cursor=first["next_cursor"])["rows"] == second.json()["rows"]
    lines = operator.get(f"{link}&page_size=10", headers={"Accept": "text/csv"}).text.splitlines()
    assert len(lines) == 1 + len(page(operator, DAYS)["rows"])
    refused = operator.get(f"{link}&cursor={first['next_cursor']}", headers={"Accept": "text/csv"})
    assert refused.status_code == 400
    assert "text/csv has all rows" in refused.json()["detail"]
    assert second.headers["ETag"] != operator.get(link).headers["ETag"]


@pytest.mark.parametrize("size", [0, 100_001, "many"])
def test_a_page_has_a_size(operator: Client, size: Any) -> None:
    answer = operator.get(f"/metrics/query?metrics=mrr&page_size={size}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert "page_size" in answer.json()["detail"]


def test_a_cursor_is_for_one_organization_one_question_and_one_route(
    server: Server, acme: Client, operator: Client
) -> None:
    cursor = page(acme, DAYS, page_size=10)["next_cursor"]
    with server.client(server.key("bolt")) as bolt:
        others = [
            bolt.http.post("/api/v1/metrics/query", json=DAYS, params={"cursor": cursor}),
            operator.http.post("/api/v1/metrics/query", json=DAYS, params={"cursor": cursor}),
            acme.http.post("/api/v1/metrics/query", json={**DAYS, "grain": "week"}, params={"cursor": cursor}),
            acme.http.post("/api/v1/metrics/query", json={**DAYS, "fill": "zero"}, params={"cursor": cursor}),
            acme.get(f"/metrics/user_actions/dimensions/country/values?cursor={cursor}"),
        ]
    for answer in others:
        assert (answer.status_code, answer.json()["detail"]) == (400, REFUSED)
    of_acme = operator.http.post("/api/v1/metrics/query", json=DAYS, params={"cursor": cursor, "organization": "acme"})
    assert of_acme.json()["rows"] == page(acme, DAYS)["rows"][10:]


def test_no_other_writing_of_a_cursor_is_one(acme: Client) -> None:
    cursor = page(acme, DAYS, page_size=10)["next_cursor"]
    changed = [
        *(cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in range(len(cursor))),
        *(cursor[:n] for n in range(0, len(cursor), 4)),
        f"{cursor}=",
        f"{cursor}AAAA",
        f"{cursor[:8]}!{cursor[8:]}",
        f"{cursor[:8]}\n{cursor[8:]}",
        "Ω",
        "A" * 56,
    ]
    details = set()
    for one in changed:
        answer = acme.http.post("/api/v1/metrics/query", json=DAYS, params={"cursor": one})
        assert answer.status_code == 400, one
        details.add(answer.json()["detail"])
    assert details == {REFUSED}


@pytest.fixture
def changing(store: Store) -> Iterator[tuple[Store, Client]]:
    """A server over a store of the test's own."""
    store.publish()
    with running(create_app(store.settings)) as address:
        server = Server(address, store.warehouse)
        with server.client(server.key(None, Role.OPERATOR)) as client:
            yield store, client


def _served(client: Client) -> int:
    number: int = client.http.get("/health/ready").json()["snapshot_id"]
    return number


def _publish(store: Store, client: Client, change: str) -> None:
    store.sql(change)
    published = store.publish(change).snapshot_id
    while _served(client) != published:
        pass


def test_the_next_page_is_of_the_snapshot_that_the_first_was_of(changing: tuple[Store, Client]) -> None:
    store, client = changing
    before = page(client, DAYS)
    first = page(client, DAYS, page_size=20)
    _publish(store, client, "delete from marts.fact_user_actions where action_date < '2024-02-01'")

    following = list(pages(client, DAYS, 20, first["next_cursor"]))
    assert first["rows"] + [row for one in following for row in one["rows"]] == before["rows"]
    assert {one["trust"]["snapshot_id"] for one in following} == {before["trust"]["snapshot_id"]}
    assert {one["trust"]["as_of"] for one in following} == {before["trust"]["as_of"]}
    assert page(client, DAYS)["trust"]["snapshot_id"] > before["trust"]["snapshot_id"]
    assert len(page(client, DAYS)["rows"]) < len(before["rows"])


def test_a_server_that_never_served_the_snapshot_goes_on_with_it(store: Store) -> None:
    store.publish()
    server = Server("", store.warehouse)
    key = server.key(None, Role.OPERATOR)
    with running(create_app(store.settings)) as address, Server(address, store.warehouse).client(key) as client:
        before = page(client, DAYS)
        cursor = page(client, DAYS, page_size=20)["next_cursor"]
    store.sql("delete from marts.fact_user_actions")
    store.publish("nothing left")
    with running(create_app(store.settings)) as address, Server(address, store.warehouse).client(key) as client:
        following = page(client, DAYS, cursor=cursor)
        assert following["rows"] == before["rows"][20:]
        assert following["trust"]["checks"] == before["trust"]["checks"]


def test_a_cursor_ends_with_its_snapshot(changing: tuple[Store, Client]) -> None:
    store, client = changing
    cursor = page(client, DAYS, page_size=20)["next_cursor"]
    _publish(store, client, "delete from marts.fact_user_actions where action_date < '2024-02-01'")
    with store.warehouse.engine().begin() as connection:
        connection.execute(sa.text("update ops.snapshots set published_at = published_at - interval '30 days'"))

    gone = client.http.post("/api/v1/metrics/query", json=DAYS, params={"cursor": cursor})
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:datainsight:gone")
    changed = client.http.post("/api/v1/metrics/query", json=DAYS, params={"cursor": cursor[:-1] + "_"})
    assert (changed.status_code, changed.json()["detail"]) == (400, REFUSED)
