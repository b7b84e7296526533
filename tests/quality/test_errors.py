"""What cannot be judged is not judged: it waits, whole, and the reason is told in one line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from quality.suite import load_suite
from quality.validate import validate_landed
from tests.quality.conftest import Room
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

GOOD: dict[str, Any] = {
    "source": "shop",
    "table": "orders",
    "description": "A table made for this test.",
    "owner": "tests",
    "required_columns": ["id"],
    "expectations": [
        {
            "name": "id_present",
            "description": "Every order has an id.",
            "severity": "row",
            "owner": "tests",
            "present": ["id"],
        }
    ],
}
RULE = GOOD["expectations"][0]
SHARE = {"at_most": 0.5, "since": "2026-01-01", "reason": "More means a wrong export."}


def with_rule(**said: Any) -> dict[str, Any]:
    rule = {key: value for key, value in {**RULE, **said}.items() if value is not None}
    return {**GOOD, "expectations": [rule]}


@pytest.mark.parametrize(
    ("suite", "key"),
    [
        ({**GOOD, "tabel": "x"}, "tabel"),
        ({**GOOD, "required_columns": []}, "required_columns"),
        ({**GOOD, "owner": ""}, "owner"),
        ({**GOOD, "table": "customers"}, "source/table"),
        ({**GOOD, "expectations": [RULE, RULE]}, "id_present"),
        (with_rule(severity="fatal"), "expectations.0.severity"),
        (with_rule(description="short"), "expectations.0.description"),
        (with_rule(owner=None), "expectations.0.owner"),
        (with_rule(name="Id Present"), "Id Present"),
        (with_rule(name="known_columns"), "known_columns"),
        (with_rule(present=None), "exactly one of"),
        (with_rule(holds="id <> ''"), "exactly one of"),
        (with_rule(present=["price"]), "price"),
        (with_rule(present=None, unique=["id"]), "unique_id"),
        (with_rule(present=None, parses={"column": "id", "as": "money"}), "expectations.0.parses.as"),
        (with_rule(present=None, rows_at_least=1), "severity must be batch or warn"),
        (with_rule(tolerance=SHARE), "tolerance"),
        (with_rule(severity="batch", tolerance={"at_most": 0.1}), "expectations.0.tolerance.since"),
        (with_rule(severity="batch", present=None, share_of_broken_rows={**SHARE, "at_most": 50}), "at_most"),
        ("just a sentence", "the whole file"),
        (None, "the whole file"),
    ],
)
def test_a_malformed_suite_names_the_file_and_the_key(tmp_path: Path, suite: object, key: str) -> None:
    path = tmp_path / "shop" / "orders.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(suite), encoding="utf-8")
    with pytest.raises(DataInsightError) as caught:
        load_suite("shop", "orders", tmp_path)
    assert str(path) in caught.value.message
    assert key in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", [b"source: [shop", b"source: \xff"])
def test_a_suite_that_is_no_yaml_names_the_file(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "shop" / "orders.yaml"
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(DataInsightError, match=r"orders\.yaml is not YAML") as caught:
        load_suite("shop", "orders", tmp_path)
    assert "\n" not in caught.value.message


def test_a_malformed_suite_leaves_its_batches_landed_and_the_others_judged(room: Room) -> None:
    room.expect("orders", {"name": "id_present", "present": ["id"], "severity": "fatal"})
    waiting, judged = room.land("orders", [{"id": "1"}]), room.land("customers", [{"id": "1"}])
    with pytest.raises(DataInsightError, match=r"orders\.yaml, key expectations\.0\.severity"):
        room.judge()
    assert room.batch(waiting).status == "landed"
    assert room.batch(judged).status == "admitted"


@pytest.mark.parametrize("rule", [{"holds": "no_such_function(id)"}, {"holds": "1 / (length(id) - 1) = 0"}])
def test_a_rule_that_cannot_be_evaluated_leaves_its_batch_landed(room: Room, rule: dict[str, str]) -> None:
    room.expect("orders", {"name": "broken_rule", **rule}, {"name": "id_present", "present": ["id"]})
    room.expect("customers", {"name": "id_present", "present": ["id"]})
    waiting = room.land("orders", [{"id": ""}, {"id": "1"}])
    judged = room.land("customers", [{"id": ""}, {"id": "1"}])
    with pytest.raises(DataInsightError, match=rf"batch {waiting} of shop\.orders could not be judged: rule") as caught:
        room.judge()

    assert "\n" not in caught.value.message
    assert (room.batch(waiting).status, room.batch(waiting).checks) == ("landed", [])
    assert room.quarantine(waiting) == {}
    assert room.batch(judged).status == "admitted", "one table's rule does not stop the others"
    assert room.quarantine(judged) == {1: ["id_present"]}

    room.expect("orders", {"name": "id_present", "present": ["id"]})
    assert room.judge() == [waiting]


def test_a_later_batch_waits_for_an_earlier_one_of_its_table(room: Room) -> None:
    room.expect("orders", {"name": "seats_hold", "holds": "cast(seats as int) > 0"}, required_columns=["id", "seats"])
    earlier = room.land("orders", [{"id": "1", "seats": "n/a"}], load_id="1700000000.1")
    later = room.land("orders", [{"id": "1", "seats": "7"}], load_id="1700000000.2")
    with pytest.raises(DataInsightError, match=f"batch {earlier} "):
        room.judge()
    assert room.batch(later).status == "landed", "admitted first, it would be overtaken by the older version"

    room.expect("orders", {"name": "id_present", "present": ["id"]}, required_columns=["id", "seats"])
    assert room.judge() == [earlier, later]
    numbers = [room.batch(batch).admission_seq or 0 for batch in (earlier, later)]
    assert numbers == sorted(numbers)


def test_a_raw_table_that_is_gone_leaves_the_batch_landed(room: Room) -> None:
    room.expect("orders", {"name": "id_present", "present": ["id"]})
    batch = room.land("orders", [{"id": "1"}])
    with room.warehouse.engine().begin() as connection:
        connection.exec_driver_sql("drop table raw_shop.orders")
    with pytest.raises(DataInsightError, match="is missing or is no landed table"):
        room.judge()
    assert room.batch(batch).status == "landed"


def test_what_is_interrupted_before_the_decision_is_written_leaves_nothing(room: Room) -> None:
    room.expect("orders", {"name": "id_present", "present": ["id"]})
    batch = room.land("orders", [{"id": ""}, {"id": "1"}])
    with _no_decision(room.warehouse), pytest.raises(DataInsightError, match="the disk is on fire"):
        room.judge()
    assert room.batch(batch).status == "landed"
    assert room.quarantine(batch) == {}

    assert room.judge() == [batch]
    assert room.quarantine(batch) == {1: ["id_present"]}


def test_two_judgements_at_once_admit_each_batch_once(room: Room) -> None:
    room.expect("orders", {"name": "id_present", "present": ["id"]})
    batches = [room.land("orders", [{"id": ""}, {"id": "1"}], load_id=f"1700000000.{n}") for n in range(4)]
    judged: list[int] = []

    def judge() -> None:
        warehouse = Warehouse(room.warehouse.url_object)
        judged.extend(validate_landed(warehouse, suites=room.suites))
        warehouse.dispose()

    threads = [threading.Thread(target=judge) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(judged) == batches
    numbers = [room.batch(batch).admission_seq for batch in batches]
    assert len(set(numbers)) == len(batches)
    assert None not in numbers
    assert [len(room.batch(batch).checks) for batch in batches] == [len(room.batch(batches[0]).checks)] * 4


@contextmanager
def _no_decision(warehouse: Warehouse) -> Iterator[None]:
    """Let the last statement of a judgement fail, after the rows were set aside."""
    with warehouse.engine().begin() as connection:
        connection.exec_driver_sql(
            "create function ops.fail() returns trigger language plpgsql as"
            " $$ begin raise exception 'the disk is on fire'; end $$"
        )
        connection.exec_driver_sql(
            "create trigger fail before update on ops.batches for each row execute function ops.fail()"
        )
    yield
    with warehouse.engine().begin() as connection:
        connection.exec_driver_sql("drop function ops.fail() cascade")
