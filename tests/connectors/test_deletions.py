"""Which keys a complete copy says are gone."""

from typing import Any

import pyarrow as pa
import pytest

from connectors.extraction.request import Request
from connectors.extraction.spool import Spool
from tests.connectors.scripted import Shop, batch_of

# What staging reads: the newest admitted version of each key, unless it is a deletion.
LIVE = (
    "select name from (select distinct on (trim(cast(id as text))) name, _dlt_deleted from raw_shop.orders"
    " join ops.batches on load_id = _dlt_load_id where status <> 'refused'"
    " order by trim(cast(id as text)), batch_id desc, _row_number desc) as latest"
    " where _dlt_deleted is not true order by name"
)


@pytest.fixture
def shop(warehouse, tmp_path) -> Shop:
    return Shop(warehouse, tmp_path / "home")


def copy(shop: Shop, *rows: dict[str, Any], key: tuple[str, ...] = ("id",), **said: Any) -> int:
    """Land a complete copy; gives how many keys are gone."""

    def script(_: Request, spool: Spool) -> None:
        with spool.portion("orders", key=key, complete=True) as portion:
            portion.write(batch_of(rows, said.get("columns")))

    [batch_id] = shop.land(script, full_refresh=said.get("full_refresh", False))
    batch = shop.batch(batch_id)
    assert batch.status == "landed"
    return int(batch.deleted_count)


def test_a_key_that_was_cleaned_up_is_not_gone(shop: Shop):
    copy(shop, {"id": "1 ", "name": "a"}, {"id": "2", "name": "b"})
    assert copy(shop, {"id": "1", "name": "a"}, {"id": " 2", "name": "b"}) == 0
    assert copy(shop, {"id": "1 ", "name": "a"}) == 1
    assert shop.query(LIVE) == [("a",)]


def test_a_key_with_a_part_that_is_null_may_go(shop: Shop):
    key = ("org", "id")
    columns = {"org": pa.string(), "id": pa.int64()}
    said: Any = {"key": key, "columns": columns}
    copy(shop, {"org": None, "id": 1}, {"org": None, "id": 2}, {"org": "a", "id": 1}, {"org": None, "id": None}, **said)
    assert copy(shop, {"org": None, "id": 2}, **said) == 2
    assert shop.query("select org, id from raw_shop.orders where _dlt_deleted order by org") == [("a", 1), (None, 1)]
    assert copy(shop, {"org": None, "id": 2}, {"org": "b", "id": 5}, **said) == 0


def test_a_key_that_is_null_in_every_row_is_never_gone(shop: Shop):
    columns = {"id": pa.null(), "name": pa.string()}
    assert copy(shop, {"id": None, "name": "a"}, columns=columns) == 0
    assert copy(shop, {"id": None, "name": "b"}, columns=columns) == 0


def test_a_part_that_is_null_in_every_row_tells_nothing_apart(shop: Shop):
    said: Any = {"key": ("org", "id"), "columns": {"org": pa.null(), "id": pa.int64()}}
    copy(shop, {"org": None, "id": 1}, {"org": None, "id": 2}, **said)
    assert copy(shop, {"org": None, "id": 2}, **said) == 1
    assert shop.query("select id from raw_shop.orders where _dlt_deleted") == [(1,)]


def test_a_table_that_was_refused_and_is_empty_now_deletes_nothing(shop: Shop):
    [refused] = shop.land_rows({"name": "a"}, complete=True)
    assert shop.batch(refused).status == "refused"

    def nothing(_: Request, spool: Spool) -> None:
        with spool.portion("orders", key=["id"], complete=True):
            pass

    shop.land(nothing)
    assert copy(shop, {"id": 1}) == 0


class TestHistory:
    """Only what came from the last complete copy on is read; what it cannot say is looked for further back."""

    def test_what_is_gone_is_found_in_copies_and_between_them(self, shop: Shop):
        copy(shop, {"id": 1}, {"id": 2}, {"id": 3})
        assert copy(shop, {"id": 1}, {"id": 2}) == 1
        shop.land_rows({"id": 4})
        shop.land_rows({"id": 3})
        assert copy(shop, {"id": 1}) == 3
        assert copy(shop, {"id": 1}, {"id": 5}) == 0

    def test_earlier_copies_are_not_read_again(self, shop: Shop):
        copy(shop, {"id": 1}, {"id": 2})
        copy(shop, {"id": 1}, {"id": 3})
        # Nobody does this; it shows what is read.
        shop.query("delete from raw_shop.orders where _dlt_deleted")
        assert copy(shop, {"id": 1}) == 1
        assert shop.query("select id from raw_shop.orders where _dlt_deleted") == [(3,)]

    def test_a_copy_of_which_rows_were_set_aside_did_not_say_what_is_gone(self, shop: Shop):
        copy(shop, {"id": 1}, {"id": 2})

        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders", key=["id"], complete=True) as portion:
                portion.write(batch_of([{"id": 1}]))
                portion.set_aside({"record": {"id": 2}, "reason": "broken"})

        shop.land(script)
        assert copy(shop, {"id": 1}) == 1

    def test_a_deletion_that_was_refused_is_said_again(self, shop: Shop):
        copy(shop, {"id": 1}, {"id": 2})
        assert copy(shop, {"id": 1}) == 1
        assert copy(shop, {"id": 1}, {"id": 3}) == 0
        shop.query("update ops.batches set status = 'refused' where deleted_count = 1")
        assert copy(shop, {"id": 1}) == 2

    def test_a_copy_under_another_key_did_not_say_it_of_this_one(self, shop: Shop):
        copy(shop, {"id": 1, "name": "a"}, {"id": 2, "name": "b"})
        assert copy(shop, {"id": 1, "name": "b"}, key=("name",)) == 1
        assert copy(shop, {"id": 1, "name": "c"}) == 1
