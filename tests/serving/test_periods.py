"""Periods of the calendar: which come later, and how many there are."""

from datetime import date

import pytest

from serving.periods import count_of_periods, months_later


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2024-02-29", -12, "2023-02-28"),
        ("2024-02-28", 1, "2024-03-28"),
        ("2024-01-15", -13, "2022-12-15"),
        ("9999-12-31", 0, "9999-12-31"),
    ],
)
def test_months_later(day: str, months: int, expected: str) -> None:
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [
        ("2024-01-31", "2024-02-01", {"day": 2, "week": 1, "month": 2, "quarter": 1, "year": 1}),
        ("2023-12-31", "2024-01-01", {"day": 2, "week": 2, "month": 2, "quarter": 2, "year": 2}),
        ("2024-01-01", "2024-12-31", {"day": 366, "week": 53, "month": 12, "quarter": 4, "year": 1}),
    ],
)
def test_count_of_periods(start: str, end: str, counts: dict[str, int]) -> None:
    for grain, count in counts.items():
        assert count_of_periods(date.fromisoformat(start), date.fromisoformat(end), grain) == count
