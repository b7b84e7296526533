"""A server whose datasources may reach this machine, admins of two organizations, and what they ask."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running
from warehouse.database import Warehouse

SECRET = "hunter2-is-a-secret"
DATABASE = {"url": f"postgresql://reader:{SECRET}@127.0.0.1:1/shop", "tables": {"orders": {"cursor": "updated_at"}}}
SHOP = {"name": "the shop", "kind": "database", "configuration": DATABASE}
NOT_THERE = "ds_0000000000000000"


@pytest.fixture(scope="module")
def server(published: Store) -> Iterator[Server]:
    """A server whose datasources may reach this machine."""
    settings = published.settings.model_copy(update={"source_networks": ("127.0.0.0/8",)})
    with running(create_app(settings)) as address:
        yield Server(address, published.warehouse)


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Client]:
    with server.client(server.key("acme", Role.ADMIN)) as client:
        yield client


@pytest.fixture
def other(server: Server) -> Iterator[Client]:
    """An admin of another organization."""
    with server.client(server.key("globex", Role.ADMIN)) as client:
        yield client


def ask(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.http.request(method, f"/api/v1{path}", json=body)


def added(client: Client, **changes: Any) -> dict[str, Any]:
    answer = ask(client, "POST", "/datasources", {**SHOP, **changes})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def stored(warehouse: Warehouse) -> str:
    """Everything that the platform keeps of datasources, as text."""
    with warehouse.engine().connect() as connection:
        return "".join(
            str(text)
            for table in ("app.datasources", "app.jobs", "app.audit_log")
            for text in connection.execute(sa.text(f"select cast(t as text) from {table} as t")).scalars()
        )
