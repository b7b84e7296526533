"""What landing does with whatever a kind of source gives it."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.extraction.request import RefusedError, Request
from connectors.extraction.spool import Spool
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


def test_progress_tells_rows_rate_and_time_left(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("connectors.extraction.request._SECONDS_BETWEEN_LINES", 0.0)

    def script(request: Request, spool: Spool) -> None:
        request.progress.expect("orders", rows=4)
        with spool.portion("orders") as portion:
            portion.write(batch_of([{"id": 1}, {"id": 2}]))
            portion.write(batch_of([{"id": 3}, {"id": 4}]))

    shop.land(script)
    reading, done, loading = shop.said
    assert re.fullmatch(r"orders: 2 rows, [\d,]+ rows/s, about 0 s left", reading)
    assert re.fullmatch(r"orders: 4 rows, [\d,]+ rows/s", done)
    assert re.fullmatch(r"orders into the warehouse: 4 rows, [\d,]+ rows/s", loading)
