"""What landing does with whole copies of a table: the same again, rows that are gone, parts refused."""

from typing import Any

import pyarrow as pa
import pytest

from connectors.extraction.request import RefusedError, Request
from connectors.extraction.spool import Spool
from tests.connectors.scripted import Shop, batch_of


@pytest.fixture
def shop(warehouse, tmp_path) -> Shop:
    return Shop(warehouse, tmp_path / "home")


class TestPartsOfATable:
    """A table in two portions, of which one may be refused."""

    def land(
        self, shop: Shop, first: list[dict[str, Any]] | None, second: list[dict[str, Any]] | None, **said: Any
    ) -> Any:
        def script(_: Request, spool: Spool) -> None:
            for rows in (first, second):
                with spool.portion("orders", key=["id"], complete=said.get("complete", False)) as portion:
                    if rows is None:
                        raise RefusedError("not a table")
                    portion.write(batch_of(rows))
                    portion.state = {"at": max(row["id"] for row in rows)}

        return [shop.batch(batch_id) for batch_id in shop.land(script)]

    def test_the_next_run_starts_where_a_refused_part_did(self, shop: Shop):
        landed, refused = self.land(shop, [{"id": 1}], None)
        assert (landed.status, landed.state, refused.status) == ("landed", None, "refused")
        [whole] = self.land(shop, [{"id": 1}], [{"id": 2}])
        assert whole.state == {"at": 2}

    def test_what_a_refused_part_held_is_not_gone(self, shop: Shop):
        self.land(shop, [{"id": 1}], [{"id": 2}], complete=True)
        for name in "xyz":
            batches = self.land(shop, [{"id": 1, "name": name}], None, complete=True)
            assert [batch.deleted_count for batch in batches if batch.status == "landed"] == [0]


class TestCompleteCopies:
    def test_the_same_again_is_no_news(self, shop: Shop):
        assert shop.land_rows({"id": 1}, {"id": 2}, complete=True)
        assert shop.land_rows({"id": 1}, {"id": 2}, complete=True) == []
        assert shop.land_rows({"id": 1}, {"id": 2}, complete=True, full_refresh=True)

    def test_a_missing_key_is_a_deletion(self, shop: Shop):
        shop.land_rows({"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}, complete=True)
        [second] = shop.land_rows({"id": 1, "name": "a"}, {"id": 4, "name": "d"}, complete=True)
        batch = shop.batch(second)
        assert (batch.row_count, batch.deleted_count) == (2, 2)
        assert shop.query("select id, name, _row_number from raw_shop.orders where _dlt_deleted order by id") == [
            (2, None, 3),
            (3, None, 4),
        ]
        # What is gone is not gone again; what comes back may go again.
        [third] = shop.land_rows({"id": 1, "name": "x"}, {"id": 2, "name": "b"}, complete=True)
        assert shop.batch(third).deleted_count == 1
        [fourth] = shop.land_rows({"id": 1, "name": "x"}, complete=True)
        assert shop.query(
            f"select id from raw_shop.orders where _dlt_deleted and _dlt_load_id = '{shop.batch(fourth).load_id}'"
        ) == [(2,)]

    def test_deletions_against_a_refused_batch_do_not_count(self, shop: Shop):
        shop.land_rows({"id": 1}, {"id": 2}, complete=True)
        [refused] = shop.land_rows({"id": 9}, complete=True)
        shop.query(f"update ops.batches set status = 'refused' where batch_id = {refused}")
        [third] = shop.land_rows({"id": 1}, complete=True)
        assert shop.batch(third).deleted_count == 1

    def test_nothing_at_all_is_refused_unless_insisted(self, shop: Shop):
        shop.land_rows({"id": 1}, complete=True)
        [refused] = shop.land_rows(complete=True, columns={"id": pa.int64()})
        assert "without a single row" in shop.batch(refused).checks[0]["detail"]
        assert shop.land_rows(complete=True, columns={"id": pa.int64()}) == []
        [emptied] = shop.land_rows(complete=True, columns={"id": pa.int64()}, full_refresh=True)
        assert (shop.batch(emptied).row_count, shop.batch(emptied).deleted_count) == (0, 1)

    def test_rows_set_aside_are_not_taken_for_gone(self, shop: Shop):
        shop.land_rows({"id": 1}, {"id": 2}, complete=True)

        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders", key=["id"], complete=True) as portion:
                portion.write(batch_of([{"id": 1}]))
                portion.set_aside({"record": {"id": 2}, "reason": "broken"})

        [batch_id] = shop.land(script)
        assert shop.batch(batch_id).deleted_count == 0
        # The same rows with nothing set aside do say that the other is gone.
        [batch_id] = shop.land_rows({"id": 1}, complete=True)
        assert shop.batch(batch_id).deleted_count == 1

    def test_what_lies_in_memory_under_a_null_is_no_news(self, shop: Shop):
        def script(garbage: int) -> Any:
            def write(_: Request, spool: Spool) -> None:
                bits, values = (
                    pa.py_buffer(bytes([0b1 | garbage << 2])),
                    pa.py_buffer(bytes([7, *[0] * 7, garbage, *[0] * 7])),
                )
                numbers = pa.Array.from_buffers(pa.int64(), 2, [bits, values])
                flags = pa.Array.from_buffers(pa.bool_(), 2, [None, bits])
                with spool.portion("orders", complete=True) as portion:
                    portion.write(pa.record_batch({"n": numbers, "is": flags, "t": pa.array(["a", None])}))

            return write

        assert shop.land(script(0))
        assert shop.land(script(5)) == []

    def test_an_empty_table_may_gain_a_column(self, shop: Shop):
        shop.land_rows(complete=True, columns={"id": pa.int64()})
        [batch_id] = shop.land_rows(complete=True, columns={"id": pa.int64(), "name": pa.string()})
        assert shop.batch(batch_id).status == "landed"

    def test_an_empty_table_lands_its_columns(self, shop: Shop):
        [batch_id] = shop.land_rows(complete=True, columns={"id": pa.int64(), "name": pa.string()})
        assert shop.batch(batch_id).row_count == 0
        assert shop.query("select id, name from raw_shop.orders") == []
