"""Two different rows under one key in one batch are both set aside; the same row twice is no conflict."""

import pytest

from tests.quality.conftest import Room

UNIQUE = {"name": "unique_id", "unique": ["id"]}


def row(key: str | None, value: str, area: str | None = "a") -> dict[str, str | None]:
    return {"id": key, "area": area, "value": value}


COLUMNS = {"required_columns": ["id", "area", "value"]}


def test_rows_that_contradict_each_other_are_both_set_aside_and_identical_ones_are_left(room: Room) -> None:
    room.expect("uses", UNIQUE, **COLUMNS)
    rows = [row("U1", "1"), row("U2", "1"), row("U1", "2"), row("U3", "1"), row("U3", "1"), row("U4", "1")]
    batch = room.land("uses", rows, key=["id"])
    room.judge()

    assert room.quarantine(batch) == {1: ["unique_id"], 3: ["unique_id"]}
    assert room.checks(batch)["unique_id"]["failed_rows"] == 2
    assert room.batch(batch).status == "admitted"


def test_a_repeated_row_beside_a_contradicting_one_is_set_aside_too(room: Room) -> None:
    room.expect("uses", UNIQUE, **COLUMNS)
    batch = room.land("uses", [row("U1", "1"), row("U1", "1"), row("U1", "2")])
    room.judge()
    assert set(room.quarantine(batch)) == {1, 2, 3}


def test_an_empty_value_is_not_a_missing_one_and_blanks_around_a_key_do_not_make_another(room: Room) -> None:
    room.expect("uses", UNIQUE, **COLUMNS)
    batch = room.land("uses", [row("U1", "", None), row("U1", "", ""), row("U2", "1"), row(" U2", "1")])
    room.judge()
    assert set(room.quarantine(batch)) == {1, 2, 3, 4}


def test_a_key_of_two_columns(room: Room) -> None:
    room.expect("uses", {"name": "unique_id_area", "unique": ["id", "area"]}, **COLUMNS)
    rows = [
        row("U1", "1", "a"),
        row("U1", "2", "b"),
        row("U1", "3", "a"),
        # One part is missing: still a key, and both rows have it.
        row("U2", "1", None),
        row("U2", "2", None),
        # The parts are told apart, whatever characters they hold.
        row("x,y", "1", "z"),
        row("x", "2", "y,z"),
        # Nothing is named, so nothing can be in conflict.
        row(None, "1", ""),
        row("", "2", None),
    ]
    batch = room.land("uses", rows)
    room.judge()
    assert set(room.quarantine(batch)) == {1, 3, 4, 5}


def test_rows_without_a_key_are_not_compared(room: Room) -> None:
    room.expect("uses", UNIQUE, {"name": "id_present", "present": ["id"]}, **COLUMNS)
    batch = room.land("uses", [row(None, "1"), row(None, "2"), row("", "3"), row("  ", "4"), row("U1", "1")])
    room.judge()
    assert set(map(tuple, room.quarantine(batch).values())) == {("id_present",)}
    assert set(room.quarantine(batch)) == {1, 2, 3, 4}


@pytest.mark.parametrize("key", [["id"], ["id", "area"]])
def test_the_key_of_the_source_is_judged_even_if_the_suite_does_not_speak_of_it(room: Room, key: list[str]) -> None:
    room.expect("uses", **COLUMNS)
    batch = room.land("uses", [row("U1", "1"), row("U1", "2")], key=key)
    room.judge()
    rule = f"unique_{'_'.join(key)}"
    assert room.quarantine(batch) == {1: [rule], 2: [rule]}
    assert room.checks(batch)[rule]["owner"] == "tests"


def test_a_key_column_the_file_does_not_bring_refuses_the_batch(room: Room) -> None:
    room.expect("uses", **COLUMNS)
    batch = room.land("uses", [row("U1", "1")], key=["id", "part"])
    room.judge()
    assert room.checks(batch)["required_columns"]["detail"] == "missing: part in /in/uses.csv"


def test_a_later_version_of_a_row_is_no_conflict(room: Room) -> None:
    room.expect("uses", UNIQUE, **COLUMNS)
    first = room.land("uses", [row("U1", "1")])
    second = room.land("uses", [row("U1", "2")], load_id="1700000000.2")
    room.judge()
    assert room.quarantine(first) == room.quarantine(second) == {}


def test_in_a_batch_of_versions_rows_under_the_sources_key_may_differ(room: Room) -> None:
    room.expect("uses", {"name": "has_a_value", "present": ["value"]}, **COLUMNS)
    batch = room.land("uses", [row("U1", "1"), row("U1", "2")], key=["id"])
    with room.warehouse.engine().begin() as connection:
        connection.exec_driver_sql(f"update ops.batches set is_changelog = true where batch_id = {batch}")
    room.judge()
    assert room.quarantine(batch) == {}
    assert room.batch(batch).status == "admitted"


def test_a_row_that_only_says_that_a_key_is_gone_is_not_judged(room: Room) -> None:
    room.expect("uses", {"name": "has_a_value", "present": ["value"]}, **COLUMNS)
    batch = room.land("uses", [row("U1", "1")], key=["id"])
    with room.warehouse.engine().begin() as connection:
        connection.exec_driver_sql("alter table raw_shop.uses add column _dlt_deleted boolean")
        connection.exec_driver_sql(
            "insert into raw_shop.uses (id, _dlt_deleted, _row_number, _dlt_load_id)"
            f" select 'U9', true, 2, load_id from ops.batches where batch_id = {batch}"
        )
    room.judge()
    assert room.quarantine(batch) == {}
    assert room.batch(batch).status == "admitted"
