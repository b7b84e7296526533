"""Landing in trouble: lines, files, paths and databases that are not what they should be, and what is said of them."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.extraction.spool import Spool
from connectors.files.extract import Incoming, read_file
from connectors.files.listing import new_files
from connectors.landing.land import land
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

Write = Callable[..., Path]
Build = Callable[[str], Any]

ORDERS = "{orders: {path: data/orders_*.csv, key: Order ID}}"


def test_lines_that_are_no_rows_go_to_quarantine_and_the_rest_lands(write: Write, shop: Build) -> None:
    write("orders_1.csv", "Order ID,amount\n1,2\n3\n4,5\n")
    cut = write("orders_2.csv", 'Order ID,amount\n6,7\n8,"cut off here')
    orders = shop(ORDERS)
    orders.land()
    [batch] = orders.batches()
    assert (batch["row_count"], batch["quarantined_count"], batch["status"]) == (5, 2, "landed")
    assert orders.column("select _row_number from raw_shop.orders order by 1") == [1, 2, 3]
    quarantined = orders.all("select row_id, payload, failed_rules from ops.quarantine order by row_id")
    assert [row["row_id"] for row in quarantined] == [4, 5]
    assert quarantined[1]["payload"] == {
        "file": str(cut), "line": 3, "text": "8,cut off here", "reason": "the file ends inside a quoted field",
    }  # fmt: skip
    assert quarantined[0]["failed_rules"] == ["unreadable_line"]


def test_objects_without_a_field_are_accounted_for_as_lines_that_are_no_rows(write: Write, shop: Build) -> None:
    write("events_1.jsonl", '{}\n{"id":1}\n')
    write("events_2.jsonl", "{}\n{}\n")
    events = shop("{events: {path: data/events_*.jsonl}}")
    events.land()
    counted = [(batch["status"], batch["row_count"], batch["quarantined_count"]) for batch in events.batches()]
    assert counted == [("landed", 2, 1), ("refused", 2, 0)]
    assert events.column("select id from raw_shop.events") == ["1"]
    assert events.column("select payload ->> 'reason' from ops.quarantine") == ["it is an object without a field"]
    assert "2 of its 2 lines cannot be read" in events.refusals()[0]


@pytest.mark.parametrize(
    ("content", "detail", "rows"),
    [
        (b"", "the file is empty", 0),
        (b"Order ID amount\n1 2\n", "it has no key column order_id; its columns are order_id_amount", 1),
        (b"id,amount\n1,2\n3,4\n", "it has no key column order_id; its columns are id, amount", 2),
        (b"Order ID,amount\n1\n2\n3,4\n", "2 of its 3 lines cannot be read", 3),
        (gzip.compress(b"Order ID\n1\n2\n")[:-4], "gzip data is broken", 2),
    ],
    ids=range(5),
)
def test_a_file_that_is_not_this_table_is_a_refused_batch(
    write: Write, shop: Build, content: bytes, detail: str, rows: int
) -> None:
    write("orders_1.csv", content)
    orders = shop(ORDERS)
    assert len(orders.land()) == 1
    [batch] = orders.batches()
    assert (batch["status"], batch["load_id"], batch["row_count"]) == ("refused", None, rows)
    assert "orders_1.csv" in batch["checks"][0]["detail"]
    assert detail in batch["checks"][0]["detail"]
    assert orders.column("select count(*) from pg_tables where schemaname = 'raw_shop'") == [0]
    assert orders.land() == [], "it is not tried again until it changes"


def test_a_refused_file_gets_another_chance_when_it_is_to_be_read_otherwise(write: Write, shop: Build) -> None:
    write("orders_1.csv", "Order ID;amount\n1;2\n")
    refusing = shop("{orders: {path: data/orders_*.csv, key: Order ID, delimiter: ','}}")
    refusing.land()
    assert "is the delimiter ';'?" in refusing.refusals()[0]
    orders = shop("{orders: {path: data/orders_*.csv, key: Order ID, delimiter: ';'}}")
    assert len(orders.land()) == 1
    assert orders.column("select amount from raw_shop.orders") == ["2"]
    assert orders.land() == []


def test_a_refused_file_does_not_keep_the_others_out(write: Write, shop: Build) -> None:
    write("orders_1.csv", "")
    write("orders_2.csv", "Order ID\n1\n")
    orders = shop(ORDERS)
    assert len(orders.land()) == 2
    assert sorted(batch["status"] for batch in orders.batches()) == ["landed", "refused"]
    write("orders_1.csv", "Order ID\n2\n")
    orders.land()
    assert orders.column("select order_id from raw_shop.orders order by 1") == ["1", "2"]


def test_a_path_that_leads_nowhere_is_an_error_until_it_has_landed(write: Write, shop: Build) -> None:
    orders = shop("{orders: {path: data/orders.csv}}")
    with pytest.raises(DataInsightError, match=r"table orders of source shop: there is no file .*data/orders\.csv"):
        orders.land()
    path = write("orders.csv", "id\n1\n")
    orders.land()
    path.unlink()
    assert orders.land() == []
    with pytest.raises(DataInsightError, match="there is no folder"):
        shop("{others: {path: 'nowhere/*.csv'}}").land()
    with pytest.raises(DataInsightError, match="is a folder; say which files"):
        shop("{more: {path: data}}").land()
    assert shop("{none: {path: 'data/*.csv'}}").land() == []


def test_a_file_that_vanishes_during_the_run_is_told_and_nothing_is_lost(
    write: Write, shop: Build, tmp_path: Path
) -> None:
    write("orders_1.csv", "Order ID\n1\n")
    orders = shop(ORDERS)
    gone = tmp_path / "data" / "orders_2.csv"
    gone.symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(DataInsightError, match=r"orders_2\.csv vanished during the run; nothing of this load counts"):
        orders.land()
    assert orders.batches() == []
    (tmp_path / "elsewhere.csv").write_text("Order ID\n2\n")
    orders.land()
    assert orders.column("select order_id from raw_shop.orders order by 1") == ["1", "2"]


def test_a_file_that_goes_or_grows_between_listing_and_reading_is_told(
    write: Write, shop: Build, tmp_path: Path
) -> None:
    path = write("orders_1.csv", "Order ID\n1\n")
    orders = shop(ORDERS)
    with orders.warehouse.engine().connect() as connection:
        [listed] = new_files(connection, "shop", "orders", orders.source.tables["orders"])
    told = (Incoming(listed, path), "orders", orders.source.tables["orders"], Spool(tmp_path / "spool"), tmp_path)
    path.write_text("Order ID\n1\n2\n")
    with pytest.raises(DataInsightError, match="was written to while it was read"):
        read_file(*told)
    path.unlink()
    with pytest.raises(DataInsightError, match="vanished during the run"):
        read_file(*told)


def test_an_unreachable_database_is_one_clear_line(write: Write, shop: Build, tmp_path: Path) -> None:
    write("orders_1.csv", "Order ID\n1\n")
    nowhere = Warehouse(sa.make_url("postgresql+psycopg2://me:secret@127.0.0.1:1/nothing"))
    with pytest.raises(DataInsightError, match=r"127\.0\.0\.1:1/nothing cannot be reached: ") as caught:
        land(shop(ORDERS).source, nowhere, tmp_path / "home")
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_load_that_the_database_refuses_is_one_clear_line(write: Write, shop: Build) -> None:
    write("orders_1.csv", "Order ID\n1\n")
    orders = shop(ORDERS)
    orders.execute("revoke create on database " + str(orders.warehouse.url_object.database) + " from loader")
    with pytest.raises(DataInsightError, match="landing source shop failed: permission denied") as caught:
        orders.land()
    assert "\n" not in caught.value.message
    assert orders.batches() == []
