"""Files that are uploaded: taken in whole or not at all, within a limit, each content once."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from serving.identity.roles import Role
from tests.serving.datasources.test_content import CSV, parquet, workbook
from tests.serving.http.conftest import Client, Server
from tests.serving.http.people import audited
from tests.serving.http.uploading import admin, files, folder, server, upload

__all__ = ["admin", "folder", "server"]


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
