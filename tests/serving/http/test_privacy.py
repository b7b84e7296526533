"""Personal data over HTTP: everything is given out, nobody else's is, and erasures are ordered without saying whose."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.people import add_person
from serving.identity.roles import Role
from serving.privacy.accounts import erase_account
from serving.privacy.erasures import open_orders
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.people import Person, added, audited, new_email, post, registered
from warehouse.database import LOADER, Warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import Settings


@pytest.fixture(scope="module")
def by_command(published: Store) -> Settings:
    return published.settings.model_copy(update={"erasures": "by_command"})


@pytest.fixture(scope="module")
def server(published: Store, by_command: Settings) -> Iterator[Server]:
    """A server that carries out no erasure by itself, over a warehouse in which events have landed."""
    with published.warehouse.engine(LOADER).begin() as connection:
        connection.exec_driver_sql("create schema raw_platform")
        connection.exec_driver_sql(
            "create table raw_platform.events (organization_id text, event_id text, user_id text, properties text)"
        )
        connection.exec_driver_sql(
            "insert into raw_platform.events values ('acme', 'e-1', 'u-17', '{}'), ('bolt', 'e-2', 'u-17', '{}')"
        )
    with running(create_app(by_command)) as address:
        yield Server(address, published.warehouse)


def exported(server: Server, person: dict[str, Any], token: str) -> dict[str, Any]:
    answer = post(server, "/privacy/exports", person, token)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def report(server: Server, organization: str, *users: str) -> None:
    events = [
        {"event_id": f"{user}-1", "user_id": user, "action": "looked", "occurred_at": "2024-03-05T10:00:00Z"}
        for user in users
    ]
    answer = post(server, "/analytics/events", {"events": events}, server.key(organization, Role.EDITOR))
    assert answer.status_code == 202, answer.text


def test_an_export_has_everything_of_the_person_and_nothing_that_lets_somebody_in(server: Server) -> None:
    admin = added(server, "acme", Role.ADMIN)
    bea = added(server, "acme", Role.ADMIN)
    made = post(server, "/keys", {"name": "a notebook of Bea's"}, bea.tokens["access_token"]).json()
    report(server, "acme", bea.email, "somebody else")
    given = {"email": bea.email.upper()}
    answer = post(server, "/privacy/exports", given, admin.tokens["access_token"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found = answer.json()
    assert [(one["user_id"], one["email"]) for one in found["account"]] == [(bea.user_id, bea.email)]
    assert [(one["organization_id"], one["role"]) for one in found["memberships"]] == [("acme", "admin")]
    assert [one["key_id"] for one in found["keys"]] == [made["key_id"]]
    assert {"auth.login", "keys.add"} <= {one["action"] for one in found["audit"]}
    assert [one["user_id"] for one in found["events"]] == [bea.email]
    for secret in (made["key"][16:], "password_hash", "secret_hash", "argon2"):
        assert secret not in answer.text
    # By the id of the account it is the same.
    again = exported(server, {"user_id": bea.user_id}, admin.tokens["access_token"])
    assert (again["account"], again["events"]) == (found["account"], found["events"])
    actor = f"user:{admin.user_id}"
    assert audited(server.warehouse, actor)[-1] == ("privacy.export", {"user_id": bea.user_id})


def test_what_sources_and_marts_tell_of_somebody_is_in_it(server: Server) -> None:
    key = server.key("acme", Role.ADMIN)
    landed = exported(server, {"user_id": "u-17"}, key)["landed"]["platform.events"]
    assert [(one["organization_id"], one["event_id"]) for one in landed] == [("acme", "e-1")]
    mart = exported(server, {"user_id": "login3"}, key)["marts"]["dim_users"]
    assert [(one["organization_id"], one["login"]) for one in mart] == [("acme", "login3")]
    # Another organization's is not theirs, and that there is one is not told.
    assert exported(server, {"user_id": "login1"}, key)["marts"]["dim_users"] == []
    everywhere = exported(server, {"user_id": "u-17"}, server.key(None, Role.OPERATOR))
    assert len(everywhere["landed"]["platform.events"]) == 2
    one_source = exported(server, {"user_id": "u-17", "source": "github"}, key)
    assert (one_source["landed"], one_source["events"]) == ({}, [])


def test_nobody_reaches_who_is_in_another_organization(server: Server) -> None:
    admin, stranger = added(server, "acme", Role.ADMIN), added(server, "bolt", Role.VIEWER)
    report(server, "bolt", stranger.email)
    nobody = {"email": new_email()}
    for person in ({"email": stranger.email}, {"user_id": stranger.user_id}):
        found = exported(server, person, admin.tokens["access_token"])
        assert found == exported(server, nobody, admin.tokens["access_token"])
    named = {"email": stranger.email, "organization_id": "bolt"}
    for path in ("/privacy/exports", "/privacy/erasures"):
        assert post(server, path, named, admin.tokens["access_token"]).status_code == 403
        assert post(server, path, named, server.key("bolt", Role.EDITOR)).status_code == 403


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
        (order,) = [one for one in open_orders(connection, by_command) if one.erasure_id == erasure["erasure_id"]]
        assert order.whom.identifiers == (email,)
        elsewhere = by_command.model_copy(update={"secret_key": SecretStr("another secret of the platform, long")})
        with pytest.raises(DataInsightError, match="sealed by another secret"):
            open_orders(connection, elsewhere)
    assert email not in ordered.text

    path = f"/privacy/erasures/{erasure['erasure_id']}"
    with admin.client() as client:
        assert client.get(path).json() == erasure
        assert erasure in client.get("/privacy/erasures").json()["erasures"]
    with server.client(server.key("bolt", Role.ADMIN)) as client:
        missing = [client.get(one) for one in (path, "/privacy/erasures/era_none")]
        assert [(one.status_code, one.json()["detail"]) for one in missing] == [(404, "there is no such erasure")] * 2
        assert client.get("/privacy/erasures").json() == {"erasures": []}
        assert client.get("/privacy/erasures?organization=acme").status_code == 403
    with server.client(server.key(None, Role.OPERATOR)) as client:
        assert client.get(path).status_code == 200
        assert client.get("/privacy/erasures?organization=bolt").json() == {"erasures": []}


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
