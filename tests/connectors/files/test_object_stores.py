"""Files in S3 and on SFTP servers: what lands, what is fetched again, and what is said when the store fails."""

import gzip
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.files import object_store
from connectors.inspection import check, discover
from tests.connectors.files.conftest import PASSWORD, S3, SECRET, Sftp
from warehouse.errors import DataInsightError
from warehouse.reach import Reach

Store = Callable[..., Any]

ORDERS = "{orders: {path: 's3://lake/orders/*', key: id}}"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that were copied."""
    urls: list[str] = []
    fetch = object_store.ObjectStore.fetch

    def counting(self: Any, file: Any, target: Path) -> str:
        urls.append(file.path.url)
        return fetch(self, file, target)

    monkeypatch.setattr(object_store.ObjectStore, "fetch", counting)
    return urls


def test_files_of_a_bucket_land_once_and_again_when_they_change(s3: S3, store: Store, fetched: list[str]) -> None:
    s3.put("orders/1.csv", "id;amount\n1;2,50\n")
    s3.put("orders/2.csv.gz", gzip.compress(b"id,amount\n2,3\n3\n"))
    shop = store(ORDERS, *s3.lines)
    assert len(shop.land()) == 1
    rows = shop.all("select id, amount from raw_shop.orders order by _row_number")
    assert [tuple(row.values()) for row in rows] == [("1", "2,50"), ("2", "3")]
    assert sorted(fetched) == ["s3://lake/orders/1.csv", "s3://lake/orders/2.csv.gz"]
    assert shop.column("select path from ops.files order by path") == sorted(fetched)
    assert shop.column("select payload ->> 'file' from ops.quarantine") == ["s3://lake/orders/2.csv.gz"]
    fetched.clear()
    assert shop.land() == []
    assert fetched == [], "what has not changed is not copied again"
    s3.put("orders/1.csv", "id;amount\n1;9,50\n")
    s3.put("orders/3.csv", "id,amount\n4,4\n")
    assert len(shop.land()) == 1
    assert sorted(fetched) == ["s3://lake/orders/1.csv", "s3://lake/orders/3.csv"]
    assert shop.column("select amount from raw_shop.orders order by _dlt_load_id, _row_number")[2:] == ["9,50", "4"]


def test_the_origin_tells_version_and_how_it_was_read_and_no_secret(s3: S3, store: Store) -> None:
    s3.put("orders/1.csv", "id;amount\n1;2\n")
    shop = store(ORDERS, *s3.lines)
    shop.land()
    [[origin]] = shop.column("select origin from ops.batches")
    assert origin["file"] == "s3://lake/orders/1.csv"
    assert origin["etag"]
    assert origin["reading"]["delimiter"] == ";"
    assert SECRET not in str(shop.batches())
    assert SECRET not in repr(shop.source)


def test_many_small_files_keep_their_order(s3: S3, store: Store) -> None:
    for number in range(20):
        s3.put(f"orders/{number:02}.csv", f"id\n{number}\n")
    shop = store(ORDERS, *s3.lines)
    shop.land()
    assert shop.column("select id from raw_shop.orders order by _row_number") == [str(number) for number in range(20)]
    assert not list((shop.home / "landing").rglob("*.csv"))


def test_a_root_in_a_bucket_is_looked_through_for_tables(s3: S3, store: Store) -> None:
    s3.put("crm/orders_2024-01.csv", "order_id,amount\n1,2.5\n2,3\n")
    s3.put("crm/orders_2024-02.csv", "order_id,amount\n3,2.5\n4,3\n")
    s3.put("crm/people.jsonl", '{"id":1,"at":"2024-01-01T00:00:00Z"}\n')
    shop = store("{people: {path: people.jsonl}}", *s3.lines, "root: s3://lake/crm")
    people, orders = discover(shop.source)
    assert (people["table_name"], people["configured"]) == ("people", True)
    assert people["types"] == {"id": "integer", "at": "timestamp"}
    assert (orders["table_name"], orders["configured"], orders["key"]) == ("orders", False, ["order_id"])
    assert orders["settings"] == {
        "path": "orders_*.csv", "format": "csv", "delimiter": ",", "quote": '"', "header": True,
        "key": "order_id", "columns": {"order_id": "integer", "amount": "number"},
    }  # fmt: skip
    assert check(shop.source)[0]["ok"]


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ("{t: {path: 's3://gone/*.csv'}}", "s3://gone"),
        ("{t: {path: 's3://lake/gone.csv'}}", "there is no file s3://lake/gone.csv"),
        ("{t: {path: 's3://lake/gone/*.csv'}}", "there is nothing at s3://lake/gone"),
    ],
    ids=["bucket", "file", "folder"],
)
def test_a_url_that_leads_nowhere_is_told(s3: S3, store: Store, tables: str, says: str) -> None:
    with pytest.raises(DataInsightError) as caught:
        store(tables, *s3.lines).land()
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_bucket_that_may_not_be_read_is_told(s3: S3, store: Store) -> None:
    s3.put("orders/1.csv", "id\n1\n")
    shop = store(ORDERS, f"endpoint: {s3.endpoint}", f"storage_options: {{key: other, secret: {SECRET}}}")
    s3.allow_requests("0")
    try:
        with pytest.raises(DataInsightError, match=r"s3://lake/orders/\* may not be read: ") as caught:
            shop.land()
    finally:
        s3.allow_requests("inf")
    assert SECRET not in f"{caught.value} {caught.value.__cause__!r}"


def test_a_server_that_is_not_there_or_never_answers_is_told(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        waits = "{read_timeout: 0.2, retries: {max_attempts: 0}}"
        options = f"storage_options: {{key: k, secret: {SECRET}, config_kwargs: {waits}}}"
        with pytest.raises(DataInsightError, match=r"s3://lake/orders/\* cannot be read: ") as caught:
            store(ORDERS, f"endpoint: http://127.0.0.1:{port}", options).land()
    assert SECRET not in str(caught.value)
    with pytest.raises(DataInsightError, match=r"s3://lake/orders/\* cannot be read: .*connect"):
        store(ORDERS, f"endpoint: http://127.0.0.1:{port}", options).land()


def test_files_of_an_sftp_server_land_when_its_host_key_is_known(sftp: Sftp, store: Store, fetched: list[str]) -> None:
    (sftp.root / "in").mkdir()
    (sftp.root / "in" / "a_1.csv").write_text("id,v\n1,x\n")
    (sftp.root / "in" / "a_2.csv").write_text("id,v\n2,y\n")
    tables = f"{{a: {{path: 'sftp://reader@127.0.0.1:{sftp.port}/in/a_*.csv', key: id}}}}"
    shop = store(tables, *sftp.lines())
    shop.land()
    assert shop.column("select v from raw_shop.a order by id") == ["x", "y"]
    assert fetched == [f"sftp://reader@127.0.0.1:{sftp.port}/in/a_{number}.csv" for number in (1, 2)]
    assert shop.land() == []
    assert len(fetched) == 2
    for lines, says in [
        (sftp.lines(host_key=""), "the host key of the server 127.0.0.1 is not known"),
        (sftp.lines(host_key="nonsense"), "is no host key"),
        (sftp.lines(password="wrong horse"), "Authentication failed"),
    ]:
        with pytest.raises(DataInsightError, match=says) as caught:
            store(tables, *lines).land()
        assert PASSWORD not in str(caught.value)


def test_a_name_is_looked_up_once_for_an_organization(
    sftp: Sftp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has a name server may let a name stand for something else a moment later."""
    (sftp.root / "a.csv").write_text("id,v\n1,x\n")
    answers = ["127.0.0.1", "127.0.0.2"]
    looked_up = socket.getaddrinfo

    def answering(host: Any, *more: Any, **options: Any) -> Any:
        return looked_up(answers.pop(0) if host == "files.example" else host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answering)
    shop = store(f"{{a: {{path: 'sftp://reader@files.example:{sftp.port}/a.csv', key: id}}}}", *sftp.lines())
    shop.source.bind("acme", Reach(("127.0.0.1/32",)))
    shop.land()
    assert shop.column("select v from raw_shop.a") == ["x"]
    assert answers == ["127.0.0.2"]


@dataclass(frozen=True)
class Known(Reach):
    """As if every name stood for these addresses."""

    found: tuple[str, ...] = ()

    def addresses(self, host: str) -> list[str]:  # noqa: ARG002 - whatever it is.
        return list(self.found)


def test_every_address_of_a_name_is_tried(sftp: Sftp, store: Store) -> None:
    (sftp.root / "a.csv").write_text("id,v\n1,x\n")
    shop = store(f"{{a: {{path: 'sftp://reader@127.0.0.1:{sftp.port}/a.csv', key: id}}}}", *sftp.lines())
    shop.source.bind("acme", Known(found=("127.0.0.2", "127.0.0.1")))
    shop.land()
    assert shop.column("select v from raw_shop.a") == ["x"]
    shop.source.bind("acme", Known(found=("127.0.0.2",)))
    with pytest.raises(DataInsightError, match=r"a\.csv cannot be read: .*refused"):
        shop.land()


def test_a_password_in_a_url_and_an_unknown_scheme_are_refused(store: Store) -> None:
    for path in ("sftp://me:secret@host/a.csv", "ftp://host/a.csv"):
        with pytest.raises(DataInsightError, match="allowed are s3, gs, az, abfs and sftp, without a password"):
            store(f"{{t: {{path: '{path}'}}}}")
