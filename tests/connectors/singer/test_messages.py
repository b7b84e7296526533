"""What becomes of a tap's messages."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from connectors.extraction.spool import Portion
from tests.connectors.singer.conftest import TapRun, stream
from warehouse.errors import DataInsightError


def test_a_schema_gives_the_types(tap: TapRun):
    tap.write("""
schema("orders", id=INT, price={"type": ["null", "number"], "multipleOf": 0.01}, ratio={"type": "number"},
       exact={"type": ["null", "string"], "format": "singer.decimal"}, paid={"type": "boolean"},
       big={"type": "integer", "maximum": 18446744073709551615},
       at={"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
       day={"type": "string", "format": "date"}, hour={"type": "string", "format": "time"},
       lines={"type": "array"}, either={"type": ["integer", "string"]}, anything={}, note=TEXT)
print('{"type": "RECORD", "stream": "orders", "record": {"id": 1, "price": 123456789012345678.25, "ratio": 0.5, '
      '"exact": "1.500", "paid": true, "big": 18446744073709551615, "at": "2024-05-01T10:00:00.123456+02:00", '
      '"day": "2024-05-01T00:00:00Z", "hour": "10:30:00", "lines": [{"sku": "a", "n": 1}], "either": 7, '
      '"anything": {"a": null}, "note": "x"}}')
record("orders", id=2)
""")
    tap.land()
    assert tap.query("select * from raw_shop.orders where id = 1")[0][:13] == (
        1,
        Decimal("123456789012345678.25"),
        0.5,
        Decimal("1.500"),
        True,
        Decimal(18446744073709551615),
        datetime(2024, 5, 1, 8, 0, 0, 123456, tzinfo=UTC),
        date(2024, 5, 1),
        time(10, 30),
        '[{"sku":"a","n":1}]',
        "7",
        '{"a":null}',
        "x",
    )
    assert tap.query("select key_columns from ops.batches") == [(["id"],)]


def test_records_that_do_not_fit_are_set_aside(lone_tap: TapRun):
    lone_tap.write("""
schema("orders", id=INT, day={"type": "string", "format": "date"})
for n in range(5):
    record("orders", id=n, day="2024-05-0%d" % (n + 1))
record("orders", id="six", day="2024-05-06")
record("orders", id=7, day="2024-05-06T11:00:00Z")
""")
    portion = lone_tap.extract()["orders"]
    assert portion.rows == 5
    assert portion.unreadable == [
        (
            {
                "stream": "orders",
                "record": 6,
                "text": '{"id": "six", "day": "2024-05-06"}',
                "reason": 'id: "six" is no integer',
            },
            "unreadable_line",
        ),
        (
            {
                "stream": "orders",
                "record": 7,
                "text": '{"id": 7, "day": "2024-05-06T11:00:00Z"}',
                "reason": 'day: "2024-05-06T11:00:00Z" is no date',
            },
            "unreadable_line",
        ),
    ]


def test_a_stream_of_which_most_does_not_fit_is_refused_and_the_others_land(tap: TapRun):
    tap.write(
        """
schema("orders", id=INT)
schema("customers", id=INT)
for n in range(3):
    record("orders", id="x" if n else 1)
    record("customers", id=n)
say("STATE", value={"bookmarks": {"orders": {"n": 3}, "customers": {"n": 3}}})
""",
        stream("orders"),
        stream("customers"),
    )
    tap.land({"orders": {}, "customers": {}})
    found = dict(tap.query("select table_name, status from ops.batches"))
    assert found == {"orders": "refused", "customers": "landed"}
    [(detail,)] = tap.query("select checks -> 0 ->> 'detail' from ops.batches where status = 'refused'")
    assert detail == """2 of 3 records do not fit the stream's own SCHEMA; the first: id: "x" is no integer"""
    tap.write(
        """
json.dump(state, open("given.json", "w"))
schema("orders", id=INT)
schema("customers", id=INT)
""",
        stream("orders"),
        stream("customers"),
    )
    tap.land({"orders": {}, "customers": {}})
    # The last round is the one of the table that landed; the refused one was asked for from the beginning.
    assert tap.given("given.json") == {"bookmarks": {"customers": {"n": 3}}}


def test_a_later_schema_brings_new_columns_and_what_no_schema_declares_lands_as_text(tap: TapRun):
    tap.write("""
schema("orders", id=INT)
record("orders", id=1)
schema("orders", id=INT, note=TEXT)
record("orders", id=2, note="new", extra={"a": 1})
""")
    tap.land()
    assert tap.query("select id, note, extra from raw_shop.orders order by id") == [
        (1, None, None),
        (2, "new", '{"a":1}'),
    ]
    assert "orders: its SCHEMA does not declare extra, which lands as text" in tap.said


def test_a_new_version_takes_the_place_of_what_was_there(tap: TapRun):
    tap.write("""
schema("orders", id=INT)
record("orders", version=1, id=1)
record("orders", version=1, id=2)
say("ACTIVATE_VERSION", stream="orders", version=1)
say("STATE", value={"bookmarks": {"orders": {"version": 1}}})
""")
    tap.land()
    tap.write("""
schema("orders", id=INT)
record("orders", version=1, id=9)
record("orders", version=2, id=2)
record("orders", version=2, id=3)
say("ACTIVATE_VERSION", stream="orders", version=2)
say("STATE", value={"bookmarks": {"orders": {"version": 2}}})
""")
    [batch] = tap.land()
    assert tap.query(f"select is_complete, deleted_count from ops.batches where batch_id = {batch}") == [(True, 1)]
    assert tap.query("select id, _dlt_deleted from raw_shop.orders order by _dlt_load_id, id, _dlt_deleted") == [
        (1, None),
        (2, None),
        (1, True),
        (2, None),
        (3, None),
    ]


def test_the_version_that_was_there_goes_on(tap: TapRun):
    for n in (1, 2):
        tap.write(f"""
schema("orders", id=INT)
say("ACTIVATE_VERSION", stream="orders", version=5)
record("orders", version=5, id={n})
say("STATE", value={{"bookmarks": {{"orders": {{"version": 5, "n": {n}}}}}}})
""")
        tap.land()
    assert tap.query("select is_complete, deleted_count from ops.batches order by batch_id") == [(True, 0), (False, 0)]


def test_batches_of_files_are_read(lone_tap: TapRun):
    lone_tap.write("""
schema("orders", id=INT)
path = os.path.abspath("part 1.jsonl.gz")
with gzip.open(path, "wt") as file:
    file.write('{"id": 1}\\n{"id": 2}\\n')
say("BATCH", stream="orders", encoding={"format": "jsonl", "compression": "gzip"},
    manifest=["file://" + path.replace(" ", "%20")])
""")
    assert _rows(lone_tap.extract()["orders"]) == [{"id": 1}, {"id": 2}]
    assert not (lone_tap.folder / "part 1.jsonl.gz").exists()


def test_a_stream_without_records_makes_its_table(tap: TapRun):
    tap.write('schema("orders", id=INT, note=TEXT)')
    tap.land()
    assert tap.query("select id, note from raw_shop.orders") == []
    assert tap.land() == []


def test_old_and_new_options_for_the_catalog(lone_tap: TapRun):
    for options in (("catalog",), ("properties",), ("catalog", "properties")):
        lone_tap.write('schema("orders", id=INT)\njson.dump(selected, open("selected.json", "w"))', options=options)
        lone_tap.extract()
        assert lone_tap.given("selected.json") == ["orders"]


def test_streams_and_columns_are_selected(lone_tap: TapRun):
    properties = {name: {"type": "integer"} for name in ("id", "at", "a", "b")}
    lone_tap.write(
        """
json.dump(catalog, open("catalog.json", "w"))
schema("public-orders", id=INT, at=INT, a=INT, b=INT)
record("public-orders", id=1, at=5, a=2, b=3)
schema("public-others", id=INT)
record("public-others", id=1)
""",
        stream("orders", properties=properties, schema_name="public"),
        stream("others", properties=properties, schema_name="public"),
    )
    found = lone_tap.extract({"mine": {"stream": "orders", "cursor": "at", "select": "a"}})
    assert _rows(found["mine"]) == [{"id": 1, "at": 5, "a": 2}]
    assert "the tap tap-shop wrote 1 records of public-others, which is no table here: left out" in lone_tap.said
    told = {
        entry["stream"]: {tuple(m["breadcrumb"]): m["metadata"] for m in entry["metadata"]}
        for entry in lone_tap.given("catalog.json")["streams"]
    }
    assert told["others"][()]["selected"] is False
    assert told["orders"][()] | {"selected": True} == told["orders"][()]
    assert told["orders"][()]["replication-method"] == "INCREMENTAL"
    assert told["orders"][()]["replication-key"] == "at"
    assert {place[1]: said["selected"] for place, said in told["orders"].items() if place} == {
        "id": True,
        "at": True,
        "a": True,
        "b": False,
    }


def test_a_column_or_stream_that_is_not_there(lone_tap: TapRun):
    lone_tap.write('schema("orders", id=INT)')
    with pytest.raises(DataInsightError, match=r"the stream orders has no colour; it has id"):
        lone_tap.extract({"orders": {"select": "colour"}})
    with pytest.raises(DataInsightError, match=r"there is no stream 'order'; the tap has orders"):
        lone_tap.extract({"order": {}})


def test_a_tap_without_discovery(lone_tap: TapRun):
    lone_tap.write('schema("orders", id=INT)\nrecord("orders", id=1)', options=())
    assert _rows(lone_tap.extract(discovery=False)["orders"]) == [{"id": 1}]


def test_looking(lone_tap: TapRun):
    properties = {"id": {"type": ["null", "integer"]}, "Created At": {"type": "string", "format": "date-time"}}
    lone_tap.write(
        "",
        stream("shop-Orders", properties=properties, replication_key="Created At", row_count=7),
        stream("users", key=()),
    )
    assert lone_tap.source({}).discover() == [
        {
            "table_name": "shop_orders",
            "key": ["id"],
            "cursor": "created_at",
            "columns": ["id", "created_at"],
            "types": {"id": "integer", "created_at": "date-time"},
            "configured": False,
            "settings": {"stream": "shop-Orders", "key": "id", "cursor": "Created At"},
        },
        {
            "table_name": "users",
            "key": [],
            "cursor": None,
            "columns": ["id"],
            "types": {"id": "integer"},
            "configured": False,
            "settings": {},
        },
    ]
    [orders, _] = lone_tap.source({"orders": {"stream": "shop-Orders", "key": "number"}}).discover()
    assert (orders["table_name"], orders["key"], orders["configured"]) == ("orders", ["number"], True)
    checks = lone_tap.source({"orders": {"stream": "shop-Orders"}, "users": {"key": "uid"}, "none": {}}).check()
    assert [(check["ok"], check["problem"]) for check in checks] == [
        (True, None),
        (False, "the stream users has no uid; it has id"),
        (False, "there is no stream 'none'; the tap has shop-Orders, users"),
    ]
    assert checks[0]["rows"] == 7
    assert list((lone_tap.home / "singer" / "looking").iterdir()) == []


def test_numbers_beyond_what_a_column_holds(lone_tap: TapRun):
    lone_tap.write("""
schema("orders", key=(), id=INT)
for value in (2**63, 1.5, True, 3.0, 2**62, None):
    record("orders", id=value)
""")
    portion = lone_tap.extract()["orders"]
    assert [row["id"] for row in _rows(portion)] == [3, 2**62, None]
    assert [payload["reason"] for payload, _ in portion.unreadable] == [
        "id: 9223372036854775808 is no integer",
        "id: 1.5 is no integer",
        "id: true is no integer",
    ]


def _rows(portion: Portion) -> list[dict[str, Any]]:
    return [row for batch in portion.read() for row in batch.to_pylist()]
