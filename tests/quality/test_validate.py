"""What becomes of a batch: admitted, admitted without some rows, refused; and what the ledger says about it."""

from collections.abc import Callable

import pytest

from tests.quality.conftest import Room

ID = {"name": "id_present", "present": ["id"]}
AMOUNT = {"name": "amount_in_range", "parses": {"column": "amount", "as": "number", "from": 0, "to": 1000}}
DAY = {"name": "day_is_a_date", "parses": {"column": "day", "as": "date", "from": "1990-01-01", "to": "2100-12-31"}}
SHARE = {
    "name": "most_rows_are_sound",
    "severity": "batch",
    "share_of_broken_rows": {"at_most": 0.5, "since": "2026-01-01", "reason": "More means a wrong export."},
}
COLUMNS = {"required_columns": ["id", "amount", "day"]}


def order(number: int, amount: str | None = "5", day: str | None = "2024-01-31") -> dict[str, str | None]:
    return {"id": f"O-{number}", "amount": amount, "day": day}


def test_a_sound_batch_is_admitted_and_numbered(room: Room) -> None:
    room.expect("orders", ID, AMOUNT, DAY, SHARE, **COLUMNS)
    first = room.land("orders", [order(1), order(2, "", ""), order(3, None, None)])
    second = room.land("orders", [order(4)], load_id="1700000000.2")

    assert room.judge() == [first, second]
    assert {check["status"] for check in room.batch(first).checks} == {"passed"}
    assert room.batch(first).status == "admitted"
    assert room.batch(first).quarantined_count == 0
    assert (room.batch(second).admission_seq or 0) > (room.batch(first).admission_seq or 0) > 0


def test_rows_that_break_a_rule_are_set_aside_with_every_rule_they_broke(room: Room) -> None:
    room.expect("orders", ID, AMOUNT, DAY, **COLUMNS)
    batch = room.land(
        "orders",
        [
            order(1),
            order(2, "twelve"),
            order(3, "-1"),
            order(4, "5", "31-02-2024"),
            {"id": " ", "amount": "1e9", "day": "soon"},
            order(6, "5", "29-02-2024"),
        ],
    )
    room.judge()

    assert room.quarantine(batch) == {
        2: ["amount_in_range"],
        3: ["amount_in_range"],
        4: ["day_is_a_date"],
        5: ["id_present", "amount_in_range", "day_is_a_date"],
    }
    assert room.batch(batch).status == "admitted"
    assert room.batch(batch).quarantined_count == 4
    assert room.checks(batch)["amount_in_range"] == {
        "name": "amount_in_range",
        "description": "A rule made for this test.",
        "severity": "row",
        "owner": "tests",
        "status": "failed",
        "failed_rows": 3,
    }
    payloads = room.rows("select payload from ops.quarantine where row_id = 2")
    assert payloads == [({"id": "O-2", "amount": "twelve", "day": "2024-01-31"},)]


def test_a_warning_is_reported_and_takes_nothing_away(room: Room) -> None:
    known = {"name": "known_plan", "severity": "warn", "among": {"column": "plan", "values": ["Basic", "Pro"]}}
    room.expect("orders", known, optional_columns=["plan"])
    batch = room.land("orders", [{"id": "1", "plan": "Pro"}, {"id": "2", "plan": "Gold"}, {"id": "3", "plan": ""}])
    room.judge()

    assert room.batch(batch).status == "admitted"
    assert room.quarantine(batch) == {}
    assert room.checks(batch)["known_plan"]["status"] == "warned"
    assert room.checks(batch)["known_plan"]["failed_rows"] == 1


def test_a_broken_rule_of_severity_batch_refuses_all_of_it(room: Room) -> None:
    strict = {"name": "amounts_are_numbers", "severity": "batch", "parses": {"column": "amount", "as": "number"}}
    room.expect("orders", ID, strict, **COLUMNS)
    batch = room.land("orders", [order(1), order(2, "x"), {"id": None, "amount": "1", "day": None}])
    assert room.judge() == [batch]

    assert room.batch(batch).status == "refused"
    assert room.batch(batch).admission_seq is None
    assert room.quarantine(batch) == {}, "the rows are in raw, and none of them counts"
    assert room.judge() == [], "a decision is taken once"


@pytest.mark.parametrize(("broken", "status"), [(5, "admitted"), (6, "refused")])
def test_a_batch_most_of_whose_rows_are_broken_is_refused(room: Room, broken: int, status: str) -> None:
    room.expect("orders", ID, AMOUNT, DAY, SHARE, **COLUMNS)
    # The broken rows break different rules, so that no rule alone is broken by more than half.
    rows = [order(n, "x") if n % 2 else order(n, "1", "x") for n in range(broken)]
    batch = room.land("orders", [*rows, *(order(n) for n in range(10, 20 - broken))])
    room.judge()

    assert room.batch(batch).status == status
    assert len(room.quarantine(batch)) == (broken if status == "admitted" else 0)
    assert room.checks(batch)["most_rows_are_sound"]["failed_rows"] == broken


def test_lines_that_could_not_be_read_count_as_broken_and_stay_in_quarantine(room: Room) -> None:
    room.expect("orders", ID, AMOUNT, DAY, SHARE, **COLUMNS)
    few = room.land("orders", [order(1), order(2, "x"), order(3), order(4)], unreadable=1)
    many = room.land("orders", [order(1), order(2, "x"), order(3)], unreadable=2, load_id="1700000000.2")
    room.judge()

    assert room.quarantine(few) == {2: ["amount_in_range"], 5: ["unreadable_line"]}
    assert (room.batch(few).status, room.batch(few).quarantined_count) == ("admitted", 2)
    assert room.quarantine(many) == {4: ["unreadable_line"], 5: ["unreadable_line"]}
    assert (room.batch(many).status, room.batch(many).quarantined_count) == ("refused", 2)


def test_a_tolerated_share_of_rows_passes(room: Room) -> None:
    tolerance = {"at_most": 0.25, "since": "2026-01-01", "reason": "One in four orders is a gift."}
    rule = {"name": "paid", "severity": "batch", "holds": "amount <> '0'", "tolerance": tolerance}
    room.expect("orders", rule, **COLUMNS)
    tolerated = room.land("orders", [order(n, "0" if n < 1 else "1") for n in range(4)])
    refused = room.land("orders", [order(n, "0" if n < 2 else "1") for n in range(4)], load_id="1700000000.2")
    room.judge()

    assert room.batch(tolerated).status == "admitted"
    assert room.checks(tolerated)["paid"]["failed_rows"] == 1
    assert room.batch(refused).status == "refused"


def test_a_batch_without_a_row_is_a_warning(room: Room) -> None:
    room.expect("orders", ID, {"name": "has_rows", "severity": "warn", "rows_at_least": 1}, SHARE, **COLUMNS)
    batch = room.land("orders", [], columns=["id", "amount", "day"])
    room.judge()

    assert room.batch(batch).status == "admitted"
    assert room.checks(batch)["has_rows"]["status"] == "warned"


def test_a_missing_required_column_refuses_the_batch_and_names_file_and_column(room: Room) -> None:
    room.expect("orders", ID, AMOUNT, **COLUMNS)
    complete = room.land("orders", [order(1)])
    # Raw has the columns from the file before: what counts is what this file brought.
    batch = room.land("orders", [{"id": "1"}], load_id="1700000000.2")
    room.judge()

    assert room.batch(complete).status == "admitted"
    assert room.batch(batch).status == "refused"
    assert room.checks(batch)["required_columns"]["detail"] == "missing: amount, day in /in/orders.csv"


def test_an_unknown_column_is_a_warning(room: Room) -> None:
    room.expect("orders", ID)
    batch = room.land("orders", [{"id": "1", "colour": "red"}])
    room.judge()

    assert room.batch(batch).status == "admitted"
    assert room.checks(batch)["known_columns"]["status"] == "warned"
    assert room.checks(batch)["known_columns"]["detail"] == "unknown: colour in /in/orders.csv"


def test_rules_on_an_optional_column_that_never_landed_are_kept(room: Room) -> None:
    room.expect("orders", ID, {**AMOUNT}, optional_columns=["amount"])
    batch = room.land("orders", [{"id": "1"}])
    room.judge()
    assert room.checks(batch)["amount_in_range"]["status"] == "passed"


def test_rows_that_are_neither_in_raw_nor_in_quarantine_refuse_the_batch(room: Room) -> None:
    room.expect("orders", ID)
    batch = room.land("orders", [{"id": "1"}], row_count=3)
    room.judge()

    assert room.batch(batch).status == "refused"
    told = room.checks(batch)["all_rows_accounted_for"]["detail"]
    assert told == "3 rows were read, 1 are in raw and 0 in quarantine"


def test_a_table_no_suite_covers_is_admitted_with_a_warning(
    room: Room, without_great_expectations: Callable[[], None]
) -> None:
    batch = room.land("orders", [{"id": "1"}])
    without_great_expectations()
    assert room.judge() == [batch]

    assert room.batch(batch).status == "admitted"
    assert room.checks(batch)["covered_by_a_suite"]["status"] == "warned"
    assert "quality/suites/shop/orders.yaml" in room.checks(batch)["covered_by_a_suite"]["detail"]


def test_nothing_to_judge_needs_no_great_expectations(
    room: Room, without_great_expectations: Callable[[], None]
) -> None:
    without_great_expectations()
    assert room.judge() == []


def test_only_the_named_source_is_judged(room: Room) -> None:
    shop, depot = room.land("orders", [{"id": "1"}]), room.land("orders", [{"id": "1"}], source="depot")
    assert room.judge("depot") == [depot]
    assert room.batch(shop).status == "landed"


def test_other_loads_of_the_table_are_not_looked_at(room: Room) -> None:
    room.expect("orders", ID, AMOUNT, DAY, **COLUMNS)
    room.land("orders", [order(1, "x")])
    room.judge()
    batch = room.land("orders", [order(1), order(2)], load_id="1700000000.2")
    room.judge()
    assert room.quarantine(batch) == {}
    assert room.checks(batch)["amount_in_range"]["failed_rows"] == 0
