"""What is removed from raw, and what is not."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from connectors.extraction.request import Request
from connectors.extraction.spool import Spool
from connectors.landing.retention import prune
from tests.connectors.scripted import ScriptedSource, Shop, batch_of

LATER = datetime.now(UTC) + timedelta(days=40)


@pytest.fixture
def shop(warehouse, tmp_path) -> Shop:
    return Shop(warehouse, tmp_path / "home")


def pruned(shop: Shop, retention: str | None, *, now: datetime = LATER, dry_run: bool = False):
    source = ScriptedSource.that(lambda *_: None, retention=retention)
    [found] = prune(source, shop.warehouse, now=now, dry_run=dry_run)
    return found.unfinished_rows, found.replaced_rows, found.refused_rows


def quarantine(shop: Shop, batch_id: int, row_id: int) -> None:
    shop.query(
        "insert into ops.quarantine (batch_id, row_id, payload, failed_rules)"
        f" values ({batch_id}, {row_id}, '{{}}', '{{x}}')"
    )


def refuse(shop: Shop, batch_id: int) -> None:
    shop.query(f"update ops.batches set status = 'refused' where batch_id = {batch_id}")


def rows(shop: Shop):
    return shop.query("select id, name from raw_shop.orders order by id, _dlt_load_id")


def test_loads_that_no_batch_names_go_always(shop: Shop):
    shop.land_rows({"id": 1, "name": "a"})
    shop.query("insert into raw_shop.orders (id, name, _row_number, _dlt_load_id) values (1, 'lost', 1, '1.1')")
    assert pruned(shop, None, dry_run=True) == (1, 0, 0)
    assert pruned(shop, None) == (1, 0, 0)
    assert rows(shop) == [(1, "a")]


def test_replaced_versions_go_once_they_are_old_and_the_newest_stays(shop: Shop):
    for name in "abc":
        shop.land_rows({"id": 1, "name": name}, {"id": 2, "name": "same"} if name == "a" else {"id": 3, "name": name})
        shop.admit()
    assert pruned(shop, "30 days", now=datetime.now(UTC)) == (0, 0, 0)
    assert pruned(shop, None) == (0, 0, 0)
    assert pruned(shop, "30 days") == (0, 3, 0)
    assert rows(shop) == [(1, "c"), (2, "same"), (3, "c")]
    assert shop.query("select pruned_count from ops.batches order by batch_id") == [(1,), (2,), (0,)]


def test_what_nobody_has_judged_replaces_nothing_and_stays(shop: Shop):
    shop.land_rows({"id": 1, "name": "a"})
    shop.admit()
    shop.land_rows({"id": 1, "name": "b"})
    assert pruned(shop, "30 days") == (0, 0, 0)


def test_a_quarantined_row_replaces_nothing(shop: Shop):
    shop.land_rows({"id": 1, "name": "a"})
    shop.admit()
    [batch_id] = shop.land_rows({"id": 1, "name": "bad"})
    quarantine(shop, batch_id, 1)
    shop.admit()
    assert pruned(shop, "30 days") == (0, 0, 0)


def test_refused_batches_go_once_they_are_old(shop: Shop):
    [batch_id] = shop.land_rows({"id": 1, "name": "a"})
    refuse(shop, batch_id)
    assert pruned(shop, "30 days") == (0, 0, 1)


def test_of_a_table_without_key_the_newest_complete_copy_stays(shop: Shop):
    for name in "ab":
        shop.land_rows({"id": 1, "name": name}, key=None, complete=True)
        shop.admit()
    assert pruned(shop, "30 days") == (0, 1, 0)
    assert rows(shop) == [(1, "b")]


def test_arrivals_without_key_all_stay(shop: Shop):
    for name in "ab":
        shop.land_rows({"id": 1, "name": name}, key=None)
        shop.admit()
    assert pruned(shop, "30 days") == (0, 0, 0)


def test_a_deletion_replaces_what_it_deletes(shop: Shop):
    shop.land_rows({"id": 1, "name": "a"}, {"id": 2, "name": "b"}, complete=True)
    shop.admit()
    shop.land_rows({"id": 1, "name": "a"}, complete=True)
    shop.admit()
    assert pruned(shop, "30 days") == (0, 2, 0)
    assert rows(shop) == [(1, "a"), (2, None)]


def test_nothing_goes_through_a_view_nor_out_of_a_copy_that_somebody_made(shop: Shop):
    shop.land_rows({"id": 1, "name": "a"}, {"id": 2, "name": "b"})
    shop.admit()
    shop.query("create view raw_shop.orders_view as select * from raw_shop.orders")
    shop.query("create table raw_shop.orders_backup as select * from raw_shop.orders")
    assert pruned(shop, None) == (0, 0, 0)
    assert rows(shop) == [(1, "a"), (2, "b")]
    assert shop.query("select count(*) from raw_shop.orders_backup") == [(2,)]


@pytest.mark.parametrize("judged", ["landed", "refused"])
def test_the_key_of_a_batch_that_was_not_admitted_does_not_count(shop: Shop, judged: str):
    for ids in ([1, 2], [3]):
        shop.land_rows(*({"id": n, "name": "a", "country": "DE"} for n in ids))
        shop.admit()
    [batch_id] = shop.land_rows({"id": 4, "name": "a", "country": "FR"}, key="country")
    if judged == "refused":
        refuse(shop, batch_id)
    assert pruned(shop, "30 days") == (0, 0, 1 if judged == "refused" else 0)
    assert rows(shop)[:3] == [(1, "a"), (2, "a"), (3, "a")]


def test_a_key_that_was_never_there_does_not_stop_pruning(shop: Shop):
    for name in "ab":
        shop.land_rows({"id": 1, "name": name})
        shop.admit()
    [refused] = shop.land_rows({"id": 1, "name": "c"}, key="idd")
    assert shop.batch(refused).status == "refused"
    assert pruned(shop, "30 days") == (0, 1, 0)


def test_of_a_table_whose_key_changed_every_version_stays(shop: Shop):
    shop.land_rows({"id": 1, "name": "a", "country": "DE"}, {"id": 2, "name": "b", "country": "DE"})
    shop.admit()
    shop.land_rows({"id": 3, "name": "c", "country": "DE"}, key="country")
    shop.admit()
    assert pruned(shop, "30 days") == (0, 0, 0)


def test_the_last_good_version_outlives_the_key(shop: Shop):
    shop.land_rows({"id": 1, "name": "a"}, {"id": 2, "name": "good"}, complete=True)
    shop.admit()
    [second] = shop.land_rows({"id": 1, "name": "b"}, {"id": 2, "name": "bad"}, complete=True)
    quarantine(shop, second, 2)
    shop.admit()
    shop.land_rows({"id": 3, "name": "c"}, key=None)
    shop.admit()
    assert pruned(shop, "30 days") == (0, 0, 0)


def test_columns_may_be_called_like_those_of_the_ledger(shop: Shop):
    for number in range(3):
        said = {"status": str(number), "landed_at": "x", "admission_seq": "x", "batch_id": "x", "source": "x"}
        [batch_id] = shop.land_rows({"id": 1, "name": "a", **said})
        if number < 2:
            shop.admit()
    refuse(shop, batch_id)
    assert pruned(shop, "30 days") == (0, 1, 1)
    assert shop.query("select status from raw_shop.orders") == [("1",)]


def test_columns_of_a_table_without_key_may_be_called_so_too(shop: Shop):
    for number in range(2):
        shop.land_rows({"status": str(number), "admission_seq": "x"}, key=None, complete=True)
        shop.admit()
    assert pruned(shop, "30 days") == (0, 1, 0)


def test_a_key_that_is_null_in_every_row_replaces_nothing(shop: Shop):
    for name in "ab":
        shop.land_rows({"id": None, "name": name}, columns={"id": pa.null(), "name": pa.string()})
        shop.admit()
    assert pruned(shop, "30 days") == (0, 0, 0)


@pytest.mark.parametrize("retention", [None, "30 days"])
def test_of_the_states_only_the_newest_are_kept(shop: Shop, retention: str | None):
    def land_with_state(number: int) -> None:
        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders", key=["id"]) as portion:
                portion.write(batch_of([{"id": number}]))
                portion.state = {"at": number}

        shop.land(script)
        shop.admit()

    for number in range(5):
        land_with_state(number)
    pruned(shop, retention)
    assert shop.query("select state ->> 'at' from ops.batches where state is not null order by 1") == [
        ("2",),
        ("3",),
        ("4",),
    ]
