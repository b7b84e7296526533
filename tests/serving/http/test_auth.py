"""Registering, logging in, staying logged in, logging out."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.identity.people import add_person, disable_person
from serving.identity.roles import PERMISSIONS, Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.people import PASSWORD, added, audited, new_email, post, registered
from tests.serving.http.reporting import event


def test_who_registers_is_the_admin_of_an_empty_organization_of_their_own(server: Server) -> None:
    ann = registered(server, name="Ann", organization_name="acme")
    assert ann.tokens["organization_id"].startswith("org_")
    assert ann.tokens["role"] == "admin"
    claims = jwt.decode(ann.tokens["access_token"], options={"verify_signature": False})
    assert claims.keys() >= {"iss", "aud", "sub", "org", "role", "permissions", "jti", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == ann.tokens["expires_in"] == 3600
    assert claims["permissions"] == sorted(PERMISSIONS[Role.ADMIN])
    with ann.client() as client:
        me = client.get("/auth/me")
        assert me.headers["Cache-Control"] == "no-store"
        assert (me.json()["email"], me.json()["name"]) == (ann.email, "Ann")
        assert me.json()["memberships"] == [{"organization_id": ann.tokens["organization_id"], "role": "admin"}]
        assert client.answer("user_actions", group_by=["organization"])["rows"] == []
        # An organization's name is no way to its rows.
        assert client.get("/metrics/query?metrics=mrr&organization=acme").status_code == 403
    assert [action for action, _ in audited(server.warehouse, claims["sub"])] == ["auth.register"]


def test_an_account_is_known_by_its_address_whatever_its_capitals(server: Server) -> None:
    ann = registered(server)
    again = post(server, "/auth/register", {"email": ann.email.upper(), "password": PASSWORD})
    assert (again.status_code, again.json()["title"]) == (409, "Conflict")
    assert post(server, "/auth/login", {"email": f" {ann.email.upper()} ", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"password": "eleven char"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"email": "nobody"}, "email"),
        ({"email": "ann@exämple.com"}, "e-mail"),
        ({"email": "ann@example.com\x00"}, "email"),
        ({"name": "a\x00b"}, "name"),
        ({"role": "operator"}, "role"),
        ({"organization_id": "acme"}, "organization_id"),
    ],
)
def test_what_cannot_register_is_told_why_and_never_its_password(
    server: Server, change: dict[str, Any], word: str
) -> None:
    answer = post(server, "/auth/register", {"email": new_email(), "password": PASSWORD, **change})
    assert answer.status_code == 400
    assert word in answer.json()["detail"]
    assert change.get("password", PASSWORD) not in answer.text


def test_a_wrong_password_and_an_unknown_address_sound_the_same(server: Server) -> None:
    ann, closed = registered(server), registered(server)
    disable_person(server.warehouse, closed.email, actor="test")
    told = set()
    for email, password in ((ann.email, "x" * 12), (new_email(), PASSWORD), (closed.email, PASSWORD)):
        answer = post(server, "/auth/login", {"email": email, "password": password})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        told.add(answer.json()["detail"])
    assert len(told) == 1
    # A composed and a decomposed letter are one to whoever types them.
    accented = registered(server, password="pass\u00e9 compos\u00e9!")
    accented.password = "passe\u0301 compose\u0301!"
    assert accented.log_in().status_code == 200


def test_the_log_of_failures_names_no_address_that_nobody_has(server: Server) -> None:
    ann, unknown = registered(server), new_email()
    for email in (ann.email, unknown):
        assert post(server, "/auth/login", {"email": email, "password": "x" * 12}).status_code == 401
    assert audited(server.warehouse, f"user:{ann.user_id}")[-1][0] == "auth.login_failed"
    assert audited(server.warehouse, "nobody")[-1][1]["reason"] == "password"
    with server.warehouse.engine().connect() as connection:
        whole = connection.execute(sa.text("select string_agg(cast(l as text), '') from app.audit_log as l")).scalar()
    assert unknown not in str(whole)
    assert ann.email not in str(whole)


def test_a_password_and_a_token_stand_in_no_table(server: Server) -> None:
    ann = registered(server)
    with server.warehouse.engine().connect() as connection:
        tables = connection.execute(
            sa.text("select table_name from information_schema.tables where table_schema = 'app'")
        ).scalars()
        for table in tables.all():
            rows = str(connection.execute(sa.text(f"select cast(t as text) from app.{table} as t")).all())
            for secret in (ann.password, ann.tokens["access_token"], ann.tokens["refresh_token"][16:]):
                assert secret not in rows, table


def test_guesses_end_for_an_account_and_an_address_and_not_for_keys(published: Store) -> None:
    settings = published.settings.model_copy(update={"login_attempts": 3})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        ann, unknown = registered(server), new_email()
        for email in (ann.email, unknown):
            statuses = [
                post(server, "/auth/login", {"email": email, "password": "x" * 12}).status_code for _ in range(4)
            ]
            assert statuses == [401, 401, 401, 429]
        # The right password comes too late; what is valid by itself goes on.
        refused = ann.log_in()
        assert (refused.status_code, refused.json()["title"]) == (429, "Too Many Requests")
        assert 1 <= int(refused.headers["Retry-After"]) <= 1800
        assert post(server, "/auth/refresh", {"refresh_token": ann.tokens["refresh_token"]}).status_code == 200
        # Guesses at many accounts end, too.
        statuses = [
            post(server, "/auth/login", {"email": new_email(), "password": "x" * 12}).status_code for _ in range(30)
        ]
        assert statuses[-1] == 429
        with server.client(server.key("acme")) as acme:
            assert acme.ask("mrr").status_code == 200


def test_who_logs_in_has_their_guesses_back(published: Store) -> None:
    settings = published.settings.model_copy(update={"login_attempts": 3})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        ann = registered(server)
        for _ in range(4):
            assert post(server, "/auth/login", {"email": ann.email, "password": "x" * 12}).status_code == 401
            assert ann.log_in().status_code == 200


def test_of_many_guesses_at_once_no_more_are_looked_at(published: Store) -> None:
    settings = published.settings.model_copy(update={"login_attempts": 3})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        email = new_email()
        with ThreadPoolExecutor(12) as pool:
            guesses = pool.map(lambda _: post(server, "/auth/login", {"email": email, "password": "x" * 12}), range(12))
        assert sorted(answer.status_code for answer in guesses) == [401] * 3 + [429] * 9


def test_a_session_goes_on_by_its_newest_refresh_token(server: Server) -> None:
    ann = registered(server)
    first = ann.tokens["refresh_token"]
    second = post(server, "/auth/refresh", {"refresh_token": first}).json()
    third = post(server, "/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert third.status_code == 200
    with server.client(third.json()["access_token"]) as client:
        assert client.get("/auth/me").json()["email"] == ann.email


def test_a_refresh_token_that_comes_again_ends_the_session(server: Server) -> None:
    ann = registered(server)
    other_session = ann.log_in().json()["refresh_token"]
    first = ann.tokens["refresh_token"]
    second = post(server, "/auth/refresh", {"refresh_token": first}).json()["refresh_token"]

    wrong = [
        post(server, "/auth/refresh", {"refresh_token": token})
        # The last one is none: what is not known is told in the same words.
        for token in (first, second, first, first[:-1] + ("A" if first[-1] != "A" else "B"), "x")
    ]
    assert {(answer.status_code, answer.json()["detail"]) for answer in wrong} == {
        (401, "the refresh token is not valid")
    }
    actions = [action for action, _ in audited(server.warehouse, f"user:{ann.user_id}")]
    assert actions.count("auth.refresh_reused") == 1
    # Nobody else's session is concerned, not even of the same person.
    assert post(server, "/auth/refresh", {"refresh_token": other_session}).status_code == 200


def test_of_a_refresh_token_that_comes_twice_at_once_nothing_is_left(server: Server) -> None:
    for _ in range(5):
        ann = registered(server)
        first = {"refresh_token": ann.tokens["refresh_token"]}
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda body: post(server, "/auth/refresh", body), [first] * 4))
        (won,) = [answer for answer in answers if answer.status_code == 200]
        assert [answer.status_code for answer in answers].count(401) == 3
        after = post(server, "/auth/refresh", {"refresh_token": won.json()["refresh_token"]})
        assert after.status_code == 401


def test_after_a_logout_the_session_is_over(server: Server) -> None:
    ann = registered(server)
    token = {"refresh_token": ann.tokens["refresh_token"]}
    for given in (token, token, {"refresh_token": "x"}):
        assert post(server, "/auth/logout", given).status_code == 204
    assert post(server, "/auth/refresh", token).status_code == 401
    actions = [action for action, _ in audited(server.warehouse, f"user:{ann.user_id}")]
    assert actions.count("auth.logout") == 1
    # Nobody is asked about an access token, so that it is good until its hour is over.
    with ann.client() as client:
        assert client.get("/auth/me").status_code == 200


def test_who_is_disabled_or_removed_does_not_go_on(server: Server) -> None:
    ann = registered(server)
    disable_person(server.warehouse, ann.email, actor="test")
    assert post(server, "/auth/refresh", {"refresh_token": ann.tokens["refresh_token"]}).status_code == 401
    with ann.client() as client:
        assert client.get("/auth/me").status_code == 401
        # Nor makes anything that would outlast the hour of the token.
        for path, body in (
            ("/keys", {}),
            ("/embed/tokens", {"dashboards": ["1"]}),
            ("/auth/totp", {"password": PASSWORD}),
            ("/analytics/events", {"events": [event("e-1")]}),
        ):
            assert client.http.post(f"/api/v1{path}", json=body).status_code == 401, path

    admin, viewer = added(server, "acme", Role.ADMIN), added(server, "acme", Role.VIEWER)
    with admin.client() as client:
        removed = client.http.delete(f"/api/v1/organizations/acme/members/{viewer.user_id}")
        assert removed.status_code == 204
    assert post(server, "/auth/refresh", {"refresh_token": viewer.tokens["refresh_token"]}).status_code == 401
    assert viewer.log_in().json()["detail"] == "you are in no organization"


def test_a_member_of_several_organizations_says_which(server: Server) -> None:
    ann = registered(server)
    own = ann.tokens["organization_id"]
    add_person(server.warehouse, ann.email, Role.VIEWER, "acme", actor="test")

    unclear = ann.log_in()
    assert unclear.status_code == 400
    assert "acme" in unclear.json()["detail"]
    assert own in unclear.json()["detail"]
    tokens = ann.log_in(organization="acme").json()
    assert (tokens["organization_id"], tokens["role"]) == ("acme", "viewer")
    with server.client(tokens["access_token"]) as client:
        by_organization = client.answer("user_actions", group_by=["organization"])["rows"]
        assert {row[0] for row in by_organization} == {"acme"}
    refused = [ann.log_in(organization=name) for name in ("bolt", "no such")]
    assert {(answer.status_code, answer.json()["detail"]) for answer in refused} == {
        (403, "you are no member of that organization")
    }


def test_an_operator_logs_in_across_organizations(server: Server) -> None:
    operator = added(server, None, Role.OPERATOR)
    assert (operator.tokens["organization_id"], operator.tokens["role"]) == (None, "operator")
    with operator.client() as client:
        rows = client.answer("user_actions", group_by=["organization"])["rows"]
        assert {row[0] for row in rows} == {"acme", "bolt", "crow"}
    assert "metrics.query" in [action for action, _ in audited(server.warehouse, f"user:{operator.user_id}")]


def test_where_registration_is_closed_an_invitation_opens(published: Store) -> None:
    settings = published.settings.model_copy(update={"registration": "invited"})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        refused = post(server, "/auth/register", {"email": new_email(), "password": PASSWORD})
        assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden")
        email = new_email()
        made = post(server, "/organizations/acme/invitations", {"email": email}, server.key("acme", Role.ADMIN))
        assert made.status_code == 201, made.text
        bea = registered(server, email=email, invitation=made.json()["invitation"])
        assert (bea.tokens["organization_id"], bea.tokens["role"]) == ("acme", "viewer")


def test_a_body_that_is_none_is_a_problem(server: Server) -> None:
    for path in ("register", "login", "refresh", "logout"):
        answer = httpx.post(f"{server.address}/api/v1/auth/{path}", content=b"{")
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 129])
def test_a_password_has_so_many_characters(server: Server, password: str) -> None:
    refused = post(server, "/auth/register", {"email": new_email(), "password": password})
    assert refused.status_code == 400
    assert refused.json()["detail"] == (
        f"body.password: a password has 12 to 128 characters, and this one {len(password)}"
    )
