"""Reading the quarantine: which rows, and how many by rule."""

import json

from quality.quarantine import list_quarantine, summarize
from tests.quality.conftest import Room

RULES = [
    {"name": "id_present", "present": ["id"]},
    {"name": "amount_is_a_number", "parses": {"column": "amount", "as": "number"}},
]


def two_batches(room: Room) -> tuple[int, int]:
    for table in ("orders", "refunds"):
        room.expect(table, *RULES, required_columns=["id", "amount"])
    orders = room.land("orders", [{"id": "", "amount": "x"}, {"id": "1", "amount": "x"}, {"id": "2", "amount": "1"}])
    refunds = room.land("refunds", [{"id": "", "amount": "1"}, {"id": "1", "amount": "1"}], unreadable=1)
    room.judge()
    return orders, refunds


def test_list_shows_the_newest_batch_first_and_narrows(room: Room) -> None:
    orders, refunds = two_batches(room)
    with room.warehouse.engine().connect() as connection:
        found = list_quarantine(connection)
        assert [(row["batch_id"], row["row_id"]) for row in found] == [
            (refunds, 1), (refunds, 3), (orders, 1), (orders, 2)
        ]  # fmt: skip
        assert found[2]["payload"] == {"id": "", "amount": "x"}
        assert found[2]["failed_rules"] == ["id_present", "amount_is_a_number"]
        assert (found[2]["source"], found[2]["table_name"]) == ("shop", "orders")
        assert json.loads(json.dumps(found)) == found
        assert [row["row_id"] for row in list_quarantine(connection, table="orders")] == [1, 2]
        assert [row["row_id"] for row in list_quarantine(connection, batch_id=refunds, limit=1)] == [1]
        assert list_quarantine(connection, source="depot") == []
        assert len(list_quarantine(connection, limit=None)) == 4


def test_summary_counts_by_table_and_rule(room: Room) -> None:
    two_batches(room)
    with room.warehouse.engine().connect() as connection:
        counted = [
            (row["table_name"], row["rule"], row["row_count"], row["batch_count"]) for row in summarize(connection)
        ]
        assert counted == [
            ("orders", "amount_is_a_number", 2, 1),
            ("orders", "id_present", 1, 1),
            ("refunds", "id_present", 1, 1),
            ("refunds", "unreadable_line", 1, 1),
        ]
        assert {row["table_name"] for row in summarize(connection, table="refunds")} == {"refunds"}


def test_rows_put_back_by_a_later_batch_are_no_longer_counted(room: Room) -> None:
    orders, refunds = two_batches(room)
    with room.warehouse.engine().begin() as connection:
        connection.exec_driver_sql(
            f"update ops.quarantine set resolved_by_batch_id = {refunds} where batch_id = {orders}"
        )
    with room.warehouse.engine().connect() as connection:
        assert {row["table_name"] for row in summarize(connection)} == {"refunds"}
