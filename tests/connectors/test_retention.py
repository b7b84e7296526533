"""What is removed from raw, and what is not."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.landing.retention import prune
from tests.connectors.scripted import ScriptedSource, Shop

LATER = datetime.now(UTC) + timedelta(days=40)


@pytest.fixture
def shop(warehouse, tmp_path) -> Shop:
    return Shop(warehouse, tmp_path / "home")


def pruned(shop: Shop, retention: str | None, *, now: datetime = LATER, dry_run: bool = False):
    source = ScriptedSource.that(lambda *_: None, retention=retention)
    [found] = prune(source, shop.warehouse, now=now, dry_run=dry_run)
    return found.unfinished_rows, found.replaced_rows, found.refused_rows


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
    shop.query(
        f"insert into ops.quarantine (batch_id, row_id, payload, failed_rules) values ({batch_id}, 1, '{{}}', '{{x}}')"
    )
    shop.admit()
    assert pruned(shop, "30 days") == (0, 0, 0)


def test_refused_batches_go_once_they_are_old(shop: Shop):
    [batch_id] = shop.land_rows({"id": 1, "name": "a"})
    shop.query(f"update ops.batches set status = 'refused' where batch_id = {batch_id}")
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
