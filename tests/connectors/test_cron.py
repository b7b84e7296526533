"""Cron lines: which are schedules and which are not."""

import pytest

from connectors.cron import is_schedule


@pytest.mark.parametrize(
    "line",
    [
        "* * * * *", "*/15 * * * *", "0 6 * * mon-fri", "0,30 8-18/2 1,15 jan-mar,DEC 0", "5/10 23 31 12 7",
        "59 0 29 2 *", " 07  4 * * sun,Sat ", "0 0 31 2,3 *",
    ],
)  # fmt: skip
def test_a_cron_line_is_a_schedule(line: str) -> None:
    assert is_schedule(line)


@pytest.mark.parametrize(
    "line",
    [
        "", "hourly", "@daily", "* * * *", "* * * * * *", "99 99 * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
        "* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 8", "-1 * * * *", "5-1 * * * *", "*/0 * * * *",
        "*/60 * * * *", "1,,2 * * * *",
        "*/ * * * *", "/5 * * * *", "1- * * * *", "1-2-3 * * * *", "*-5 * * * *", "mon * * * *",
        "* * * mon *", "* * * * jan", "\N{ARABIC-INDIC DIGIT THREE} * * * *", "0 0 30 2 *", "0 0 31 feb,apr *",
    ],
)  # fmt: skip
def test_anything_else_is_none(line: str) -> None:
    assert not is_schedule(line)
