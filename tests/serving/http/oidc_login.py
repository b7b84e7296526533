"""A real OpenID Connect provider on loopback, a server that lets people in by it, and a browser between them."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import oidc_provider_mock
import pytest
import werkzeug
import werkzeug.serving
from pydantic import SecretStr

from serving.http.app import create_app
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from warehouse.settings import Settings

COOKIE = "datainsight_oidc"


@dataclass
class Provider:
    """The provider, and what it says of its users."""

    address: str

    def knows(self, subject: str, **claims: Any) -> str:
        httpx.put(f"{self.address}/users/{subject}", json=claims).raise_for_status()
        return subject

    def lets_in(self, url: str, subject: str) -> httpx.URL:
        """Where it sends somebody back to who has said who they are."""
        answer = httpx.post(url, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return httpx.URL(answer.headers["Location"])


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The address of a server that runs an application of WSGI."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with serving(oidc_provider_mock.app()) as address:
        yield Provider(address)


def with_provider(settings: Settings, issuer: str, **more: Any) -> Settings:
    return settings.model_copy(
        update={
            "oidc_issuer": issuer,
            "oidc_client_id": "datainsight",
            "oidc_client_secret": SecretStr("of the client: 32 characters long"),
            "oidc_redirect_url": "http://127.0.0.1/api/v1/auth/oidc/callback",
            **more,
        }
    )


@pytest.fixture(scope="module")
def door(published: Store, provider: Provider) -> Iterator[Server]:
    with running(create_app(with_provider(published.settings, provider.address))) as address:
        yield Server(address, published.warehouse)


@contextmanager
def browser(door: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=door.address, timeout=60) as client:
        yield client


def leave(client: httpx.Client, **query: str) -> str:
    """Where the browser is sent to."""
    answer = client.get("/api/v1/auth/oidc/login", params=query)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def come_back(client: httpx.Client, back: httpx.URL) -> httpx.Response:
    return client.get("/api/v1/auth/oidc/callback", params=back.params)


def log_in(door: Server, provider: Provider, subject: str, **query: str) -> httpx.Response:
    with browser(door) as client:
        return come_back(client, provider.lets_in(leave(client, **query), subject))
