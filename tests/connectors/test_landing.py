"""Landing: what is in raw and in the ledger afterwards, what is landed again and what is not."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warehouse.errors import DataInsightError

Write = Callable[..., Path]
Build = Callable[[str], Any]

ORDERS = "{orders: {path: data/orders_*.csv, key: Order ID}}"


def test_rows_files_and_batch_of_a_first_load(write: Write, shop: Build) -> None:
    first = write("orders_1.csv", "Order ID,amount\n1,\n2,x\n")
    second = write("orders_2.csv.gz", gzip.compress(b"\xef\xbb\xbfOrder ID,amount\n3,5\n"))
    orders = shop("{orders: {path: 'data/orders_*', key: Order ID}}")
    [batch_id] = orders.land()
    rows = orders.all("select order_id, amount, _row_number from raw_shop.orders order by _row_number")
    assert [tuple(row.values()) for row in rows] == [("1", "", 1), ("2", "x", 2), ("3", "5", 3)]
    [batch] = orders.batches()
    assert batch["batch_id"] == batch_id
    assert (batch["source"], batch["table_name"], batch["status"]) == ("shop", "orders", "landed")
    assert (batch["row_count"], batch["quarantined_count"], batch["key_columns"]) == (3, 0, ["order_id"])
    assert orders.column("select distinct _dlt_load_id from raw_shop.orders") == [batch["load_id"]]
    assert orders.column(f"select status from raw_shop._dlt_loads where load_id = '{batch['load_id']}'") == [0]
    files = orders.all("select path, size_bytes, row_count, first_row_number, columns from ops.files order by path")
    assert [tuple(file.values()) for file in files] == [
        (str(first), first.stat().st_size, 2, 1, ["order_id", "amount"]),
        (str(second), second.stat().st_size, 1, 3, ["order_id", "amount"]),
    ]


def test_the_fast_path_is_taken_with_the_loaders_rights(
    write: Write, shop: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row arrives through ADBC's bulk ingest, from Parquet, as the role loader."""
    from adbc_driver_manager import dbapi

    ingested = []
    ingest = dbapi.Cursor.adbc_ingest

    def counting(self: Any, table: str, *arguments: Any, **options: Any) -> int:
        rows: int = ingest(self, table, *arguments, **options)
        ingested.append((table, rows))
        return rows

    monkeypatch.setattr(dbapi.Cursor, "adbc_ingest", counting)
    write("orders_1.csv", "Order ID\n1\n2\n")
    orders = shop(ORDERS)
    orders.land()
    assert ingested == [("orders", 2)]
    owners = orders.column("select tableowner from pg_tables where schemaname = 'raw_shop'")
    assert set(owners) == {"loader"}
    [index] = orders.column("select indexdef from pg_indexes where schemaname = 'raw_shop' and tablename = 'orders'")
    assert "USING brin (_dlt_load_id)" in index


def test_nothing_is_written_outside_the_home_folder(write: Write, shop: Build, tmp_path: Path) -> None:
    write("orders_1.csv", "Order ID\n1\n")
    before = {path for path in tmp_path.rglob("*") if "home" not in path.relative_to(tmp_path).parts}
    shop(ORDERS).land()
    after = {path for path in tmp_path.rglob("*") if "home" not in path.relative_to(tmp_path).parts}
    assert after - before == {tmp_path / "sources.yaml"}
    assert not Path("/var/dlt").exists()
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]


def test_only_new_content_is_landed_again(write: Write, shop: Build) -> None:
    path = write("orders_1.csv", "Order ID,v\n1,a\n")
    orders = shop(ORDERS)
    assert len(orders.land()) == 1
    assert orders.land() == []
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert orders.land() == [], "touched, not changed"
    write("orders_1.csv", "Order ID,v\n1,b\n")
    write("orders_2.csv", "Order ID,v\n2,c\n")
    assert len(orders.land()) == 1
    path.rename(path.with_name("orders_3.csv"))
    assert len(orders.land()) == 1, "another path is another file"
    assert orders.land() == []
    assert orders.column("select v from raw_shop.orders order by _dlt_load_id, _row_number") == ["a", "b", "c", "b"]


def test_a_file_that_went_back_to_what_it_said_is_new_again(write: Write, shop: Build) -> None:
    orders = shop(ORDERS)
    for said in ("a", "b", "a"):
        write("orders_1.csv", f"Order ID,v\n1,{said}\n")
        assert len(orders.land()) == 1
    assert orders.column("select v from raw_shop.orders order by _dlt_load_id, _row_number") == ["a", "b", "a"]


def test_a_full_refresh_lands_every_file_again(write: Write, shop: Build) -> None:
    write("orders_1.csv", "Order ID,v\n1,a\n")
    orders = shop(ORDERS)
    orders.land()
    assert len(orders.land(full_refresh=True)) == 1
    assert orders.column("select count(*) from raw_shop.orders") == [2]
    assert orders.land() == []


def test_several_tables_are_one_load_and_a_batch_each(write: Write, shop: Build) -> None:
    write("orders_1.csv", "Order ID\n1\n")
    write("events.jsonl", '{"id":"a","at":{"x":1}}\n{"id":null}\n')
    both = shop("{orders: {path: data/orders_*.csv}, events: {path: data/events.jsonl, key: id}}")
    both.land()
    assert [(batch["table_name"], batch["row_count"]) for batch in both.batches()] == [("orders", 1), ("events", 2)]
    assert len({batch["load_id"] for batch in both.batches()}) == 1
    rows = both.all("select id, at from raw_shop.events order by _row_number")
    assert rows == [{"id": "a", "at": '{"x":1}'}, {"id": None, "at": None}]


def test_files_with_other_columns_land_as_the_union(write: Write, shop: Build) -> None:
    write("orders_1.csv", "Order ID,a\n1,x\n")
    write("orders_2.csv", "Order ID,b\n2,y\n")
    orders = shop(ORDERS)
    orders.land()
    write("orders_3.csv", "Order ID,c\n3,z\n")
    orders.land()
    rows = orders.all("select order_id, a, b, c from raw_shop.orders order by order_id")
    assert [tuple(row.values()) for row in rows] == [
        ("1", "x", None, None), ("2", None, "y", None), ("3", None, None, "z"),
    ]  # fmt: skip
    assert orders.column("select columns from ops.files order by path") == [
        ["order_id", "a"], ["order_id", "b"], ["order_id", "c"],
    ]  # fmt: skip
    versions = [batch["schema_version"] for batch in orders.batches()]
    assert len(set(versions)) == 2


def test_a_header_alone_lands_as_a_batch_without_rows(write: Write, shop: Build) -> None:
    write("orders_1.csv", "Order ID,amount\n")
    orders = shop(ORDERS)
    orders.land()
    [batch] = orders.batches()
    assert (batch["status"], batch["row_count"]) == ("landed", 0)
    assert orders.column("select count(amount) from raw_shop.orders") == [0]
    assert orders.column("select load_id from raw_shop._dlt_loads") == [batch["load_id"]]
    assert orders.land() == []
    write("orders_2.csv", "Order ID,amount\n1,2\n")
    orders.land()
    assert orders.column("select amount from raw_shop.orders") == ["2"]


def test_a_load_without_a_ledger_row_does_not_count(write: Write, shop: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a kill between the load and the ledger: raw has the rows twice, the ledger names one load."""
    write("orders_1.csv", "Order ID\n1\n")
    orders = shop(ORDERS)

    def killed(*_: Any) -> list[int]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("connectors.landing.land._record", killed)
        with pytest.raises(KeyboardInterrupt):
            orders.land()
    assert orders.batches() == []
    orders.land()
    assert orders.column("select count(*) from raw_shop.orders") == [2]
    counted = "select count(*) from raw_shop.orders where _dlt_load_id in (select load_id from ops.batches)"
    assert orders.column(counted) == [1]
    assert orders.land() == []


def test_two_processes_take_turns(write: Write, shop: Build) -> None:
    """While another session lands the source, ours waits; afterwards it finds nothing left to do."""
    from concurrent.futures import ThreadPoolExecutor

    write("orders_1.csv", "Order ID\n1\n")
    orders = shop(ORDERS)
    with ThreadPoolExecutor(2) as pool:
        landed = list(pool.map(lambda _: orders.land(), range(2)))
    assert sorted(map(len, landed)) == [0, 1]
    assert orders.column("select count(*) from raw_shop.orders") == [1]


def test_a_full_refresh_of_a_table_without_key_replaces_it(write: Write, shop: Build) -> None:
    write("clicks_1.csv", "at,what\n1,a\n1,a\n")
    first = write("clicks_2.csv", "at,what\n2,b\n")
    clicks = shop("{clicks: {path: data/clicks_*.csv}}")
    clicks.land()
    [batch_id] = clicks.land(full_refresh=True)
    assert [batch["is_complete"] for batch in clicks.batches()] == [False, True]
    first.unlink()
    with pytest.raises(DataInsightError, match="has no key, and 1 files of it that landed are not there any more"):
        clicks.land(full_refresh=True)
    assert clicks.batches()[-1]["batch_id"] == batch_id
