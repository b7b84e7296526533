"""A real server on loopback over a small star that was published once for the module."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from serving.http.app import create_app
from serving.identity.keys import add_key
from serving.identity.roles import Role
from tests.serving.conftest import Store
from warehouse.database import Warehouse


def until(holds: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for something that happens by itself."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def begin_within_a_minute() -> None:
    """Wait for a minute of the clock that has enough left; in the next one requests are counted anew."""
    until(lambda: time.time() % 60 < 45)


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The address of a server that runs an application."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],), name="uvicorn")
        thread.start()
        try:
            # Its port takes connections before it does, and what a test changes meanwhile could keep it from starting.
            until(lambda: server.started or not thread.is_alive())
            assert server.started
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Client:
    """Somebody with a key."""

    http: httpx.Client

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(f"/api/v1{path}", **options)

    def ask(self, *metrics: str, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        return self.http.post("/api/v1/metrics/query", json={"metrics": metrics, **query}, headers=headers)

    def answer(self, *metrics: str, **query: Any) -> dict[str, Any]:
        found = self.ask(*metrics, **query)
        assert found.status_code == 200, found.text
        answer: dict[str, Any] = found.json()
        return answer


# Each client reads all certificate authorities, for whom nobody asks here, unless it is given none.
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Server:
    """The server, and keys for it."""

    address: str
    warehouse: Warehouse

    def key(self, organization: str | None, role: Role = Role.VIEWER, **options: Any) -> str:
        return add_key(self.warehouse, role, organization, actor="test", **options)

    @contextmanager
    def client(self, key: str | None = None) -> Iterator[Client]:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=self.address, headers=headers, timeout=60, verify=_NO_AUTHORITIES) as http:
            yield Client(http)


@pytest.fixture(scope="module")
def server(published: Store) -> Iterator[Server]:
    """A server of the module's own."""
    with running(create_app(published.settings)) as address:
        yield Server(address, published.warehouse)


@pytest.fixture(scope="module")
def acme(server: Server) -> Iterator[Client]:
    """A viewer of the organization `acme`."""
    with server.client(server.key("acme")) as client:
        yield client


@pytest.fixture(scope="module")
def operator(server: Server) -> Iterator[Client]:
    """An operator of the platform."""
    with server.client(server.key(None, Role.OPERATOR)) as client:
        yield client
