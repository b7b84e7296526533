"""Only what is new is asked for and landed; children follow their parents; deletions are found on whole copies."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.landing.land import land
from tests.connectors.rest.conftest import Rest
from tests.connectors.rest.vendor import Call, Reply
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

Rows = list[dict[str, Any]]


def since(rows: Rows, param: str = "since", cursor: str = "updated_at") -> Callable[[Call], Reply]:
    """Rows from a moment on, as they compare as text; also for paths of posts of a topic."""

    def answer(call: Call) -> Reply:
        start = call.query.get(param, "")
        return Reply(200, [row for row in rows if str(row[cursor]) >= start])

    return answer


def incremental(**bounds: Any) -> dict[str, Any]:
    return {"data_selector": "$", "incremental": {"cursor_path": "updated_at", "start_param": "since", **bounds}}


def at(day: int, time: str = "00:00:00Z") -> str:
    return f"2024-01-{day:02}T{time}"


def test_only_new_and_changed_rows_land(rest: Callable[..., Rest]) -> None:
    rows: Rows = [{"id": 1, "updated_at": at(1)}, {"id": 2, "updated_at": at(3, "12:00:00.500Z")}]
    api = rest(since(rows), incremental(format="date"))
    first = api.extract()
    assert first.column("id") == ["1", "2"]
    assert first.portions["items"].complete
    again = api.extract(first.states)
    assert again.rows("items") == []
    assert not again.portions["items"].complete
    assert [call.query for call in api.server.calls] == [{}, {"since": "2024-01-03"}]
    # One that came late within the same day is older than the cursor, and no lag was asked for; one as old is new.
    rows += [{"id": 3, "updated_at": at(3, "12:00:00.500Z")}, {"id": 4, "updated_at": at(4)}]
    later = api.extract(again.states)
    assert later.column("id") == ["3", "4"]
    assert api.extract(later.states, full_refresh=True).portions["items"].complete


def test_rows_that_come_late_are_found_within_the_lag_and_land_once(rest: Callable[..., Rest]) -> None:
    rows: Rows = [{"id": 1, "updated_at": at(8)}, {"id": 2, "updated_at": at(10)}]
    api = rest(since(rows), incremental(lag="3 days"))
    first = api.extract()
    rows += [{"id": 3, "updated_at": at(9)}, {"id": 4, "updated_at": at(6)}]
    later = api.extract(first.states)
    assert later.column("id") == ["3"]
    assert api.server.calls[-1].query == {"since": at(7)}
    rows[0]["name"] = "changed, with the same cursor"
    assert api.extract(later.states).column("id") == ["1"]
    assert api.extract(api.extract(later.states).states).rows("items") == []


@pytest.mark.parametrize(
    ("form", "row", "asked"),
    [
        ("unix", 1704067200, "1704067200"),
        ("unix_ms", 1704067200123, "1704067200123"),
        ("number", 12345678901234567890, "12345678901234567890"),
        ("text", "ev_0001", "ev_0001"),
        ("%Y%m%dT%H", "20240101T05", "20240101T05"),
        ("iso8601", "2024-01-01T00:00:00.000+0000", "2024-01-01T00:00:00Z"),
        ("unix", "1704067200.000200", "1704067200"),
    ],
)
def test_cursors_are_asked_for_as_they_are_written(form: str, row: Any, asked: str, rest: Callable[..., Rest]) -> None:
    api = rest(lambda _: Reply(200, [{"id": 1, "updated_at": row}]), incremental(format=form))
    assert api.extract(api.extract().states).rows("items") == []
    assert api.server.calls[-1].query == {"since": asked}


def test_a_cursor_that_is_missing_or_cannot_be_read_is_an_error(rest: Callable[..., Rest]) -> None:
    api = rest([Reply(200, [{"id": 1}])], incremental())
    with pytest.raises(DataInsightError, match="have no cursor updated_at; their columns are id"):
        api.extract()
    api = rest([Reply(200, [{"id": 1, "updated_at": "soon"}])], incremental())
    with pytest.raises(DataInsightError, match="is 'soon', which is not written as iso8601"):
        api.extract()


def test_ranges_are_asked_one_after_another(rest: Callable[..., Rest]) -> None:
    begin = (datetime.now(UTC) - timedelta(days=5)).date()
    body = {"from": "{incremental.start_value}", "to": "{incremental.end_value}"}
    api = rest(
        lambda call: Reply(200, [{"id": call.json["from"], "updated_at": call.json["from"]}]),
        {
            "method": "POST",
            "json": body,
            "data_selector": "$",
            "incremental": {
                "cursor_path": "updated_at",
                "format": "date",
                "initial_value": begin.isoformat(),
                "slice": "2 days",
            },
        },
    )
    first = api.extract()
    spans = [(call.json["from"], call.json["to"]) for call in api.server.calls]
    days = [(begin + timedelta(days=number)).isoformat() for number in (0, 2, 4, 5)]
    assert spans == list(pairwise(days))
    assert first.portions["items"].complete
    api.extract(first.states)
    assert api.server.calls[-1].json == {"from": days[2], "to": days[3]}


def test_a_beginning_that_moves_is_never_the_whole_table(rest: Callable[..., Rest]) -> None:
    api = rest(since([{"id": 1, "updated_at": at(1)}]), incremental(initial_value="30 days"))
    assert not api.extract().portions["items"].complete
    asked = datetime.fromisoformat(api.server.calls[0].query["since"])
    assert timedelta(days=29) < datetime.now(UTC) - asked < timedelta(days=31)
    # A user may fix it.
    api.settings["tables"] = {"items": {"initial_value": "2024-01-01", "params": {"state": "all"}}}
    assert api.extract().portions["items"].complete
    assert api.server.calls[-1].query == {"since": at(1), "state": "all"}


@pytest.fixture
def forum(rest: Callable[..., Rest]) -> Rest:
    """Topics, incremental; their posts; the votes of a post."""
    topics: Rows = [{"id": "a/1", "name": "A", "updated_at": at(1)}, {"id": "b", "name": "B", "updated_at": at(2)}]
    posts: dict[str, Rows] = {"a/1": [{"id": 1}, {"id": 2}], "b": [{"id": 3}]}

    def answer(call: Call) -> Reply:
        match call.path.strip("/").split("/"):
            case ["topics"]:
                return since(topics)(call)
            case ["topics", *topic, "posts"]:
                return Reply(200, posts["/".join(topic)])
            case ["votes"]:
                return Reply(200, [{"voter": f"v{call.query['post']}"}])
        return Reply(404, {})

    api = rest(
        answer,
        tables={
            "votes": {
                "key": ["_posts_id", "voter"],
                "endpoint": {"path": "/votes", "params": {"post": "{resources.posts.id}"}, "data_selector": "$"},
            },
            "posts": {
                "key": ["_topics_id", "id"],
                "include_from_parent": ["name"],
                "endpoint": {"path": "/topics/{resources.topics.id}/posts", "data_selector": "$"},
            },
            "topics": {"key": "id", "endpoint": {"path": "/topics", **incremental()}},
        },
    )
    api.more["topics"], api.more["posts"] = topics, posts
    return api


def data_of(forum: Rest) -> tuple[Rows, dict[str, Rows]]:
    """The server's data, taken out of what is the definition."""
    return forum.more.pop("topics"), forum.more.pop("posts")


def test_children_carry_their_parents_key(forum: Rest) -> None:
    data_of(forum)
    first = forum.extract()
    assert first.rows("posts") == [
        {"_topics_id": "a/1", "_topics_name": "A", "id": "1"},
        {"_topics_id": "a/1", "_topics_name": "A", "id": "2"},
        {"_topics_id": "b", "_topics_name": "B", "id": "3"},
    ]
    assert first.column("voter", "votes") == ["v1", "v2", "v3"]
    assert first.rows("votes")[0] == {"_posts_topics_id": "a/1", "_posts_id": "1", "voter": "v1"}
    assert all(portion.complete for portion in first.portions.values())


def test_children_are_asked_of_changed_parents_only(forum: Rest) -> None:
    topics, posts = data_of(forum)
    first = forum.extract()
    topics[1]["updated_at"] = at(5)
    posts["b"].append({"id": 4})
    asked = len(forum.server.calls)
    second = forum.extract(first.states)
    assert forum.server.paths[asked:] == ["/topics", "/topics/b/posts", "/votes", "/votes"]
    assert second.column("id", "posts") == ["3", "4"]
    assert not second.portions["posts"].complete
    assert not second.portions["votes"].complete


def test_parents_whose_children_did_not_land_are_asked_again(forum: Rest) -> None:
    topics, _ = data_of(forum)
    first = forum.extract()
    topics[0]["updated_at"] = at(3)
    second = forum.extract(first.states)
    # The posts of that run were refused, so their state is the old one.
    states = second.states | {"posts": first.states["posts"]}
    topics[1]["updated_at"] = at(5)
    third = forum.extract(states)
    assert sorted(third.column("_topics_id", "posts")) == ["a/1", "a/1", "b"]


def test_a_child_that_is_new_or_wants_all_is_asked_of_all_parents(forum: Rest) -> None:
    data_of(forum)
    forum.settings["tables"] = ["topics"]
    first = forum.extract()
    del forum.settings["tables"]
    second = forum.extract(first.states)
    assert second.column("id", "posts") == ["1", "2", "3"]
    assert second.portions["posts"].complete
    forum.tables["posts"]["parents"] = "all"
    assert forum.extract(second.states).column("id", "posts") == ["1", "2", "3"]


def test_children_alone_need_no_rows_of_their_parent(forum: Rest) -> None:
    data_of(forum)
    forum.settings["tables"] = ["posts"]
    only = forum.extract()
    assert list(only.portions) == ["posts"]
    assert only.column("id", "posts") == ["1", "2", "3"]
    assert forum.extract(only.states).portions["posts"].complete


def test_check_and_discover(forum: Rest) -> None:
    _, posts = data_of(forum)
    assert [(row["table_name"], row["ok"]) for row in forum.source.check()] == [
        ("votes", True),
        ("posts", True),
        ("topics", True),
    ]
    found = {row["table_name"]: row for row in forum.source.discover()}
    assert found["posts"]["columns"] == ["_topics_id", "_topics_name", "id"]
    assert found["posts"]["key"] == ["_topics_id", "id"]
    assert (found["topics"]["cursor"], found["topics"]["configured"]) == ("updated_at", True)
    del posts["a/1"]
    forum.tables["posts"]["endpoint"]["path"] = "/nowhere/{resources.topics.id}"
    problems = {row["table_name"]: row["problem"] for row in forum.source.check()}
    assert problems["topics"] is None
    assert "was answered 404 Not Found" in str(problems["posts"])
    assert "was answered 404 Not Found" in str(problems["votes"])
    assert {row["table_name"]: row["columns"] for row in forum.source.discover()}["posts"] == []


def test_deletions_are_found_on_a_whole_copy_and_an_identical_one_does_not_land(
    rest: Callable[..., Rest], warehouse: Warehouse, tmp_path: Path
) -> None:
    rows = [{"id": number, "amount": 1.10} for number in range(3)]
    api = rest(lambda _: Reply(200, rows), {"data_selector": "$"})
    assert len(land(api.source, warehouse, tmp_path / "home")) == 1
    assert land(api.source, warehouse, tmp_path / "home") == []
    rows.pop(1)
    rows[0]["amount"] = 2
    assert len(land(api.source, warehouse, tmp_path / "home")) == 1
    with warehouse.engine().connect() as connection:
        [deleted] = connection.execute(sa.text("select id from raw_api.items where _dlt_deleted")).scalars().all()
    assert deleted == "1"
