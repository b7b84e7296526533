"""Children of many parents: each parent is read from where it was read to, whatever the others were."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.landing.land import land
from connectors.rest import families
from connectors.rest.endpoint_settings import Incremental
from tests.connectors.rest.conftest import Rest
from tests.connectors.rest.vendor import Call, Reply
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

Rooms = dict[str, list[dict[str, Any]]]


def said(number: int, day: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "at": f"2024-01-{day:02}", **more}


@pytest.fixture
def rooms() -> Rooms:
    """Rooms and what was said in them; one whose name begins with - cannot be read, one with ~ not to its end."""
    return {"a": [said(1, 1), said(2, 9)], "b": [said(3, 5)]}


@pytest.fixture
def chat(rest: Callable[..., Rest], rooms: Rooms) -> Rest:
    def answer(call: Call) -> Reply:
        if call.path == "/rooms":
            return Reply(200, [{"id": name.strip("-~"), "name": name} for name in rooms])
        name, page = call.query["room"], int(call.query.get("page", "0"))
        if name.startswith("-") or (name.startswith("~") and page):
            return Reply(403, {"error": "not a member"})
        rows = [row for row in rooms[name] if str(row.get("at", "~")) >= call.query.get("since", "")]
        return Reply(200, {"rows": rows[page : page + 1], "more": page + 1 < len(rows)})

    return rest(
        answer,
        tables={
            "rooms": {"key": "id", "endpoint": {"path": "/rooms", "data_selector": "$"}},
            "messages": {
                "key": ["_rooms_id", "id"],
                "cursor": "at",
                "endpoint": {
                    "path": "/messages",
                    "params": {"room": "{resources.rooms.name}"},
                    "data_selector": "rows",
                    "paginator": {"type": "page_number", "base_page": 0, "has_more_path": "more"},
                    "response_actions": [{"status_code": 403, "action": "ignore"}],
                    "incremental": {"start_param": "since", "format": "date"},
                },
            },
        },
    )


def asked(chat: Rest) -> list[tuple[str, str | None]]:
    """Of which rooms messages were asked for, and since when, first pages only; forgotten afterwards."""
    calls = [(call.query["room"], call.query.get("since")) for call in chat.server.calls if call.path == "/messages"]
    chat.server.calls.clear()
    return list(dict.fromkeys(calls))


def test_a_parent_that_appears_later_is_asked_for_all_it_has(chat: Rest, rooms: Rooms) -> None:
    first = chat.extract()
    assert first.column("id", "messages") == ["1", "2", "3"]
    assert first.portions["messages"].complete
    assert asked(chat) == [("a", None), ("b", None)]
    rooms["c"] = [said(4, 2)]
    rooms["b"].append(said(5, 6))
    second = chat.extract(first.states)
    # What was said in b is older than the newest in a.
    assert second.column("id", "messages") == ["5", "4"]
    assert not second.portions["messages"].complete
    assert asked(chat) == [("a", "2024-01-09"), ("b", "2024-01-05"), ("c", None)]
    third = chat.extract(second.states)
    assert third.rows("messages") == []
    assert asked(chat) == [("a", "2024-01-09"), ("b", "2024-01-06"), ("c", "2024-01-02")]
    assert chat.extract(third.states, full_refresh=True).portions["messages"].complete


def test_a_parent_that_appears_later_begins_where_a_first_run_would(chat: Rest, rooms: Rooms) -> None:
    chat.settings["tables"] = {"rooms": {}, "messages": {"initial_value": "2024-01-03"}}
    first = chat.extract()
    assert first.column("id", "messages") == ["2", "3"]
    rooms["c"] = [said(4, 2), said(5, 3)]
    asked(chat)
    assert chat.extract(first.states).column("id", "messages") == ["5"]
    assert asked(chat)[-1] == ("c", "2024-01-03")


def test_a_parent_that_could_not_be_read_is_asked_from_where_it_was(chat: Rest, rooms: Rooms) -> None:
    rooms["-c"] = [said(4, 2), said(5, 3)]
    first = chat.extract()
    assert first.column("id", "messages") == ["1", "2", "3"]
    # Now it may be read, but its second page fails; b is closed for this run.
    rooms["~c"], rooms["-b"] = rooms.pop("-c"), [*rooms.pop("b"), said(6, 6)]
    rooms["a"].append(said(7, 10))
    second = chat.extract(first.states)
    assert second.column("id", "messages") == ["7", "4"]
    rooms["c"], rooms["b"] = rooms.pop("~c"), rooms.pop("-b")
    asked(chat)
    third = chat.extract(second.states)
    assert sorted(third.column("id", "messages")) == ["4", "5", "6"]
    assert asked(chat) == [("a", "2024-01-10"), ("c", None), ("b", "2024-01-05")]
    assert chat.extract(third.states).rows("messages") == []


def test_a_parent_that_was_gone_is_new_again(chat: Rest, rooms: Rooms) -> None:
    first = chat.extract()
    gone = rooms.pop("b")
    rooms["a"].append(said(4, 10))
    second = chat.extract(first.states)
    rooms["b"] = gone
    assert chat.extract(second.states).column("id", "messages") == ["3"]


def test_late_and_changed_rows_are_found_within_the_lag_of_their_parent(chat: Rest, rooms: Rooms) -> None:
    chat.tables["messages"]["endpoint"]["incremental"]["lag"] = "2 days"
    rooms["a"] += [{"id": 10, "text": "without a cursor"}, said(11, 8)]
    first = chat.extract()
    assert chat.extract(first.states).rows("messages") == []
    rooms["a"] += [said(12, 7), said(13, 6)]
    rooms["b"][0]["text"] = "changed, with the same cursor"
    second = chat.extract(first.states)
    assert second.column("id", "messages") == ["12", "3"]
    # The window moves on; a row without a cursor is given each time, and lands once.
    rooms["a"].append(said(14, 20))
    third = chat.extract(second.states)
    assert third.column("id", "messages") == ["14"]
    assert chat.extract(third.states).rows("messages") == []


def test_rows_without_any_cursor_are_an_error(chat: Rest, rooms: Rooms) -> None:
    rooms.update(a=[{"id": 1}], b=[])
    with pytest.raises(DataInsightError, match="have no cursor at; their columns are _rooms_id, id"):
        chat.extract()


def test_another_cursor_begins_anew(chat: Rest, rooms: Rooms) -> None:
    for row in [*rooms["a"], *rooms["b"]]:
        row["edited"] = row["at"]
    first = chat.extract()
    chat.tables["messages"]["cursor"] = "edited"
    second = chat.extract(first.states)
    assert second.portions["messages"].complete
    assert second.column("id", "messages") == ["1", "2", "3"]


def test_grandchildren_follow_the_parents_that_were_read(chat: Rest, rooms: Rooms) -> None:
    chat.tables["replies"] = {
        "key": ["_messages_id", "name"],
        "endpoint": {"path": "/rooms", "params": {"message": "{resources.messages.id}"}, "data_selector": "$"},
    }
    first = chat.extract()
    assert len(first.rows("replies")) == 6
    rooms["c"] = [said(4, 2)]
    second = chat.extract(first.states)
    assert {row["_messages_id"] for row in second.rows("replies")} == {"2", "3", "4"}
    # Their batch was refused, that of the messages was not.
    states = second.states | {"replies": first.states["replies"]}
    assert "4" in chat.extract(states).column("_messages_id", "replies")


def test_more_parents_than_can_be_remembered(
    chat: Rest, rooms: Rooms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, warehouse: Warehouse
) -> None:
    monkeypatch.setattr(families, "MOST_REMEMBERED", 1)
    lines: list[str] = []
    land(chat.source, warehouse, tmp_path / "home", say=lines.append)
    assert lines == [
        "messages: 1 of its parents are more than can be remembered, and will be asked for everything again"
    ]
    asked(chat)
    land(chat.source, warehouse, tmp_path / "home", say=lines.append)
    assert asked(chat) == [("a", "2024-01-09"), ("b", None)]
    assert set(rooms) == {"a", "b"}


def test_many_rows_of_a_parent_leave_only_those_of_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "_MANY_ROWS", 3)
    bounds = Incremental.model_validate({"start_param": "since", "format": "number"})
    first = families.Families(None, bounds, "at", None)
    assert first.begin(["a"]) is None
    assert all(first.is_fresh({"id": number, "at": number // 2}) for number in range(21))
    first.end(whole=True)
    state = first.state(all_listed=True)
    second = families.Families(state, bounds, "at", None)
    assert second.begin(["a"]) == 10
    assert [second.is_fresh({"id": number, "at": number // 2}) for number in (19, 20, 21)] == [False, False, True]


def test_a_parent_whose_batch_was_refused_is_asked_for_all_it_has_again(
    chat: Rest, rooms: Rooms, warehouse: Warehouse, tmp_path: Path
) -> None:
    def run() -> list[str]:
        asked(chat)
        batches = land(chat.source, warehouse, tmp_path / "home")
        with warehouse.engine().connect() as connection:
            query = sa.text(
                "select table_name || ' ' || status || ' ' || row_count from ops.batches"
                " where batch_id = any(:ids) order by batch_id"
            )
            return list(connection.execute(query, {"ids": batches}).scalars())

    def alter(kind: str) -> None:
        with warehouse.engine().begin() as connection:
            change = f"alter table raw_api.messages alter column id type {kind} using id::{kind}"
            connection.execute(sa.text(change))

    assert [line for line in run() if "messages" in line] == ["messages landed 3"]
    rooms["c"] = [said(4, 2)]
    alter("bigint")
    assert [line for line in run() if "messages" in line] == ["messages refused 1"]
    alter("text")
    assert run() == ["messages landed 1"]
    assert asked(chat) == [("a", "2024-01-09"), ("b", "2024-01-05"), ("c", None)]
    assert run() == []
    with warehouse.engine().connect() as connection:
        ids = connection.execute(
            sa.text(
                "select id from raw_api.messages join ops.batches on load_id = _dlt_load_id"
                " and table_name = 'messages' and status <> 'refused' order by id"
            )
        ).scalars()
        assert list(ids) == ["1", "2", "3", "4"]
