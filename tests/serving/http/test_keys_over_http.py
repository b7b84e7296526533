"""Keys that people and keys make over HTTP: no more than whoever makes them, and no others' than their own."""

from typing import Any

import pytest
import sqlalchemy as sa

from serving.identity.keys import Keys, add_key
from serving.identity.memberships import know_organization
from serving.identity.roles import Permission, Role
from tests.serving.http.conftest import Server
from tests.serving.http.people import added, audited, post
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError


def test_an_admin_makes_lists_and_revokes_keys(server: Server) -> None:
    admin = added(server, "acme", Role.ADMIN)
    token = admin.tokens["access_token"]
    made = post(server, "/keys", {"name": "a notebook", "permissions": ["metrics:read"], "days": 1}, token)
    assert made.status_code == 201, made.text
    assert made.headers["Cache-Control"] == "no-store"
    key, key_id = made.json()["key"], made.json()["key_id"]
    with server.client(key) as client:
        rows = client.answer("user_actions", group_by=["organization"])["rows"]
        assert {row[0] for row in rows} == {"acme"}
        assert client.get("/keys").status_code == 403
    with admin.client() as client:
        listed = next(one for one in client.get("/keys").json()["keys"] if one["key_id"] == key_id)
        assert (listed["name"], listed["permissions"], listed["revoked_at"]) == ("a notebook", ["metrics:read"], None)
        assert listed["expires_at"] is not None
        assert key[16:] not in client.get("/keys").text
        assert client.http.delete(f"/api/v1/keys/{key_id}").status_code == 204
        assert client.http.delete(f"/api/v1/keys/{key_id}").status_code == 404
    assert Keys(server.warehouse).principal(key) is None
    subject = f"user:{admin.user_id}"
    assert [action for action, _ in audited(server.warehouse, subject)][-2:] == ["keys.add", "keys.revoke"]


@pytest.mark.parametrize(
    ("maker", "body", "status"),
    [
        ({"role": Role.ADMIN}, {"role": "admin"}, 201),
        ({"role": Role.ADMIN}, {"role": "operator"}, 403),
        ({"role": Role.ADMIN}, {"role": "operator", "permissions": ["metrics:read"]}, 403),
        ({"role": Role.ADMIN}, {"organization_id": "bolt"}, 403),
        ({"role": Role.ADMIN}, {"organization_id": "no such"}, 403),
        ({"role": Role.ADMIN}, {"organization_id": "acme"}, 201),
        ({"role": Role.ADMIN}, {"permissions": ["sources:write"]}, 400),
        ({"role": Role.ADMIN}, {"permissions": []}, 400),
        ({"role": Role.ADMIN}, {"permissions": ["everything"]}, 400),
        ({"role": Role.ADMIN}, {"days": 0}, 400),
        ({"role": Role.EDITOR}, {}, 403),
        ({"role": Role.ADMIN, "scopes": [Permission.KEYS_WRITE]}, {}, 403),
        ({"role": Role.ADMIN, "scopes": [Permission.KEYS_WRITE]}, {"role": "admin"}, 403),
        (
            {"role": Role.ADMIN, "scopes": [Permission.KEYS_WRITE]},
            {"role": "admin", "permissions": ["keys:write"]},
            201,
        ),
        ({"role": Role.OPERATOR}, {}, 400),
        ({"role": Role.OPERATOR}, {"organization_id": "bolt"}, 201),
        ({"role": Role.OPERATOR}, {"role": "operator"}, 201),
    ],
)
def test_nobody_makes_a_key_that_may_do_more_than_they(
    server: Server, maker: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    organization = None if maker["role"] is Role.OPERATOR else "acme"
    answer = post(server, "/keys", body, server.key(organization, **maker))
    assert answer.status_code == status, answer.text
    if status != 201:
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_another_organizations_key_is_none(server: Server) -> None:
    theirs, operators = server.key("bolt"), server.key(None, Role.OPERATOR)
    with server.client(server.key("acme", Role.ADMIN)) as admin:
        told = {
            answer.json()["detail"].replace(key_id, "")
            for key_id in (theirs[3:15], operators[3:15], "000000000000")
            if (answer := admin.http.delete(f"/api/v1/keys/{key_id}")).status_code == 404
        }
        assert len(told) == 1
        assert {one["organization_id"] for one in admin.get("/keys").json()["keys"]} == {"acme"}
        assert admin.get("/keys?organization=bolt").status_code == 403
        assert admin.http.delete("/api/v1/keys/%00").status_code == 400
    assert Keys(server.warehouse).principal(theirs) is not None
    with server.client(operators) as operator:
        assert {one["organization_id"] for one in operator.get("/keys").json()["keys"]} >= {"acme", "bolt", None}
        assert {one["organization_id"] for one in operator.get("/keys?organization=bolt").json()["keys"]} == {"bolt"}
        assert operator.http.delete(f"/api/v1/keys/{theirs[3:15]}").status_code == 204


def test_a_key_carries_its_scopes_and_its_organizations_plan(warehouse: Warehouse) -> None:
    with warehouse.engine(API).begin() as connection:
        know_organization(connection, "acme")
        connection.execute(sa.text("update app.organizations set plan = 'large' where organization_id = 'acme'"))
    scoped = add_key(warehouse, Role.ADMIN, "acme", scopes=[Permission.METRICS_READ], actor="test")
    principal = Keys(warehouse).principal(scoped)
    assert principal is not None
    assert (principal.plan, principal.permissions) == ("large", {Permission.METRICS_READ})
    elsewhere = Keys(warehouse).principal(add_key(warehouse, Role.VIEWER, "bolt", actor="test"))
    assert elsewhere is not None
    assert (elsewhere.plan, elsewhere.scopes) == ("standard", None)
    with pytest.raises(DataInsightError, match="a key with the role viewer cannot carry keys:write"):
        add_key(warehouse, Role.VIEWER, "acme", scopes=[Permission.KEYS_WRITE], actor="test")
