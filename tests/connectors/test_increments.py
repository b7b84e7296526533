"""What landing does with tables that are asked for what is new."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.extraction.request import Request
from connectors.extraction.spool import Spool
from connectors.extraction.window import Window
from tests.connectors.scripted import Shop, batch_of


@pytest.fixture
def shop(warehouse, tmp_path) -> Shop:
    return Shop(warehouse, tmp_path / "home")


class TestIncremental:
    def rows(self, *numbers: int, change: str = "") -> list[dict[str, Any]]:
        return [{"id": n, "at": datetime(2024, 1, n, tzinfo=UTC), "note": f"{n}{change}"} for n in numbers]

    def extract(self, rows: list[dict[str, Any]], lag: timedelta | None = None, key: Sequence[str] = ("id",)) -> Any:
        """A script that reads a table as a database would: from the cursor on."""

        def script(request: Request, spool: Spool) -> None:
            window = Window(request.state("orders"), "at", lag)
            with spool.portion("orders", key=key, complete=window.start is None) as portion:
                asked = [row for row in rows if window.start is None or row["at"] >= window.start]
                if asked:
                    portion.write(window.fresh(batch_of(asked)))
                portion.state = window.state(portion.read())

        return script

    def test_only_what_is_new(self, shop: Shop):
        shop.land(self.extract(self.rows(1, 2, 3)))
        assert shop.land(self.extract(self.rows(1, 2, 3))) == []
        [batch_id] = shop.land(self.extract(self.rows(1, 2, 3, 4)))
        assert shop.batch(batch_id).row_count == 1

    def test_a_second_row_at_the_boundary_is_found(self, shop: Shop):
        shop.land(self.extract(self.rows(1, 2)))
        late = [*self.rows(1, 2), {**self.rows(2)[0], "id": 9}]
        [batch_id] = shop.land(self.extract(late))
        assert shop.query(f"select id from raw_shop.orders where _dlt_load_id = '{shop.batch(batch_id).load_id}'") == [
            (9,)
        ]

    def test_late_rows_within_the_lag(self, shop: Shop):
        lag = timedelta(days=3)
        shop.land(self.extract(self.rows(1, 2, 6, 7), lag))
        [batch_id] = shop.land(self.extract(self.rows(1, 2, 3, 5, 6, 7), lag))
        assert shop.query(f"select id from raw_shop.orders where _dlt_load_id = '{shop.batch(batch_id).load_id}'") == [
            (5,)
        ]
        assert shop.land(self.extract(self.rows(1, 2, 3, 5, 6, 7), lag)) == []
        [changed] = shop.land(self.extract(self.rows(6, change="!"), lag))
        assert shop.batch(changed).row_count == 1

    def test_rows_without_a_cursor_land_once(self, shop: Shop):
        """As a database asks: from the cursor on, or without one."""
        rows = [*self.rows(1), {"id": 7, "at": None, "note": "x"}]

        def script(request: Request, spool: Spool) -> None:
            window = Window(request.state("orders"), "at")
            with spool.portion("orders", key=["id"], complete=window.start is None) as portion:
                portion.write(
                    window.fresh(
                        batch_of(
                            [r for r in rows if window.start is None or r["at"] is None or r["at"] >= window.start]
                        )
                    )
                )
                portion.state = window.state(portion.read())

        assert shop.land(script)
        for day in (2, 3):
            rows += self.rows(day)
            [batch_id] = shop.land(script)
            assert shop.batch(batch_id).row_count == 1

    def test_a_refused_batch_is_extracted_again_with_what_came_since(self, shop: Shop):
        shop.land(self.extract(self.rows(1)))
        [refused] = shop.land(self.extract(self.rows(1, 2)))
        shop.query(f"update ops.batches set status = 'refused' where batch_id = {refused}")
        assert shop.land(self.extract(self.rows(1, 2))) == []
        [batch_id] = shop.land(self.extract(self.rows(1, 2, 3)))
        assert shop.batch(batch_id).row_count == 2

    def test_the_scale_of_a_number_is_no_change(self, shop: Shop):
        amounts = [Decimal("1.25"), Decimal(5)]
        rows = [{**row, "amount": amount} for row, amount in zip(self.rows(1, 2), amounts, strict=True)]
        shop.land(self.extract(rows))
        assert shop.land(self.extract(rows)) == []

    def test_a_row_that_changes_back_lands_again(self, shop: Shop):
        lag = timedelta(days=3)
        for change in ("", " paid", ""):
            [batch_id] = shop.land(self.extract(self.rows(6, change=change), lag))
            assert shop.batch(batch_id).row_count == 1
        assert shop.land(self.extract(self.rows(6), lag)) == []

    def test_the_same_row_twice_is_two_rows_where_there_is_no_key(self, shop: Shop):
        row = {"at": datetime(2024, 1, 1, tzinfo=UTC), "what": "click"}
        for given, landed in ((1, [1]), (3, [2]), (3, []), (4, [1])):
            ids = shop.land(self.extract([row] * given, key=()))
            assert [shop.batch(batch_id).row_count for batch_id in ids] == landed
        assert shop.query("select count(*) from raw_shop.orders") == [(4,)]

    def test_a_cursor_of_another_type_is_refused_and_taken_once_mended(self, shop: Shop):
        shop.land(self.extract([{"id": 1, "at": date(2024, 1, 1)}]))

        def script(request: Request, spool: Spool) -> None:
            window = Window(request.state("orders"), "at")
            with spool.portion("orders", key=["id"]) as portion:
                portion.write(window.fresh(batch_of(self.rows(2))))
                portion.state = window.state(portion.read())
            with spool.portion("items") as portion:
                portion.write(batch_of([{"id": 2}]))

        refused, landed = (shop.batch(batch_id) for batch_id in shop.land(script))
        assert (refused.table_name, refused.status, landed.status) == ("orders", "refused", "landed")
        assert "the cursor at was date up to now and is timestamp with time zone" in refused.checks[0]["detail"]
        [mended] = shop.land(self.extract([{"id": 3, "at": date(2024, 1, 2)}]))
        assert shop.batch(mended).status == "landed"

    def test_full_refresh_asks_for_everything(self, shop: Shop):
        shop.land(self.extract(self.rows(1, 2)))
        [batch_id] = shop.land(self.extract(self.rows(2)), full_refresh=True)
        assert (shop.batch(batch_id).row_count, shop.batch(batch_id).deleted_count) == (1, 1)
