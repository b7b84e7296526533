"""How a table of the demo's subscription company is made, and how its files write days, amounts and truth values."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Protocol

IMPOSSIBLE_DAY = "31-02-2024"
NO_NUMBER = "n/a"

Row = list[str]


class Table(Protocol):
    """Makes the rows of one table, fields as text; the same for the same scale and seed."""

    @property
    def count(self) -> int:
        """How many clean rows there are."""

    def clean(self) -> Iterator[Row]:
        """The rows without a defect."""

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """So many rows that break each rule, and no other rule."""


def rules_to_break(planted: Mapping[str, int]) -> list[str]:
    """Each rule as often as rows are to break it."""
    return [rule for rule, rows in planted.items() for _ in range(rows)]


def as_day(day: date | None) -> str:
    """The day before the month, as the real files have it; empty for none."""
    return "" if day is None else f"{day:%d-%m-%Y}"


def as_moment(moment: datetime) -> str:
    """A day with hours and minutes."""
    return f"{moment:%d-%m-%Y %H:%M}"


def as_flag(value: bool) -> str:
    """A truth value."""
    return "TRUE" if value else "FALSE"


def as_amount(cents: int) -> str:
    """Cents as dollars with two decimals."""
    return f"{cents // 100}.{cents % 100:02d}"
