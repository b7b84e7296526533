"""A server that takes small files, somebody who uploads, and what is there of it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running

LIMIT = 64 * 1024


@pytest.fixture(scope="module")
def server(published: Store) -> Iterator[Server]:
    with running(create_app(published.settings.model_copy(update={"upload_bytes": LIMIT}))) as address:
        yield Server(address, published.warehouse)


@pytest.fixture
def admin(server: Server) -> Iterator[Client]:
    with server.client(server.key("acme", Role.ADMIN)) as client:
        yield client


@pytest.fixture
def folder(published: Store) -> Path:
    return published.settings.home / "uploads"


def upload(client: Client, content: bytes, file_name: str = "orders.csv", **fields: str) -> httpx.Response:
    return client.http.post("/api/v1/uploads", files={"file": (file_name, content)}, data=fields)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}
