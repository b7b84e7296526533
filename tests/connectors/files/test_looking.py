"""`check` and `discover` on files: how they would be read, what is in them, and what to write for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.files.kind import FilesSource
from connectors.inspection import check, discover
from connectors.source import SourceConfig, Surroundings

Write = Callable[..., Path]
Configured = Callable[[str], SourceConfig]


def test_check_tells_how_a_file_would_be_read(write: Write, configured: Configured) -> None:
    write("a.csv", "id;name\n1;café\n".encode("latin-1"))
    [table] = check(configured("{a: {path: data/a.csv}}"))
    assert table["reading"] == {  # type: ignore[typeddict-item]
        "format": "csv", "delimiter": ";", "quote": '"', "encoding": "windows-1252", "header": True,
    }  # fmt: skip


def test_discover_proposes_types_key_and_settings_that_land_without_a_misfit(
    write: Write, configured: Configured, shop: Callable[[str], Any]
) -> None:
    path = write(
        "orders.csv",
        "Order ID;Customer ID;zip;Amount;Paid;Day;At;Tags\n"
        '1;7;01234;1.5;true;2024-01-31;2024-01-31 10:00;"[1]"\n'
        "2;7;;;false;31-01-2024;2024-01-31T10:00:00Z;\n",
    )
    [orders] = discover(configured("{orders: {path: data/orders.csv}}"))
    assert orders["key"] == ["order_id"]
    assert orders["types"] == {
        "order_id": "integer", "customer_id": "integer", "zip": "text", "amount": "number", "paid": "boolean",
        "day": "date", "at": "timestamp", "tags": "json",
    }  # fmt: skip
    assert orders["settings"] == {
        "path": str(path), "format": "csv", "delimiter": ";", "quote": '"', "header": True,
        "key": "order_id", "columns": orders["types"],
    }  # fmt: skip
    source = shop(str({"orders": orders["settings"]}).replace("True", "true"))
    source.land()
    assert source.column("select amount from raw_shop.orders order by order_id") == [1.5, None]
    assert source.column("select quarantined_count from ops.batches") == [0]


def test_a_key_is_proposed_only_where_every_row_has_its_own(write: Write, configured: Configured) -> None:
    write("a.csv", "id,user_id\n1,5\n1,6\n")
    write("b.csv", "id,name\n1,x\n,y\n")
    write("c.jsonl", '{"event_id":"a"}\n{"event_id":"b"}\n')
    found = discover(configured("{a: {path: data/a.csv}, b: {path: data/b.csv}, c: {path: data/c.jsonl}}"))
    assert [table["key"] for table in found] == [["user_id"], [], ["event_id"]]


def test_a_folder_alone_is_looked_through_for_tables(write: Write, tmp_path: Path) -> None:
    for name in ("retail/2010-12-01.csv", "retail/2010-12-02.csv", "trips_2018-01.csv", "trips_2019-01.csv.gz"):
        write(name, "id,v\n1,2\n")
    write("notes.md", "nothing to read")
    write("people.json", '[{"id":1}]')
    surroundings = Surroundings("shop", tmp_path, tmp_path / "home", draft=True)
    draft = FilesSource.model_validate({"name": "shop", "kind": "files", "root": "data"}, context=surroundings)
    found = {table["table_name"]: table for table in discover(draft)}
    assert {name: table["settings"]["path"] for name, table in found.items()} == {
        "people": "people.json", "retail": "retail/*.csv", "trips": ["trips_*.csv", "trips_*.csv.gz"],
    }  # fmt: skip
    assert not any(table["configured"] for table in found.values())
    tables = {name: table["settings"] for name, table in found.items()}
    whole = FilesSource.model_validate(
        {"name": "shop", "kind": "files", "root": "data", "tables": tables}, context=surroundings
    )
    assert {table["table_name"]: table["files"] for table in check(whole)} == {"people": 1, "retail": 2, "trips": 2}


@pytest.mark.parametrize("option", ["secret", "token", "account_key", "connection_string"])
def test_options_of_a_store_are_never_shown(tmp_path: Path, option: str) -> None:
    source = FilesSource.model_validate(
        {"name": "s", "kind": "files", "tables": {"t": {"path": "x"}},
         "storage_options": {option: "hush", "client_kwargs": {"deep": "hush", "n": 1}}},
        context=Surroundings("s", tmp_path, tmp_path),
    )  # fmt: skip
    assert "hush" not in f"{source!r} {source} {source.model_dump()} {source.model_dump_json()}"
