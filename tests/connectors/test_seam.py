"""What landing does with whatever a kind of source gives it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from connectors.extraction.request import RefusedError, Request
from connectors.extraction.spool import Spool
from connectors.extraction.window import Window
from tests.connectors.scripted import Shop, batch_of
from warehouse.errors import DataInsightError


@pytest.fixture
def shop(warehouse, tmp_path) -> Shop:
    return Shop(warehouse, tmp_path / "home")


def test_names_and_types_are_made_fit(shop: Shop):
    [batch_id] = shop.land_rows(
        {"ID": 1, "Price €": Decimal("1.50"), "at": datetime(2024, 1, 1, tzinfo=UTC), "n": None}
    )
    assert shop.query("select id, price_eur, at from raw_shop.orders") == [
        (1, Decimal("1.50"), datetime(2024, 1, 1, tzinfo=UTC))
    ]
    assert shop.batch(batch_id).columns == {
        "id": "bigint",
        "price_eur": "numeric",
        "at": "timestamp with time zone",
        "n": "null",
    }


def test_where_it_came_from_and_what_it_cost_is_kept(shop: Shop):
    [batch_id] = shop.land_rows({"id": 1}, {"id": 2}, origin={"query": "select 1"})
    batch = shop.batch(batch_id)
    assert batch.origin == [{"query": "select 1", "rows": 2}]
    assert batch.row_count == 2
    assert batch.size_bytes > 0
    assert batch.seconds > 0


def test_nul_characters_are_replaced_and_counted(shop: Shop):
    [batch_id] = shop.land_rows({"id": 1, "note": "a\0b"}, {"id": 2, "note": "fine"})
    assert shop.query("select note from raw_shop.orders order by id") == [("a\N{REPLACEMENT CHARACTER}b",), ("fine",)]
    assert shop.batch(batch_id).origin[0]["nul_characters_replaced"] == 1


def test_columns_that_would_be_one_are_refused(shop: Shop):
    [batch_id] = shop.land_rows({"id": 1, "Total": 1, "total": 2})
    batch = shop.batch(batch_id)
    assert (batch.status, batch.load_id) == ("refused", None)
    assert "'Total' and 'total' would both be named total" in batch.checks[0]["detail"]


def test_a_table_without_its_key_is_refused(shop: Shop):
    [batch_id] = shop.land_rows({"name": "x"})
    assert "it has no key column id" in shop.batch(batch_id).checks[0]["detail"]


class TestRefusal:
    def test_others_land(self, shop: Shop):
        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders") as portion:
                portion.write(batch_of([{"id": 1}]))
                raise RefusedError("not a table")
            with spool.portion("items") as portion:
                portion.write(batch_of([{"id": 2}]))

        refused, landed = (shop.batch(batch_id) for batch_id in shop.land(script))
        assert (refused.table_name, refused.status, refused.row_count) == ("orders", "refused", 1)
        assert (landed.table_name, landed.status) == ("items", "landed")

    def test_the_same_is_said_once(self, shop: Shop):
        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders"):
                raise RefusedError("not a table")

        assert len(shop.land(script)) == 1
        assert shop.land(script) == []
        assert len(shop.land(script, full_refresh=True)) == 1

    def test_any_other_error_stops_everything(self, shop: Shop):
        def script(_: Request, spool: Spool) -> None:
            with spool.portion("items") as portion:
                portion.write(batch_of([{"id": 2}]))
            with spool.portion("orders"):
                raise DataInsightError("the connection broke")

        with pytest.raises(DataInsightError, match="the connection broke"):
            shop.land(script)
        assert shop.query("select count(*) from ops.batches") == [(0,)]
        assert not list((shop.home / "landing").iterdir())


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


class TestSecrets:
    def test_no_error_says_them(self, shop: Shop):
        def script(_: Request, __: Spool) -> None:
            raise ValueError("cannot log in to db with hunter%2F2 or hunter/2")

        with pytest.raises(DataInsightError) as caught:
            shop.land(script, password="postgresql://me:hunter%2F2@db/x")
        assert caught.value.message == "ValueError: cannot log in to db with *** or ***"
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_other_errors_are_left_as_they_are(self, shop: Shop):
        def script(_: Request, __: Spool) -> None:
            raise ValueError("something else")

        with pytest.raises(ValueError, match="something else"):
            shop.land(script, password="hunter2")


def test_set_aside_records_go_to_quarantine(shop: Shop):
    def script(_: Request, spool: Spool) -> None:
        with spool.portion("orders", key=["id"]) as portion:
            portion.write(batch_of([{"id": 1}]))
            portion.set_aside({"stream": "orders", "record": {"id": "x"}, "reason": "id is no integer"}, "record_fits")

    [batch_id] = shop.land(script)
    assert (shop.batch(batch_id).row_count, shop.batch(batch_id).quarantined_count) == (2, 1)
    assert shop.query("select row_id, failed_rules, payload ->> 'reason' from ops.quarantine") == [
        (2, ["record_fits"], "id is no integer")
    ]
