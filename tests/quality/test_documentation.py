"""The worked example of docs/quality.md is what really happens, and the page names every kind of rule."""

import csv
from pathlib import Path

from quality.suite import KINDS, RESERVED
from tests.quality.conftest import Room

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return PAGE.split(f"```{language}\n")[1].split("```")[0]


def test_the_worked_example_is_what_happens(room: Room) -> None:
    path = room.suites / "shop" / "orders.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(block("yaml"), encoding="utf-8")
    batch = room.land("orders", list(csv.DictReader(block("csv").splitlines())), key=["order_id"])
    room.judge()

    judged = room.batch(batch)
    told = [
        f"batch {batch} of shop.orders: {judged.status}, {judged.row_count} rows,"
        f" {judged.quarantined_count} of them in quarantine",
        "",
        *(f"{c['name']:26} {c['severity']:5} {c['status']} {c['failed_rows']}" for c in judged.checks),
        "",
        *(f"row {row}: {', '.join(rules)}" for row, rules in room.quarantine(batch).items()),
    ]
    assert "\n".join(told) == block("text").strip()


def test_every_kind_of_rule_and_every_check_of_ours_is_documented() -> None:
    for kind in KINDS:
        assert f"| `{kind}: " in PAGE
    for name in RESERVED:
        assert f"`{name}`" in PAGE
