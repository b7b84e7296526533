"""Two published taps, installed by the real pip: one of the Meltano SDK over dBase files, one of the first generation,
which knows only `--properties` and STATE, over an object store on this machine."""

import os
import re
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from connectors.landing.land import land
from connectors.singer.environment import make
from connectors.singer.kind import SingerSource
from connectors.source import Surroundings
from tests.connectors.singer.conftest import TapRun

_DOCS = Path(__file__).parents[3] / "docs" / "connectors" / "singer.md"
DBF, S3 = "tap-dbf==0.1.25", "pipelinewise-tap-s3-csv==3.0.1"


@pytest.fixture(scope="module")
def platform_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the environments of both taps."""
    home = tmp_path_factory.mktemp("taps") / "home"
    with ThreadPoolExecutor() as pool:
        made = [pool.submit(make, "tap-dbf", home, DBF), pool.submit(make, "tap-s3-csv", home, S3)]
    assert [task.result().name for task in made] == ["tap-dbf", "tap-s3-csv"]
    return home


@pytest.fixture
def store() -> Iterator[Any]:
    """An object store with the bucket `shop`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="reader",
        aws_secret_access_key="a-long-secret",
    )
    client.create_bucket(Bucket="shop")
    yield client
    client.close()
    server.stop()


def test_the_sdk_tap_over_dbase_files_as_documented(tap: TapRun, platform_home: Path, tmp_path: Path):
    fields = [
        ("ID", "N", 6, 0),
        ("NAME", "C", 20, 0),
        ("SINCE", "D", 8, 0),
        ("BALANCE", "N", 10, 2),
        ("ACTIVE", "L", 1, 0),
    ]
    ann, bob = (1, "Ann", 20240102, "10.50", "T"), (2, "Bob", 20240203, "-3.25", "F")
    (tmp_path / "data").mkdir()
    _write_dbf(tmp_path / "data" / "clients.dbf", fields, [ann, bob])
    [example] = re.findall(r"```yaml\n(.*?)```", _DOCS.read_text(), re.DOTALL)
    settings = yaml.safe_load(example)["sources"]["ledger"]
    tables = settings.pop("tables")
    assert settings["package"] == DBF

    [found] = _source(tmp_path, platform_home, settings, {}).discover()
    assert (found["table_name"], found["columns"][:2], found["settings"]) == ("clients", ["id", "name"], {})
    source = _source(tmp_path, platform_home, settings, tables)
    assert [check["ok"] for check in source.check()] == [True]

    said: list[str] = []
    [batch] = land(source, tap.warehouse, platform_home, say=said.append)
    assert tap.query("select id, name, since::text, balance, active from raw_dbf.clients order by id") == [
        (1, "Ann", "2024-01-02 00:00:00+00", 10.5, True),
        (2, "Bob", "2024-02-03 00:00:00+00", -3.25, False),
    ]
    assert any("Extracting from" in line for line in said)
    [(origin,)] = tap.query(f"select origin from ops.batches where batch_id = {batch}")
    assert origin[0]["metrics"]["record_count"] == {"count": 1, "sum": 2}

    # The whole table comes again each time: the same is not landed twice, and what is gone is found.
    assert land(source, tap.warehouse, platform_home) == []
    _write_dbf(tmp_path / "data" / "clients.dbf", fields, [bob])
    land(source, tap.warehouse, platform_home)
    assert tap.query("select id from raw_dbf.clients where _dlt_deleted") == [(1,)]


def test_the_first_generation_tap_over_an_object_store(
    tap: TapRun, platform_home: Path, tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # Or it asks the network for credentials first.
    store.put_object(Bucket="shop", Key="orders/1.csv", Body=b"id,amount\n1,10.50\n2,7.00\n")
    settings = {
        "tap": "tap-s3-csv",
        "package": [S3],
        "config": {
            "start_date": "2000-01-01T00:00:00Z",
            "bucket": "shop",
            "aws_access_key_id": "reader",
            "aws_secret_access_key": "a-long-secret",
            "aws_endpoint_url": store.meta.endpoint_url,
            "tables": [
                {
                    "search_prefix": "orders",
                    "search_pattern": r"\.csv$",
                    "table_name": "orders",
                    "key_properties": ["id"],
                    "delimiter": ",",
                }
            ],
        },
    }
    [found] = _source(tmp_path, platform_home, settings, {}).discover()
    assert found["settings"] == {"key": "id"}
    source = _source(tmp_path, platform_home, settings, {"orders": found["settings"]})
    land(source, tap.warehouse, platform_home)
    [(state, key)] = tap.query("select state, key_columns from ops.batches")
    assert list(state["bookmarks"]["orders"]) == ["modified_since"]
    assert key == ["id"]

    # STATE keeps the file that has landed from being read again.
    assert land(source, tap.warehouse, platform_home) == []
    store.put_object(Bucket="shop", Key="orders/2.csv", Body=b"id,amount\n3,1.25\n")
    land(source, tap.warehouse, platform_home)
    assert tap.query("select id, amount from raw_dbf.orders order by id") == [
        ("1", "10.50"),
        ("2", "7.00"),
        ("3", "1.25"),
    ]
    assert tap.query("select row_count from ops.batches order by batch_id") == [(2,), (1,)]


def _source(folder: Path, home: Path, settings: dict[str, Any], tables: dict[str, Any]) -> SingerSource:
    return SingerSource.model_validate(
        {"name": "dbf", "kind": "singer", "tables": tables} | settings,
        context=Surroundings("dbf", folder, home, draft=not tables),
    )


def _write_dbf(path: Path, fields: list[tuple[str, str, int, int]], rows: list[tuple[Any, ...]]) -> None:
    """A dBase III file: a header, a description of each field, rows of fixed width."""
    head = struct.pack(
        "<B3BIHH20x", 3, 124, 1, 1, len(rows), 33 + 32 * len(fields), 1 + sum(field[2] for field in fields)
    )
    described = b"".join(
        struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), *size) for name, kind, *size in fields
    )
    lines = b""
    for row in rows:
        texts = [str(value).encode() for value in row]
        lines += b" " + b"".join(
            text.rjust(length) if kind == "N" else text.ljust(length)
            for text, (_, kind, length, _) in zip(texts, fields, strict=True)
        )
    path.write_bytes(head + described + b"\r" + lines + b"\x1a")
