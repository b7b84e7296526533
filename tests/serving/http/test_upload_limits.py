"""How large a file may be that is uploaded, how long it may take, and how many arrive at once."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from serving.datasources.uploads import incoming_folder
from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.datasources.test_content import CSV
from tests.serving.http.conftest import Client, Server, running, until
from tests.serving.http.uploading import LIMIT, admin, files, folder, server, upload

__all__ = ["admin", "folder", "server"]


def test_a_file_over_the_limit_is_refused(admin: Client, folder: Path) -> None:
    before = files(folder)
    assert upload(admin, b"a\n" * (LIMIT // 2), file_name="fits.csv").status_code == 201
    assert len(files(folder) - before) == 1
    for size in (LIMIT + 1, 10 * LIMIT):
        answer = upload(admin, b"a" * size, file_name="large.csv")
        assert answer.status_code == 413
        assert answer.json()["detail"] == f"the file has more than {LIMIT:,} bytes"
    assert len(files(folder) - before) == 1


def test_the_limit_is_kept_while_a_file_arrives(server: Server, folder: Path) -> None:
    """Without a length there is nothing to go by but what has arrived: it is refused before it is whole."""
    key = server.key("acme", Role.ADMIN)
    before = files(folder)
    place = urlsplit(server.address)
    with socket.create_connection((str(place.hostname), int(place.port or 0))) as sent:
        sent.settimeout(30)
        sent.sendall(
            f"POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for part in (start, b"a" * LIMIT, b"a" * LIMIT):
            sent.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        # The body has no end yet.
        assert sent.recv(64).startswith(b"HTTP/1.1 413")
    assert files(folder) == before


def test_two_files_of_an_organization_arrive_at_once_and_no_more(server: Server, folder: Path) -> None:
    place = urlsplit(server.address)
    begun = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\n'

    def begin(key: str) -> socket.socket:
        sent = socket.create_connection((str(place.hostname), int(place.port or 0)))
        sent.sendall(
            f"POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            + f"{len(begun):x}\r\n".encode() + begun + b"\r\n"
        )  # fmt: skip
        return sent

    def arriving() -> int:
        return len(list(incoming.iterdir())) - before

    incoming = incoming_folder(folder.parent)
    before = len(list(incoming.iterdir()))
    umbrella, soylent = (server.key(name, Role.ADMIN) for name in ("umbrella", "soylent"))
    with ExitStack() as stack:
        first, *_ = [stack.enter_context(begin(umbrella)) for _ in range(5)]
        until(lambda: arriving() == 2)
        stack.enter_context(begin(soylent))
        until(lambda: arriving() == 3)
        first.close()
    until(lambda: arriving() == 0)


def test_a_file_that_stops_arriving_is_refused(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.http.multipart._PATIENCE_SECONDS", 0.2)
    before, key, place = files(folder), server.key("acme", Role.ADMIN), urlsplit(server.address)
    with socket.create_connection((str(place.hostname), int(place.port or 0))) as sent:
        sent.settimeout(30)
        sent.sendall(
            f"POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b".encode()
        )
        assert sent.recv(64).startswith(b"HTTP/1.1 400")
    assert files(folder) == before


def test_all_files_of_an_organization_have_a_limit_together(published: Store, folder: Path) -> None:
    # A small file counts as 64 KiB.
    settings = published.settings.model_copy(update={"uploads_bytes": 3 * 64 * 1024})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        with (
            server.client(server.key("initech", Role.ADMIN)) as client,
            server.client(server.key("hooli", Role.ADMIN)) as other,
            ThreadPoolExecutor(8) as pool,
        ):
            before = files(folder)
            sent = list(pool.map(lambda n: upload(client, CSV, file_name=f"at_once_{n}.csv"), range(8)))
            assert sorted(answer.status_code for answer in sent) == [201] * 3 + [413] * 5
            assert len(files(folder) - before) == 3
            refused = next(answer.json() for answer in sent if answer.status_code == 413)
            assert "may have 196,608 bytes together; they have 196,608" in refused["detail"]

            taken = next(answer.json() for answer in sent if answer.status_code == 201)
            again = upload(client, CSV, file_name=f"{taken['table']}.csv")
            assert (again.status_code, again.json()["is_new"]) == (201, False)
            assert upload(other, CSV).status_code == 201

            client.http.delete(f"/api/v1/datasources/{taken['datasource']['datasource_id']}")
            assert upload(client, CSV, file_name="instead.csv").status_code == 201
            assert upload(client, CSV, file_name="more.csv").status_code == 413
