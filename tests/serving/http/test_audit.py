"""The audit log over HTTP: an organization's own, in pages, and not who of the operators did what."""

from typing import Any

import pytest

from serving.http.app import create_app
from serving.http.permissions import doors_of
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server
from tests.serving.http.people import added, audited, new_email, post
from tests.serving.http.routes import filled

SHOP = {"name": "shop", "kind": "rest", "configuration": {"catalog": "stripe", "parameters": {"api_key": "k"}}}


def entries(client: Client, **params: Any) -> list[dict[str, Any]]:
    answer = client.get("/audit", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def test_an_organization_reads_its_own_entries_and_nobody_elses(server: Server) -> None:
    admin, other = added(server, "finch", Role.ADMIN), added(server, "goose", Role.ADMIN)
    for person in (admin, other):
        assert post(server, "/keys", {"name": "a notebook"}, person.tokens["access_token"]).status_code == 201
    with admin.client() as client:
        found = entries(client)
        assert {one["organization_id"] for one in found} == {"finch"}
        assert (found[0]["action"], found[0]["actor"]) == ("keys.add", f"user:{admin.user_id}")
        assert client.get("/audit", params={"organization": "goose"}).status_code == 403
        # Whoever runs the platform is that, and has no name here.
        assert {one["actor"] for one in entries(client, action="memberships.add")} == {"(operator)"}
    with server.client(server.key("finch", Role.EDITOR)) as client:
        assert client.get("/audit").status_code == 403


def test_which_operator_did_something_is_told_nowhere(server: Server) -> None:
    admin, operator = added(server, "finch", Role.ADMIN), added(server, None, Role.OPERATOR)
    token = operator.tokens["access_token"]
    invited = post(server, "/organizations/finch/invitations", {"email": new_email()}, token)
    shop = post(server, "/datasources", {**SHOP, "organization_id": "finch"}, token)
    assert (invited.status_code, shop.status_code) == (201, 201)
    for person, called in ((admin, "(operator)"), (operator, f"user:{operator.user_id}")):
        with person.client() as client:
            invitations = client.get("/organizations/finch/invitations").json()["invitations"]
            datasources = client.get("/datasources", params={"organization": "finch"}).json()["datasources"]
        assert {one["invited_by"] for one in invitations} == {called}
        assert {one["created_by"] for one in datasources} == {called}
    with admin.client() as client:
        assert operator.user_id not in client.get("/audit").text
        mine = post(server, "/datasources", SHOP, admin.tokens["access_token"]).json()
        assert mine["created_by"] == f"user:{admin.user_id}"
        assert client.get(f"/datasources/{mine['datasource_id']}").json() == mine


def test_operators_read_all_of_it_and_that_is_in_it_too(server: Server) -> None:
    added(server, "finch", Role.ADMIN)
    added(server, "goose", Role.ADMIN)
    key = server.key(None, Role.OPERATOR)
    with server.client(key) as client:
        subject = client.get("/auth/me").json()["subject"]
        assert {"finch", "goose"} <= {one["organization_id"] for one in entries(client, limit=1000)}
        assert {one["organization_id"] for one in entries(client, organization="goose")} == {"goose"}
        assert {one["actor"] for one in entries(client, organization="goose", action="memberships")} == {"test"}
    assert audited(server.warehouse, subject)[-2:] == [("audit.read", {}), ("audit.read", {})]


def test_whatever_an_operator_looks_at_of_others_is_written_down(server: Server, published: Store) -> None:
    # What metrics there are, and who asks, is nothing of anybody's.
    nobodys = {"/api/v1/metrics", "/api/v1/metrics/{metric}", "/api/v1/auth/me"}
    doors = [door for door in doors_of(create_app(published.settings)) if door.method == "GET" and not door.is_open]
    assert nobodys < {door.path for door in doors}
    made = post(server, "/datasources", SHOP, server.key("acme", Role.ADMIN)).json()["datasource_id"]
    with server.client(server.key(None, Role.OPERATOR)) as client:
        subject = client.get("/auth/me").json()["subject"]
        for door in doors:
            before = len(audited(server.warehouse, subject))
            client.http.get(filled(door.path, datasource_id=made), params={"metrics": "mrr", "organization": "acme"})
            assert len(audited(server.warehouse, subject)) - before == (door.path not in nobodys), door.path
    with server.client(server.key("acme", Role.ADMIN)) as client:
        subject = client.get("/auth/me").json()["subject"]
        assert client.get("/keys").status_code == 200
    assert audited(server.warehouse, subject) == []


def test_pages_go_on_where_the_one_before_ended_whatever_comes_meanwhile(server: Server) -> None:
    admin = added(server, "heron", Role.ADMIN)
    token = admin.tokens["access_token"]
    for number in range(5):
        assert post(server, "/keys", {"name": str(number)}, token).status_code == 201
    with admin.client() as client:
        whole = [one["audit_id"] for one in entries(client)]
        assert whole == sorted(whole, reverse=True)
        seen: list[int] = []
        cursor = None
        while True:
            params = {"limit": 2, **({} if cursor is None else {"cursor": cursor})}
            page = client.get("/audit", params=params).json()
            assert len(page["entries"]) <= 2
            seen += [one["audit_id"] for one in page["entries"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            assert post(server, "/keys", {"name": "one more"}, token).status_code == 201
        assert seen == whole

        first = client.get("/audit", params={"limit": 2}).json()["next_cursor"]
        changed = first[:-1] + ("A" if first[-1] != "A" else "B")
        for given in ({"cursor": first, "action": "keys"}, {"cursor": changed}, {"cursor": "\N{SNOWMAN}"}):
            refused = client.get("/audit", params=given)
            assert (refused.status_code, "none that this list" in refused.json()["detail"]) == (400, True)
    other = added(server, "goose", Role.ADMIN)
    with other.client() as client:
        assert client.get("/audit", params={"cursor": first}).status_code == 400


def test_entries_are_found_by_action_and_time(server: Server) -> None:
    admin = added(server, "ibis", Role.ADMIN)
    made = post(server, "/keys", {"name": "x"}, admin.tokens["access_token"]).json()["key_id"]
    with admin.client() as client:
        client.http.delete(f"/api/v1/keys/{made}")
        assert [one["action"] for one in entries(client, action="keys")] == ["keys.revoke", "keys.add"]
        (revoked,) = entries(client, action="keys.revoke")
        assert revoked["details"] == {"key_id": made}
        assert [one["action"] for one in entries(client, since=revoked["happened_at"])] == ["keys.revoke"]
        assert entries(client, since="2999-01-01T00:00:00") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "action=Keys'--", "since=yesterday", "cursor="])
def test_what_cannot_be_asked_of_it_is_refused(server: Server, query: str) -> None:
    with server.client(server.key("acme", Role.ADMIN)) as client:
        assert client.get(f"/audit?{query}").status_code == 400
