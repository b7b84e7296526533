"""Every error that a route documents is one that somebody can get from it, in the one shape of all errors."""

import re
from typing import Any

import httpx
import pyotp
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.datasources.registry import MOST_DATASOURCES
from serving.http.app import create_app
from serving.http.permissions import Door, doors_of
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running, until
from tests.serving.http.people import PASSWORD, Person, added, post, registered
from tests.serving.http.relay import Relay
from tests.serving.http.routes import PLACES, filled

# What each route is asked, so that nothing is wrong with the question itself.
QUESTION = {"metrics": ["mrr"]}
EVENT = {"event_id": "e-1", "user_id": "u-1", "action": "dashboard_viewed", "occurred_at": "2024-03-01T10:00:00Z"}
SHOP = {"name": "shop", "kind": "rest", "configuration": {"catalog": "stripe", "parameters": {"api_key": "k"}}}
BODIES: dict[str, Any] = {
    "POST /api/v1/metrics/query": QUESTION,
    "POST /api/v1/metrics/batch": {"queries": [QUESTION]},
    "POST /api/v1/analytics/events": {"events": [EVENT]},
    "POST /api/v1/auth/register": {"email": "new@example.com", "password": PASSWORD},
    "POST /api/v1/auth/login": {"email": "nobody@example.com", "password": PASSWORD},
    "POST /api/v1/auth/refresh": {"refresh_token": "x"},
    "POST /api/v1/auth/logout": {"refresh_token": "x"},
    "POST /api/v1/auth/invitations": {"invitation": "x"},
    "POST /api/v1/auth/password": {"old_password": PASSWORD, "new_password": "battery staple horse"},
    "POST /api/v1/auth/password/reset": {"reset": "x", "new_password": "battery staple horse"},
    "POST /api/v1/auth/totp": {"password": PASSWORD},
    "POST /api/v1/auth/totp/confirm": {"code": "123456"},
    "DELETE /api/v1/auth/totp": {"code": "123456"},
    "POST /api/v1/keys": {"role": "viewer"},
    "POST /api/v1/organizations/{organization_id}/invitations": {"email": "bea@example.com"},
    "POST /api/v1/embed/tokens": {"metrics": ["mrr"]},
    "POST /api/v1/datasources": SHOP,
    "PATCH /api/v1/datasources/{datasource_id}": {"name": "another"},
    "POST /api/v1/privacy/exports": {"email": "ann@example.com"},
    "POST /api/v1/privacy/erasures": {"email": "ann@example.com"},
}
# Parameters that mean something to one route or another, and take no control character.
MALFORMED = ("organization", "limit", "cursor", "metrics", "group_by", "code", "state")


# More guesses than somebody has who may make one, also if they come from a place where many are.
MANY = 30


@pytest.fixture(scope="module")
def documented(published: Store) -> dict[int, list[Door]]:
    """By status: the routes that document it as an error.

    Those of OpenID Connect need a provider, and are in test_oidc.py.
    """
    app = create_app(published.settings)
    found: dict[int, list[Door]] = {}
    for door in doors_of(app):
        if "/oidc/" not in door.path:
            told = app.openapi()["paths"][door.path][door.method.lower()]["responses"]
            for status in [int(status) for status in told if status >= "4"]:
                found.setdefault(status, []).append(door)
    return found


@pytest.fixture(scope="module")
def admin(server: Server) -> Person:
    return added(server, "acme", Role.ADMIN)


def test_no_other_errors_are_documented(documented: dict[int, list[Door]]) -> None:
    assert sorted(documented) == [400, 401, 403, 404, 406, 409, 410, 413, 429, 503]


def label(door: Door) -> str:
    return f"{door.method} {door.path}"


def ask(client: Client, door: Door, **more: Any) -> httpx.Response:
    """Ask a route what is right in itself; places of its path may be named."""
    places = {name: more.pop(name) for name in list(more) if name in PLACES}
    if door.path.endswith("/uploads"):
        more = {"files": {"file": ("orders.csv", b"a,b\n1,2\n")}, **more}
    elif label(door) in BODIES:
        more = {"json": BODIES[label(door)], **more}
    elif door.path == "/api/v1/metrics/query":
        more = {"params": {"metrics": "mrr"}, **more}
    return client.http.request(door.method, filled(door.path, **places), **more)


def differs(answer: httpx.Response, status: int, door: Door) -> list[str]:
    """What is wrong with an answer that should be this error; nothing, if it is."""
    if answer.status_code != status:
        return [f"{label(door)}: {answer.status_code} instead of {status}: {answer.text[:200]}"]
    assert answer.headers["Content-Type"] == "application/problem+json", label(door)
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    return []


def says_not_when(answer: httpx.Response, door: Door) -> list[str]:
    """Nothing, if an answer says when to try again."""
    return [] if int(answer.headers.get("Retry-After", 0)) > 0 else [f"{label(door)}: when may it be tried again?"]


def confirmed(client: Client) -> None:
    """Give whoever asks a second factor."""
    begun = client.http.post("/api/v1/auth/totp", json={"password": PASSWORD}).json()
    code = pyotp.TOTP(begun["secret"]).now()
    assert client.http.post("/api/v1/auth/totp/confirm", json={"code": code}).status_code == 200


def test_400_what_is_asked_is_malformed(admin: Person, documented: dict[int, list[Door]]) -> None:
    malformed = {"params": dict.fromkeys(MALFORMED, "\x01")}
    wrong = []
    with admin.client() as client:
        for door in documented[400]:
            path = re.sub(r"\{\w+\}", "%01", door.path)
            more = {"json": []} if label(door) in BODIES or door.path.endswith("/uploads") else malformed
            wrong += differs(client.http.request(door.method, path, **more), 400, door)
    assert not wrong, "\n".join(wrong)


def test_401_nobody_knows_who_asks(server: Server, documented: dict[int, list[Door]]) -> None:
    with server.client("di_0123456789ab_x") as client:
        wrong = [one for door in documented[401] for one in differs(ask(client, door), 401, door)]
    assert not wrong, "\n".join(wrong)


def test_403_they_may_not(server: Server, admin: Person, documented: dict[int, list[Door]]) -> None:
    page = post(server, "/embed/tokens", {"metrics": ["mrr"]}, server.key("acme", Role.EDITOR)).json()["token"]
    wrong = []
    with server.client(page) as client:
        for door in documented[403]:
            more: dict[str, Any] = {}
            if door.path.startswith("/api/v1/metrics"):
                more = {"params": {"metrics": "mrr", "organization": "bolt"}}
            elif door.path.endswith("/login"):
                more = {"json": {"email": admin.email, "password": admin.password, "organization": "bolt"}}
            elif door.path.endswith("/register"):
                more = {"json": {**BODIES[label(door)], "invitation": "x"}}
            wrong += differs(ask(client, door, **more), 403, door)
    assert not wrong, "\n".join(wrong)


def test_404_it_is_not_there(admin: Person, documented: dict[int, list[Door]]) -> None:
    wrong = []
    with admin.client() as client:
        for door in documented[404]:
            more = {"data": {"datasource_id": PLACES["datasource_id"]}} if door.path.endswith("/uploads") else {}
            wrong += differs(ask(client, door, metric="nothing", **more), 404, door)
    assert not wrong, "\n".join(wrong)


def test_406_nobody_speaks_that_language(admin: Person, documented: dict[int, list[Door]]) -> None:
    with admin.client() as client:
        for door in documented[406]:
            assert not differs(ask(client, door, headers={"Accept": "image/png"}), 406, door)


def test_409_it_is_so_already(server: Server, documented: dict[int, list[Door]]) -> None:
    only = registered(server)
    organization = only.tokens["organization_id"]
    invitation = post(
        server, f"/organizations/{organization}/invitations", {"email": only.email}, only.tokens["access_token"]
    )
    for number in range(MOST_DATASOURCES):
        shop = {**SHOP, "name": f"shop {number}"}
        assert post(server, "/datasources", shop, only.tokens["access_token"]).status_code == 201
    more: dict[str, dict[str, Any]] = {
        "POST /api/v1/auth/register": {"json": {"email": only.email, "password": PASSWORD}},
        "POST /api/v1/auth/invitations": {"json": {"invitation": invitation.json()["invitation"]}},
        "POST /api/v1/privacy/erasures": {"json": {"user_id": only.user_id}},
    }
    places = {"organization_id": organization, "user_id": only.user_id}
    wrong = []
    with only.client() as client:
        for door in documented[409]:
            # Where there is no second factor, there is none to remove; where there is one, no other is begun.
            if label(door) == "POST /api/v1/auth/totp":
                confirmed(client)
            wrong += differs(ask(client, door, **places, **more.get(label(door), {})), 409, door)
    assert not wrong, "\n".join(wrong)


def test_410_its_snapshot_is_no_longer_kept(store: Store, documented: dict[int, list[Door]]) -> None:
    first = store.publish()
    with running(create_app(store.settings)) as address:
        server = Server(address, store.warehouse)
        with server.client(server.key(None, Role.OPERATOR)) as client:
            cursors = {}
            for door in documented[410]:
                few = {"params": {"metrics": "mrr", "group_by": "metric_time", "page_size": 1, "limit": 1}}
                if door.method == "POST":
                    few = {"params": {"page_size": 1}, "json": {"metrics": ["mrr"], "group_by": ["metric_time"]}}
                elif door.path.endswith("/query"):
                    del few["params"]["limit"]
                cursors[label(door)] = few, ask(client, door, **few).json()["next_cursor"]
            newer = store.publish("another build", anew=True).snapshot_id
            assert newer > first.snapshot_id
            until(lambda: client.ask("mrr").json().get("trust", {}).get("snapshot_id") == newer)
            for door in documented[410]:
                few, cursor = cursors[label(door)]
                answer = ask(client, door, **{**few, "params": {**few["params"], "cursor": cursor}})
                assert not differs(answer, 410, door), answer.text


def test_413_it_is_too_large(published: Store, documented: dict[int, list[Door]]) -> None:
    small = published.settings.model_copy(update={"body_bytes": 1024, "upload_bytes": 1024})
    with running(create_app(small)) as address:
        server = Server(address, published.warehouse)
        with server.client(server.key("acme", Role.ADMIN)) as client:
            for door in documented[413]:
                large: dict[str, Any] = {"content": b'{"text": "' + b"x" * 2_000 + b'"}'}
                if door.path.endswith("/uploads"):
                    large = {"files": {"file": ("orders.csv", b"a,b\n" + b"1,2\n" * 2_000)}}
                assert not differs(ask(client, door, **large), 413, door)


def test_429_they_ask_too_much(published: Store, documented: dict[int, list[Door]]) -> None:
    few = published.settings.model_copy(update={"rate_limits": {"standard": 1}, "login_attempts": 1})
    wrong = []
    with running(create_app(few)) as address:
        server = Server(address, published.warehouse)
        with server.client(server.key("acme", Role.ADMIN)) as client:
            for door in documented[429]:
                for _ in range(MANY):
                    answer = ask(client, door)
                    if answer.status_code == 429:
                        break
                wrong += [*differs(answer, 429, door), *says_not_when(answer, door)]
    assert not wrong, "\n".join(wrong)


def test_503_the_warehouse_is_away(store: Store, server_url: sa.URL, documented: dict[int, list[Door]]) -> None:
    relay = Relay((str(server_url.host), int(server_url.port or 0)))
    url = store.warehouse.url_object.set(host="127.0.0.1", port=relay.port, drivername="postgresql")
    settings = store.settings.model_copy(update={"database_url": SecretStr(url.render_as_string(hide_password=False))})
    wrong = []
    with running(create_app(settings)) as address:
        person = added(Server(address, store.warehouse), "acme", Role.ADMIN)
        relay.cut()
        session = {"json": {"refresh_token": person.tokens["refresh_token"]}}
        with person.client() as client:
            for door in documented[503]:
                answer = ask(client, door, **(session if "refresh_token" in BODIES.get(label(door), ()) else {}))
                wrong += [*differs(answer, 503, door), *says_not_when(answer, door)]
    assert not wrong, "\n".join(wrong)
