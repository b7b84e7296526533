"""People who register and log in over HTTP, as tests need them."""

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa

from serving.identity.people import add_person
from serving.identity.roles import Role
from tests.serving.http.conftest import Client, Server
from warehouse.database import Warehouse

PASSWORD = "correct horse battery"


def new_email() -> str:
    return f"{secrets.token_hex(6)}@example.com"


@dataclass
class Person:
    """Somebody with an account."""

    server: Server
    email: str
    password: str
    tokens: dict[str, Any]

    @property
    def user_id(self) -> str:
        with self.client() as client:
            return str(client.get("/auth/me").json()["subject"]).removeprefix("user:")

    def client(self) -> AbstractContextManager[Client]:
        return self.server.client(self.tokens["access_token"])

    def log_in(self, **more: Any) -> httpx.Response:
        return post(self.server, "/auth/login", {"email": self.email, "password": self.password, **more})


def post(server: Server, path: str, body: Any, token: str | None = None, method: str = "POST") -> httpx.Response:
    with server.client(token) as client:
        return client.http.request(method, f"/api/v1{path}", json=body)


def registered(server: Server, **more: Any) -> Person:
    """Somebody new, in an organization of their own unless they bring an invitation."""
    given = {"email": new_email(), "password": PASSWORD, **more}
    answer = post(server, "/auth/register", given)
    assert answer.status_code == 201, answer.text
    return Person(server, given["email"], given["password"], answer.json())


def added(server: Server, organization: str | None, role: Role) -> Person:
    """Somebody whom the platform's own command adds to an organization whose rows are there."""
    made = add_person(server.warehouse, new_email(), role, organization, actor="test")
    person = Person(server, made.email, str(made.password), {})
    answer = person.log_in()
    assert answer.status_code == 200, answer.text
    person.tokens = answer.json()
    return person


def audited(warehouse: Warehouse, actor: str) -> list[tuple[str, dict[str, Any]]]:
    """What the audit log says of somebody, in order."""
    with warehouse.engine().connect() as connection:
        rows = connection.execute(
            sa.text("select action, details from app.audit_log where actor = :actor order by audit_id"),
            {"actor": actor},
        )
        return [(row.action, row.details) for row in rows]
