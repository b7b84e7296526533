"""What landing does with columns and types that are not what they were."""

from decimal import Decimal

import pyarrow as pa
import pytest

from connectors.extraction.request import Request
from connectors.extraction.spool import Spool
from tests.connectors.scripted import Shop, batch_of


@pytest.fixture
def shop(warehouse, tmp_path) -> Shop:
    return Shop(warehouse, tmp_path / "home")


class TestDrift:
    def test_a_new_column_is_taken_in_and_reported(self, shop: Shop):
        first, second = shop.land_rows({"id": 1})[0], shop.land_rows({"id": 2, "colour": "red"})[0]
        assert shop.batch(first).checks == []
        [check] = shop.batch(second).checks
        assert (check["name"], check["status"]) == ("new_columns", "warned")
        assert check["detail"] == "new here, taken in: colour"
        assert shop.batch(first).schema_version != shop.batch(second).schema_version
        assert shop.query("select id, colour from raw_shop.orders order by id") == [(1, None), (2, "red")]

    def test_a_vanished_column_is_reported_and_null(self, shop: Shop):
        shop.land_rows({"id": 1, "colour": "red"})
        [batch_id] = shop.land_rows({"id": 2})
        [check] = shop.batch(batch_id).checks
        assert (check["name"], check["detail"]) == ("missing_columns", "no longer there, read as null: colour")
        assert shop.query("select colour from raw_shop.orders where id = 2") == [(None,)]

    def test_a_column_without_a_value_has_not_vanished(self, shop: Shop):
        shop.land_rows({"id": 1, "colour": "red"})
        [batch_id] = shop.land_rows({"id": 2, "colour": None})
        assert shop.batch(batch_id).checks == []

    def test_a_changed_type_is_refused_and_taken_once_mended(self, shop: Shop):
        shop.land_rows({"id": 1, "amount": 5})
        [refused] = shop.land_rows({"id": 2, "amount": "5 EUR"})
        detail = shop.batch(refused).checks[0]["detail"]
        assert detail == "a changed type: the column amount is bigint in the warehouse and text in what comes now"
        assert shop.land_rows({"id": 2, "amount": "5 EUR"}) == []
        [mended] = shop.land_rows({"id": 2, "amount": 6})
        assert shop.batch(mended).status == "landed"
        assert shop.query("select id, amount from raw_shop.orders order by id") == [(1, 5), (2, 6)]

    def test_decimals_may_grow(self, shop: Shop):
        shop.land_rows({"id": 1, "amount": Decimal("1.5")})
        [batch_id] = shop.land_rows({"id": 2, "amount": Decimal("123456789012345.12345")})
        assert shop.batch(batch_id).status == "landed"
        assert shop.query("select amount from raw_shop.orders where id = 2") == [(Decimal("123456789012345.12345"),)]

    @pytest.mark.parametrize(
        ("first", "second"),
        [(pa.array([True]), pa.array([5])), (pa.array([5]), pa.array(["x"])), (pa.array([5]), pa.array([1.5]))],
    )
    def test_a_type_that_changes_on_the_way_is_refused_and_others_land(
        self, shop: Shop, first: pa.Array, second: pa.Array
    ):
        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders") as portion:
                portion.write(pa.record_batch({"v": first}))
                portion.write(pa.record_batch({"v": second}))
            with spool.portion("items") as portion:
                portion.write(batch_of([{"id": 2}]))

        refused, landed = (shop.batch(batch_id) for batch_id in shop.land(script))
        assert (refused.table_name, refused.status, landed.status) == ("orders", "refused", "landed")
        assert "a changed type: the column v is" in refused.checks[0]["detail"]

    def test_a_number_that_an_older_column_would_round_is_refused(self, shop: Shop):
        shop.land_rows({"id": 1, "amount": Decimal("1.25")})
        shop.query("alter table raw_shop.orders alter amount type numeric(10,2)")
        [fits] = shop.land_rows({"id": 2, "amount": Decimal("12.5")})
        [refused] = shop.land_rows({"id": 3, "amount": Decimal("1.2345")})
        assert shop.batch(fits).status == "landed"
        assert "amount is numeric(10,2) in the warehouse and numeric" in shop.batch(refused).checks[0]["detail"]

    def test_more_columns_than_a_table_may_have_are_refused(self, shop: Shop):
        shop.land_rows({f"a{n}": n for n in range(900)}, key=None)
        [refused] = shop.land_rows({f"b{n}": n for n in range(900)}, key=None)
        assert "1,800 columns; 1,500 are possible" in shop.batch(refused).checks[0]["detail"]

    def test_a_name_much_like_our_own_is_any_name(self, shop: Shop):
        shop.land_rows({"id": 1, "_row_numbers": 5})
        [refused] = shop.land_rows({"id": 2, "_row_numbers": "x"})
        assert "a changed type" in shop.batch(refused).checks[0]["detail"]

    def test_calendar_intervals_are_text(self, shop: Shop):
        spans = pa.array([pa.MonthDayNano([14, 3, 1_500_000_000]), None], pa.month_day_nano_interval())
        [batch_id] = shop.land_rows(
            *[{"span": span} for span in spans.to_pylist()], key=None, columns={"span": spans.type}
        )
        assert shop.batch(batch_id).status == "landed"
        assert shop.query("select span from raw_shop.orders order by 1") == [("P14M3DT1.5S",), (None,)]
