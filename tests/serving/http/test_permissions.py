"""The page of who may call what is true: what it says of each route and role is what happens."""

import pytest
from fastapi import FastAPI

from serving.http.app import create_app
from serving.http.permissions import CALLERS, PAGE, Caller, Door, doors_of, page
from serving.identity.roles import Permission, Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server
from tests.serving.http.people import post

# Whoever is asked for nothing: the ways in, and whether the server lives.
OPEN = ("/api/v1/auth/", "/health/")
PLACES = {
    "organization_id": "acme",
    "metric": "mrr",
    "key_id": "000000000000",
    "user_id": "nobody",
    "invitation_id": "000000000000",
    "erasure_id": "era_0000000000000000",
}


@pytest.fixture(scope="module")
def app(published: Store) -> FastAPI:
    return create_app(published.settings)


def test_the_page_is_of_these_routes(app: FastAPI) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(app), "write it anew: python -m serving.http.permissions"


def test_every_route_says_whom_it_is_for(app: FastAPI) -> None:
    for door in doors_of(app):
        assert door.is_declared, door
        assert door.path.startswith(OPEN) or door.permissions, door
    described = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert {f"{door.method} {door.path}" for door in doors_of(app)} >= described


def test_a_route_that_says_nothing_would_be_noticed() -> None:
    app = FastAPI()
    app.add_api_route("/api/v1/open", lambda: None)
    (door,) = doors_of(app)
    assert door.is_open
    assert not door.path.startswith(OPEN)
    assert not door.permissions


def test_each_cell_holds(server: Server, app: FastAPI) -> None:
    for caller in CALLERS:
        token = _token(server, caller)
        for door in doors_of(app):
            if not door.is_open:
                status = _called(server, door, token)
                # By a key, as here, nobody does what takes a login.
                assert (status != 403) == (door.answers(caller) == "yes"), (caller.name, door, status)
                assert status != 401, (caller.name, door)
    for door in doors_of(app):
        if not door.is_open:
            assert _called(server, door, None) == 401, door


def _token(server: Server, caller: Caller) -> str:
    if caller.is_page:
        made = post(server, "/embed/tokens", {"metrics": ["mrr"]}, server.key("acme", Role.EDITOR))
        return str(made.json()["token"])
    role = Role(caller.name)
    assert Permission.METRICS_READ in caller.permissions
    return server.key(None if role is Role.OPERATOR else "acme", role)


def _called(server: Server, door: Door, token: str | None) -> int:
    """Which status somebody gets, of a request that asks as little as it can."""
    path = door.path.format(**{name: PLACES.get(name, "x") for name in _places(door.path)})
    with server.client(token) as client:
        query = {"metrics": "mrr"} if door.method == "GET" else {}
        body = {} if door.method != "GET" else None
        return client.http.request(door.method, path, params=query, json=body).status_code


def _places(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
