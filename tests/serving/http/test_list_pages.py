"""Every list comes in pages: each row once, in the order of the whole list, by cursors that are good for it alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running
from tests.serving.http.datasource_doors import SHOP
from tests.serving.http.people import added, new_email

ORGANIZATION = "pages"
LISTS = {
    "/keys": "keys",
    "/datasources": "datasources",
    "/privacy/erasures": "erasures",
    "/audit": "entries",
    "/metrics": "metrics",
    f"/organizations/{ORGANIZATION}/members": "members",
    f"/organizations/{ORGANIZATION}/invitations": "invitations",
}


@pytest.fixture(scope="module")
def server(published: Store) -> Iterator[Server]:
    """A server that carries out no erasure by itself, and whose datasources may reach this machine."""
    changes = {"erasures": "by_command", "source_networks": ("127.0.0.0/8",)}
    with running(create_app(published.settings.model_copy(update=changes))) as address:
        yield Server(address, published.warehouse)


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Client]:
    """An admin of an organization that has three of everything."""
    people = [added(server, ORGANIZATION, Role.ADMIN) for _ in range(3)]
    with people[0].client() as client:
        for path, body in (
            ("/keys", {"name": "a notebook"}),
            ("/datasources", SHOP),
            ("/privacy/erasures", {"user_id": "nobody"}),
            (f"/organizations/{ORGANIZATION}/invitations", {"email": new_email()}),
        ):
            for _ in range(3):
                answer = client.http.post(f"/api/v1{path}", json=body)
                assert answer.is_success, answer.text
        yield client


def page(client: Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def in_pages(client: Client, path: str, limit: int) -> Iterator[list[Any]]:
    cursor: dict[str, str] = {}
    while True:
        told = page(client, path, limit=limit, **cursor)
        yield told[LISTS[path]]
        if told["next_cursor"] is None:
            return
        cursor = {"cursor": told["next_cursor"]}


@pytest.mark.parametrize("path", LISTS)
def test_pages_have_each_row_once_and_in_order(admin: Client, path: str) -> None:
    # Looking writes down nothing for an admin, so that the audit log stays as it is meanwhile.
    whole = page(admin, path)
    assert whole["next_cursor"] is None
    rows = whole[LISTS[path]]
    assert len(rows) >= 3
    for limit in (1, 2, len(rows)):
        found = list(in_pages(admin, path, limit))
        assert [len(one) for one in found[:-1]] == [limit] * (len(found) - 1)
        # How old something is by now is no part of what it is.
        assert [_lasting(row) for one in found for row in one] == [_lasting(row) for row in rows]


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_is_good_for_its_own_list_alone(admin: Client, server: Server, path: str) -> None:
    cursor = page(admin, path, limit=1)["next_cursor"]
    others = [other for other in LISTS if other != path]
    with server.client(server.key("acme", Role.ADMIN)) as stranger:
        asked = [(admin, other, cursor) for other in others] + [(admin, path, f"{cursor}A"), (admin, path, "")]
        if ORGANIZATION not in path:
            asked.append((stranger, path, cursor))
        for client, where, given in asked:
            refused = client.get(where, params={"cursor": given})
            assert (refused.status_code, "cursor" in refused.json()["detail"]) == (400, True), (where, given)


def test_whatever_is_a_list_has_pages(server: Server) -> None:
    with server.client() as client:
        told = client.http.get("/api/v1/openapi.json").json()
    shapes = told["components"]["schemas"]
    lists = []
    for path, methods in told["paths"].items():
        answer = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        named = answer.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        parts = dict(shapes.get(named, {}).get("properties", {}))
        has_cursor = parts.pop("next_cursor", None) is not None
        if len(parts) == 1 and next(iter(parts.values())).get("type") == "array":
            lists.append(path)
            names = {one["name"] for one in methods["get"].get("parameters", ())}
            assert has_cursor, path
            assert {"cursor", "limit"} <= names, path
    # Those above, and batches and quarantine of a datasource.
    assert len(lists) == len(LISTS) + 2, lists


def _lasting(row: Any) -> Any:
    return {name: value for name, value in row.items() if name != "freshness"}
