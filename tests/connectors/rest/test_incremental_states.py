"""What incremental tables of an API remember: which cursor it was, rows that change back, rows that are the same."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.extraction.records import text_batch
from connectors.rest.cursors import RowWindow
from connectors.rest.endpoint_settings import Incremental
from connectors.rest.families import Families
from tests.connectors.rest.conftest import Rest
from tests.connectors.rest.vendor import Call, Reply

Rows = list[dict[str, Any]]
State = dict[str, Any] | None
DAY = "2024-01-01T00:00:00Z"


def read(state: State, rows: Rows, cursor: str = "at", **bounds: Any) -> tuple[list[str], State]:
    """The notes that land, and what is handed to the next run."""
    settings = Incremental(start_param="since", **bounds)
    window = RowWindow(state, settings, cursor, settings.lag_value)
    fresh = window.fresh(text_batch(rows))
    return fresh.column("note").to_pylist(), window.state([fresh])


def read_children(state: State, rows: Rows, **bounds: Any) -> tuple[list[str], State]:
    """The same of the children of one parent."""
    settings = Incremental(start_param="since", **bounds)
    window = Families(state, settings, "at", settings.lag_value)
    window.begin(["parent"])
    fresh = [row["note"] for row in rows if window.is_fresh(row)]
    window.end(whole=True)
    return fresh, window.state(all_listed=True)


def test_another_cursor_asks_for_everything(rest: Callable[..., Rest]) -> None:
    def answer(_: Call) -> Reply:
        return Reply(200, [{"id": 1, "updated_at": "2024-05-01", "created_at": "2024-01-01"}])

    bounds = {"cursor_path": "updated_at", "start_param": "since", "format": "date"}
    api = rest(answer, {"data_selector": "$", "incremental": bounds})
    first = api.extract()
    api.tables["items"]["endpoint"]["incremental"]["cursor_path"] = "created_at"
    second = api.extract(first.states)
    assert second.column("id") == ["1"]
    assert second.portions["items"].complete
    assert [call.query for call in api.server.calls] == [{}, {}]


def test_a_state_says_which_cursor_it_is_of() -> None:
    rows = [{"at": "5", "created": "3", "note": "a"}]
    _, state = read(None, rows, format="number")
    assert state is not None
    assert state["column"] == "_window_at"
    assert read(state, rows, format="number")[0] == []
    assert read(state, rows, "created", format="number")[0] == ["a"]
    # One that an older version left is of the cursor there is; one that was written otherwise is not.
    assert read({**state, "column": "_window_cursor"}, rows, format="number")[0] == []
    assert read(state, rows, format="text")[0] == ["a"]


@pytest.mark.parametrize("reading", [read, read_children])
def test_what_changes_back_within_the_lag_lands_again(reading: Any) -> None:
    state: State = None
    for note in ("open", "paid", "open"):
        landed, state = reading(state, [{"at": DAY, "note": note}], lag="2 days")
        assert landed == [note]
    assert reading(state, [{"at": DAY, "note": "open"}], lag="2 days")[0] == []


@pytest.mark.parametrize("reading", [read, read_children])
def test_rows_that_are_the_same_are_counted(reading: Any) -> None:
    click = {"at": DAY, "note": "click"}
    state: State = None
    for given, new in ((1, 1), (2, 1), (2, 0), (1, 0), (3, 1)):
        landed, state = reading(state, [click] * given)
        assert landed == ["click"] * new


@pytest.mark.parametrize("reading", [read, read_children])
def test_numbers_of_any_scale(reading: Any) -> None:
    rows = [{"at": "10.5", "note": "a"}, {"at": "10.12345678901", "note": "b"}, {"at": "11", "note": "c"}]
    _, state = reading(None, rows, format="number", lag="0.75")
    late = {"at": "10.3", "note": "d"}
    assert reading(state, [rows[0], {"at": "10.1", "note": "e"}, late], format="number", lag="0.75")[0] == ["d"]


def test_text_with_thousandths_keeps_the_rows_of_its_second() -> None:
    rows = [{"at": "2024-01-01T11:00:00.500Z", "note": "a"}, {"at": "2024-01-01T12:00:00.000Z", "note": "b"}]
    _, state = read(None, rows, format="text", lag="1 hour")
    late = {"at": "2024-01-01T11:00:00.250Z", "note": "c"}
    assert read(state, [*rows, late], format="text", lag="1 hour")[0] == ["c"]
