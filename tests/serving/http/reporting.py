"""A server that events are reported to, somebody who reports them, and what is stored of them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.http.conftest import Server, running
from warehouse.database import Warehouse
from warehouse.settings import Settings

PATH = "/api/v1/analytics/events"


def event(name: str, **given: Any) -> dict[str, Any]:
    return {
        "event_id": name,
        "user_id": "u-1",
        "action": "dashboard_viewed",
        "occurred_at": "2026-01-31T18:00:00Z",
        **given,
    }


@pytest.fixture
def door(settings: Settings, warehouse: Warehouse) -> Iterator[Server]:
    with running(create_app(settings)) as address:
        yield Server(address, warehouse)


@pytest.fixture
def acme(door: Server) -> Iterator[httpx.Client]:
    """An editor of the organization `acme`."""
    with door.client(door.key("acme", Role.EDITOR)) as client:
        yield client.http


def report(client: httpx.Client, *events: dict[str, Any], **options: Any) -> httpx.Response:
    return client.post(PATH, json={"events": events}, **options)


def stored(warehouse: Warehouse, columns: str = "organization_id, event_id") -> list[tuple[Any, ...]]:
    with warehouse.engine().connect() as connection:
        rows = connection.execute(sa.text(f"select {columns} from app.events order by organization_id, event_id"))
        return [tuple(row) for row in rows]
