"""Files that are uploaded: taken in whole or not at all, within a limit, each content once."""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from serving.datasources.uploads import incoming_folder
from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.datasources.test_content import CSV, parquet, workbook
from tests.serving.http.conftest import Client, Server, running, until
from tests.serving.http.people import audited

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


def test_a_file_becomes_a_datasource(admin: Client, folder: Path) -> None:
    answer = upload(admin, CSV, file_name="Web Orders.csv", key="order_id")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["table"], told["format"], told["size_bytes"], told["is_new"]) == (
        "web_orders",
        "csv",
        len(CSV),
        True,
    )
    made = told["datasource"]
    assert (made["kind"], made["is_uploaded"], made["organization_id"]) == ("files", True, "acme")
    assert made["configuration"] == {"tables": {"web_orders": {"format": "csv", "key": ["order_id"]}}}
    kept = folder / "acme" / made["datasource_id"] / "web_orders" / f"{told['sha256']}.csv"
    assert kept.read_bytes() == CSV
    assert not list((folder / ".incoming").iterdir())
    assert str(folder) not in answer.text


def test_what_a_killed_server_had_begun_to_take_in_goes_after_a_day(admin: Client, folder: Path) -> None:
    assert upload(admin, CSV, file_name="first.csv").status_code == 201
    left, arriving = folder / ".incoming" / "left", folder / ".incoming" / "arriving"
    for path in (left, arriving):
        path.write_bytes(b"a,b\n1,")
    os.utime(left, (0, time.time() - 2 * 86_400))
    assert upload(admin, CSV, file_name="second.csv").status_code == 201
    assert list((folder / ".incoming").iterdir()) == [arriving]
    arriving.unlink()


def test_the_same_content_is_there_once(admin: Client, folder: Path) -> None:
    first = upload(admin, CSV, file_name="same.csv").json()
    before = files(folder)
    again = upload(admin, CSV, file_name="same.csv").json()
    assert (again["is_new"], again["datasource"]["datasource_id"]) == (False, first["datasource"]["datasource_id"])
    assert files(folder) == before
    whose = {"datasource_id": first["datasource"]["datasource_id"], "table": "same"}
    more = upload(admin, CSV + b"3,4.00\n", file_name="other.csv", **whose)
    assert (more.status_code, more.json()["is_new"]) == (201, True)
    assert len(files(folder) - before) == 1


def test_parquet_and_workbooks_are_told_by_their_content(admin: Client) -> None:
    assert upload(admin, parquet(), file_name="p.csv").json()["format"] == "parquet"
    assert upload(admin, workbook(), file_name="w.csv").json()["format"] == "excel"


def test_a_table_has_one_format(admin: Client, folder: Path) -> None:
    upload(admin, CSV, file_name="mixed.csv")
    before = files(folder)
    answer = upload(admin, parquet(), file_name="mixed.parquet")
    assert (answer.status_code, "consists of files of the format csv" in answer.json()["detail"]) == (400, True)
    assert files(folder) == before


@pytest.mark.parametrize(
    ("content", "fields", "reason"),
    [
        (b"", {}, "the file is empty"),
        (b"\x00\x01", {}, "neither CSV nor Parquet nor Excel"),
        (parquet()[:-3], {}, "the Parquet file is broken"),
        (workbook()[:-9], {}, "the Excel file is broken"),
        (CSV, {"table": "no table!"}, "is no usable name"),
        (CSV, {"table": "../x"}, "is no usable name"),
        (CSV, {"table": "con"}, "is no usable name"),
        (CSV, {"tabel": "x"}, "is no field of the form"),
        (CSV, {"name": "x" * 300}, "name: "),
        (CSV, {"name": "x" * 5000}, "a field of more than"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    admin: Client, folder: Path, content: bytes, fields: dict[str, str], reason: str
) -> None:
    before = files(folder)
    answer = upload(admin, content, file_name="refused.csv", **fields)
    assert answer.status_code == 400, answer.text
    assert reason in answer.json()["detail"]
    assert files(folder) == before


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": "multipart/form-data"}, b"x"),
        ({"Content-Type": "multipart/form-data; boundary=b"}, b"no form"),
        (
            {"Content-Type": "multipart/form-data; boundary=b"},
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n',
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=b"},
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\na,b\n1,2\n',
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=b"},
            b'--b\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\na,b\r\n--b--\r\n',
        ),
        ({"Content-Type": "multipart/form-data; boundary=" + "b" * 500}, b"--b"),
    ],
)
def test_what_is_no_form_is_refused(admin: Client, folder: Path, headers: dict[str, str], body: bytes) -> None:
    before = files(folder)
    answer = admin.http.post("/api/v1/uploads", headers=headers, content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]
    assert files(folder) == before


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


def test_another_organizations_datasource_takes_no_file(server: Server, admin: Client, folder: Path) -> None:
    made = upload(admin, CSV, file_name="ours.csv").json()["datasource"]["datasource_id"]
    before = files(folder)
    with server.client(server.key("globex", Role.ADMIN)) as other:
        theirs = upload(other, CSV, datasource_id=made)
        none = upload(other, CSV, datasource_id="ds_0000000000000000")
        assert theirs.status_code == none.status_code == 404
        assert theirs.json()["detail"] == none.json()["detail"]
        foreign = upload(other, CSV, organization_id="acme")
        assert foreign.status_code == 403
        mine = upload(other, CSV, file_name="ours.csv").json()["datasource"]
    assert (mine["organization_id"], mine["datasource_id"] == made) == ("globex", False)
    assert {path.relative_to(folder).parts[0] for path in files(folder) - before} == {"globex"}


def test_only_who_may_uploads(server: Server, folder: Path) -> None:
    before = files(folder)
    with server.client(server.key("acme", Role.EDITOR)) as editor:
        assert upload(editor, CSV).status_code == 403
    with server.client() as nobody:
        assert upload(nobody, CSV).status_code == 401
    assert files(folder) == before


def test_files_go_with_their_datasource(admin: Client, folder: Path) -> None:
    made: Any = upload(admin, CSV, file_name="gone.csv").json()["datasource"]["datasource_id"]
    assert (folder / "acme" / made).is_dir()
    assert admin.http.delete(f"/api/v1/datasources/{made}").status_code == 204
    assert not (folder / "acme" / made).exists()


def test_uploads_are_written_down(server: Server, admin: Client) -> None:
    first = upload(admin, CSV, file_name="noted.csv").json()
    actor = first["datasource"]["created_by"]
    upload(admin, CSV + b"9,9\n", file_name="noted.csv")
    told = audited(server.warehouse, actor)
    assert [action for action, _ in told] == ["datasources.add", "datasources.upload"]


def test_only_the_name_of_uploaded_files_can_be_changed(admin: Client) -> None:
    made = upload(admin, CSV, file_name="named.csv").json()["datasource"]["datasource_id"]
    place = f"/api/v1/datasources/{made}"
    refused = admin.http.patch(place, json={"configuration": {"tables": {"a": {"path": "/etc/passwd"}}}})
    assert (refused.status_code, "only its name" in refused.json()["detail"]) == (400, True)
    assert admin.http.patch(place, json={"name": "another"}).json()["name"] == "another"
