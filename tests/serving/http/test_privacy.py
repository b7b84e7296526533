"""Erasures over HTTP: ordered without saying whose, not too many, and what becomes of an account."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.people import add_person
from serving.identity.roles import Role
from serving.privacy.accounts import erase_account
from serving.privacy.erasures import MOST_ORDERS, note_erased, open_orders, unsealed
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.people import Person, added, new_email, post, registered
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import Settings


@pytest.fixture(scope="module")
def by_command(published: Store) -> Settings:
    return published.settings.model_copy(update={"erasures": "by_command"})


@pytest.fixture(scope="module")
def server(published: Store, by_command: Settings) -> Iterator[Server]:
    """A server that carries out no erasure by itself."""
    with running(create_app(by_command)) as address:
        yield Server(address, published.warehouse)


@pytest.mark.parametrize(
    "person", [{}, {"user_id": "u-1", "email": "ann@example.com"}, {"email": "ann"}, {"name": "Ann"}, {"user_id": ""}]
)
def test_who_is_meant_is_said_once(server: Server, person: dict[str, Any]) -> None:
    for path in ("/privacy/exports", "/privacy/erasures"):
        assert post(server, path, person, server.key("acme", Role.ADMIN)).status_code == 400


def test_which_operator_has_asked_is_not_told(server: Server) -> None:
    admin, operator = added(server, "heron", Role.ADMIN), added(server, None, Role.OPERATOR)
    asked = {"email": new_email(), "organization_id": "heron"}
    made = post(server, "/privacy/erasures", asked, operator.tokens["access_token"]).json()
    assert made["requested_by"] == f"user:{operator.user_id}"
    mine = post(server, "/privacy/erasures", {"email": new_email()}, admin.tokens["access_token"]).json()
    with admin.client() as client:
        listed = {one["erasure_id"]: one["requested_by"] for one in client.get("/privacy/erasures").json()["erasures"]}
        assert listed == {made["erasure_id"]: "(operator)", mine["erasure_id"]: f"user:{admin.user_id}"}
        shown = client.get(f"/privacy/erasures/{made['erasure_id']}").json()
    assert shown == {**made, "requested_by": "(operator)"}


def test_an_order_says_nowhere_whom_it_is_about(server: Server, by_command: Settings) -> None:
    admin = added(server, "acme", Role.ADMIN)
    email = new_email()
    ordered = post(server, "/privacy/erasures", {"email": email}, admin.tokens["access_token"])
    assert ordered.status_code == 202, ordered.text
    erasure = ordered.json()
    assert (erasure["state"], erasure["organization_id"], erasure["done_at"]) == ("requested", "acme", None)
    with server.warehouse.engine().connect() as connection:
        for table in ("app.erasures", "app.audit_log"):
            said = connection.execute(sa.text(f"select cast(t as text) from {table} as t")).scalars().all()
            assert email not in str(said)
        (order,) = [one for one in open_orders(connection) if one.erasure_id == erasure["erasure_id"]]
        assert unsealed(by_command, order).whom.identifiers == (email,)
        elsewhere = by_command.model_copy(update={"secret_key": SecretStr("another secret of the platform, long")})
        with pytest.raises(DataInsightError, match="sealed by another secret"):
            unsealed(elsewhere, order)
    assert email not in ordered.text

    path = f"/privacy/erasures/{erasure['erasure_id']}"
    with admin.client() as client:
        assert client.get(path).json() == erasure
        assert erasure in client.get("/privacy/erasures").json()["erasures"]
    with server.client(server.key("bolt", Role.ADMIN)) as client:
        missing = [client.get(one) for one in (path, "/privacy/erasures/era_none")]
        assert [(one.status_code, one.json()["detail"]) for one in missing] == [(404, "there is no such erasure")] * 2
        assert client.get("/privacy/erasures").json()["erasures"] == []
        assert client.get("/privacy/erasures?organization=acme").status_code == 403
    with server.client(server.key(None, Role.OPERATOR)) as client:
        assert client.get(path).status_code == 200
        assert client.get("/privacy/erasures?organization=bolt").json()["erasures"] == []


def test_an_organization_has_so_many_orders_in_a_day_and_operators_have_more(server: Server) -> None:
    person = {"email": new_email()}
    key, operator = server.key("lark", Role.ADMIN), server.key(None, Role.OPERATOR)
    ordered = [post(server, "/privacy/erasures", person, key) for _ in range(MOST_ORDERS)]
    assert {answer.status_code for answer in ordered} == {202}
    refused = post(server, "/privacy/erasures", person, key)
    assert refused.status_code == 429
    assert refused.json()["detail"] == "the organization has had 20 erasures within 24 hours"
    assert 23 * 3600 < int(refused.headers["Retry-After"]) <= 24 * 3600
    assert post(server, "/privacy/erasures", {**person, "organization_id": "lark"}, operator).status_code == 202
    assert post(server, "/privacy/erasures", person, server.key("acme", Role.ADMIN)).status_code == 202
    with server.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                "update app.erasures set requested_at = requested_at - interval '1 day' where organization_id = 'lark'"
            )
        )
    assert post(server, "/privacy/erasures", person, key).status_code == 202


def test_an_admin_is_told_which_tables_of_their_own_nobody_looked_into(server: Server) -> None:
    key = server.key("acme", Role.ADMIN)
    erasure_id = post(server, "/privacy/erasures", {"email": new_email()}, key).json()["erasure_id"]
    with server.warehouse.engine().begin() as connection:
        # What has landed of a deleted one is still there.
        for name, organization, deleted_at in (
            ("ds_0000000000000001", "acme", None),
            ("ds_0000000000000002", "acme", "2024-01-01"),
            ("ds_0000000000000003", "bolt", None),
        ):
            connection.execute(
                sa.text(
                    "insert into app.datasources (datasource_id, organization_id, name, kind, configuration,"
                    " created_by, deleted_at) values (:name, :organization, 'shop', 'rest', '{}', 'test', :deleted_at)"
                ),
                {"name": name, "organization": organization, "deleted_at": deleted_at},
            )
        undeclared = [f"ds_000000000000000{number}.orders" for number in (1, 2, 3)] + ["shop.orders"]
        note_erased(connection, erasure_id, undeclared)
    path = f"/privacy/erasures/{erasure_id}"
    with server.client(key) as client:
        assert client.get(path).json()["touched"] == {"undeclared": undeclared[:2]}
        (listed,) = [
            one for one in client.get("/privacy/erasures").json()["erasures"] if one["erasure_id"] == erasure_id
        ]
        assert listed["touched"] == {"undeclared": undeclared[:2]}
    with server.client(server.key(None, Role.OPERATOR)) as client:
        assert client.get(path).json()["touched"] == {"undeclared": undeclared}


def test_the_last_admin_is_not_erased_by_themselves(server: Server) -> None:
    ann = registered(server)
    token, person = ann.tokens["access_token"], {"email": ann.email}
    refused = post(server, "/privacy/erasures", person, token)
    assert (refused.status_code, refused.json()["detail"]) == (409, "that is the organization's last admin")
    organization = {**person, "organization_id": ann.tokens["organization_id"]}
    assert post(server, "/privacy/erasures", organization, server.key(None, Role.OPERATOR)).status_code == 202


def erased(warehouse: Warehouse, person: Person, organization: str | None) -> dict[str, int]:
    with warehouse.engine().begin() as connection:
        return erase_account(connection, person.user_id, organization)


def test_of_an_account_nothing_is_left_but_its_id(server: Server) -> None:
    ann = registered(server, name="Ann Archer")
    user_id, own = ann.user_id, ann.tokens["organization_id"]
    post(server, f"/organizations/{own}/invitations", {"email": ann.email}, server.key(own, Role.ADMIN))
    touched = erased(server.warehouse, ann, own)
    assert (touched["app.users"], touched["app.memberships"], touched["app.organizations"]) == (1, 1, 1)
    with server.warehouse.engine().connect() as connection:
        tables = connection.execute(sa.text("select tablename from pg_tables where schemaname = 'app'")).scalars().all()
        for table in tables:
            said = str(connection.execute(sa.text(f"select cast(t as text) from app.{table} as t")).scalars().all())
            assert ann.email not in said, table
            assert "Ann Archer" not in said, table
        row = connection.execute(
            sa.text("select * from app.users where user_id = :user_id"), {"user_id": user_id}
        ).one()
    assert (row.name, row.password_hash, row.oidc_subject, row.totp_secret) == ("", None, None, None)
    assert row.disabled_at is not None
    assert ann.log_in().status_code == 401
    assert post(server, "/auth/refresh", {"refresh_token": ann.tokens["refresh_token"]}).status_code == 401
    # The address may begin anew, as somebody else.
    assert registered(server, email=ann.email).user_id != user_id
    with server.warehouse.engine().begin() as connection:
        assert erase_account(connection, user_id, own) == {}


def test_who_belongs_elsewhere_too_leaves_and_stays_there(server: Server) -> None:
    ann = registered(server)
    add_person(server.warehouse, ann.email, Role.VIEWER, "acme", actor="test")
    assert erased(server.warehouse, ann, "acme") == {"app.invitations": 0, "app.sessions": 0, "app.memberships": 1}
    answer = ann.log_in()
    assert (answer.status_code, answer.json()["organization_id"]) == (200, ann.tokens["organization_id"])
