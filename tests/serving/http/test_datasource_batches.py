"""The batches and the quarantine of a datasource, in pages."""

import json

import pytest

from tests.serving.http.conftest import Client, Server
from tests.serving.http.datasource_doors import (
    added,
    admin,
    ask,
    other,
    server,
)
from warehouse.ledger import Landing, record_landing

__all__ = ["admin", "other", "server"]


@pytest.fixture
def landed(server: Server, admin: Client) -> str:
    """A datasource with three batches, the newest of which has three rows in quarantine."""
    datasource_id = str(added(admin)["datasource_id"])
    with server.warehouse.engine().begin() as connection:
        for number in range(3):
            landing = Landing(
                datasource_id, "orders", f"load_{number}", 10, None, ["order_id"], [],
                unreadable={row: ({"line": f"row {row}"}, "readable") for row in range(3)} if number == 2 else {},
                origin=[{"path": "/a/path/of/the/server"}],
            )  # fmt: skip
            record_landing(connection, landing)
    return datasource_id


def test_batches_are_paged_newest_first(admin: Client, landed: str) -> None:
    first = ask(admin, "GET", f"/datasources/{landed}/batches?limit=2").json()
    rest = ask(admin, "GET", f"/datasources/{landed}/batches?limit=2&cursor={first['next_cursor']}").json()
    assert (len(first["batches"]), len(rest["batches"]), rest["next_cursor"]) == (2, 1, None)
    ids = [batch["batch_id"] for batch in first["batches"] + rest["batches"]]
    assert ids == sorted(ids, reverse=True)
    assert first["batches"][0]["quarantined_count"] == 3
    assert "/a/path/of/the/server" not in json.dumps(first)


def test_quarantine_is_paged_in_order(admin: Client, landed: str) -> None:
    seen, cursor = [], ""
    while True:
        page = ask(admin, "GET", f"/datasources/{landed}/quarantine?limit=2{cursor}").json()
        seen += page["quarantine"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [(row["row_id"], row["payload"], row["failed_rules"]) for row in seen] == [
        (number, {"line": f"row {number}"}, ["readable"]) for number in (2, 1, 0)
    ]


def test_a_cursor_of_another_list_is_refused(admin: Client, landed: str) -> None:
    cursor = ask(admin, "GET", f"/datasources/{landed}/batches?limit=1").json()["next_cursor"]
    another = added(admin)["datasource_id"]
    for path in (f"{landed}/quarantine", f"{another}/batches"):
        answer = ask(admin, "GET", f"/datasources/{path}?cursor={cursor}")
        assert (answer.status_code, "cursor" in answer.json()["detail"]) == (400, True)
    for changed in (cursor[:-1], cursor + "A", "B" + cursor[1:], "!", "\N{SNOWMAN}"):
        assert ask(admin, "GET", f"/datasources/{landed}/batches?cursor={changed}").status_code == 400
