"""A question about some months opens the files of those months alone, and has the same answer."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from serving.engine import Engine
from serving.open_snapshot import OpenSnapshot
from serving.pruning import EVERY_DAY, Days
from tests.serving.conftest import Asking, Store
from warehouse.errors import DataInsightError

MART = "fact_organization_months"


def files_read(opened: OpenSnapshot, days: Days) -> int:
    """How many files the relation of some days consists of."""
    relation = opened.relation(MART, days).sql(dialect="duckdb")
    told = str(opened.run(f"explain analyze select * from {relation}").to_pylist())
    found = re.search(r"Total Files Read:\s*(\d+)", told)
    assert found is not None, told
    return int(found[1])


@pytest.fixture
def opened(published: Store) -> Any:
    engine = Engine(published.settings)
    yield engine.open(published.latest())
    engine.close()


def test_only_the_months_of_the_days_are_opened(opened: OpenSnapshot, published: Store) -> None:
    months = sorted(published.latest().tables[MART].partitions)
    assert len(months) > 3
    every = files_read(opened, EVERY_DAY)
    assert every == len(months)
    second = date.fromisoformat(f"{months[1]}-01")
    for days, expected in (
        (Days(second, second.replace(day=2)), 1),
        (Days(None, second), 1),
        (Days(None, second.replace(day=2)), 2),
        (Days(second.replace(day=28), None), every - 1),
        (Days(second, date.fromisoformat(f"{months[3]}-01")), 2),
        # Nothing of these is there, which any file says.
        (Days(date(1990, 1, 1), date(1990, 2, 1)), 1),
    ):
        assert files_read(opened, days) == expected, days


def test_no_day_is_lost_between_two_ranges(reader: Asking) -> None:
    by_day = {"group_by": ["metric_time"], "grain": "day"}
    for metric in ("user_actions", "churn_events", "tickets_opened"):
        rows = reader.rows(metric, **by_day)
        days = sorted(day for day, _ in rows if day is not None)
        bounds = [days[0], days[len(days) // 3], days[len(days) // 2], days[-1]]
        parts: list[list[Any]] = []
        for first, last in pairwise(bounds):
            found = reader.rows(metric, **by_day, time_range={"start": first, "end": last})
            parts += [row for row in found if row[0] != last]
        parts += [row for row in rows if row[0] == bounds[-1]]
        assert parts == [row for row in rows if row[0] is not None], metric


def test_a_file_that_is_gone_is_told_of_in_one_line(store: Store, ask: Asking) -> None:
    store.publish()
    february = {"start": "2024-02-01", "end": "2024-02-29"}
    assert ask.rows("user_actions", time_range=february) == [[116]]
    assert ask.rows("user_actions", time_range={"start": "1990-01-01", "end": "1990-12-31"}) in ([], [[None]], [[0]])
    for file in Path(store.settings.metric_store_url).rglob("partition_month=2024-03/*.parquet"):
        file.unlink()
    # The months of whose files nothing is wrong are answered all the same.
    assert ask.rows("user_actions", time_range=february, group_by=["action_type"])
    with pytest.raises(DataInsightError, match="cannot answer this"):
        ask.rows("user_actions", time_range={"start": "2024-03-01", "end": "2024-03-31"})


def test_months_beyond_those_that_are_remembered_are_read_from_all(
    opened: OpenSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.open_snapshot._MOST_RANGES", 1)
    first, other = Days(None, date(2023, 2, 1)), Days(date(2024, 1, 1), None)
    assert opened.relation(MART, first) == opened.relation(MART, first) != opened.relation(MART)
    assert opened.relation(MART, other) == opened.relation(MART)
