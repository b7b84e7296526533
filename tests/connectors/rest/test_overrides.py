"""What a user changes of a table's request, and parameters that are lists."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.rest.overrides import merged
from tests.connectors.rest.conftest import Rest
from tests.connectors.rest.vendor import Reply

BODY = {"filter": {"kind": "all", "since": "{start}"}, "properties": "{fields}", "text": "only {fields}", "limit": 100}
FIELDS = {"description": "the properties", "default": ["name", "email"]}


@pytest.fixture
def api(rest: Callable[..., Rest]) -> Rest:
    endpoint = {
        "path": "/items/{fields}",
        "method": "POST",
        "params": {"field": "{fields}", "state": "open", "sort": "id"},
        "json": BODY,
        "data_selector": "$",
    }
    more = {"parameters": {"fields": FIELDS, "start": {"description": "a day", "default": None}}}
    return rest([Reply(200, [{"id": 1}])], endpoint, more=more)


def test_a_list_stays_one_when_it_is_the_whole_text(api: Rest) -> None:
    api.extract()
    [call] = api.server.calls
    assert call.json == {
        "filter": {"kind": "all"},
        "properties": ["name", "email"],
        "text": "only name,email",
        "limit": 100,
    }
    assert call.queries["field"] == ["name", "email"]
    assert call.path == "/items/name,email"
    api.settings["parameters"] = {"fields": ["phone"]}
    api.extract()
    api.settings["parameters"] = {"fields": "phone"}
    api.extract()
    assert [call.json["properties"] for call in api.server.calls[1:]] == [["phone"], ["phone"]]


@pytest.mark.parametrize("wrong", [[{"a": 1}], {"a": 1}, [["a"]], [None]])
def test_a_list_of_anything_but_texts_is_refused(wrong: Any, api: Rest) -> None:
    api.settings["parameters"] = {"fields": wrong}
    with pytest.raises(ValidationError, match="has a parameter fields that is no list of texts"):
        _ = api.source


def test_a_request_is_changed_where_the_user_says(api: Rest) -> None:
    changes = {
        "params": {"state": "closed", "sort": None, "more": True},
        "json": {"filter": {"since": "2024-01-01", "by": "{fields}"}, "properties": ["phone"], "limit": None},
    }
    api.settings["tables"] = {"items": changes}
    api.extract()
    [call] = api.server.calls
    assert call.json == {
        "filter": {"kind": "all", "since": "2024-01-01", "by": ["name", "email"]},
        "properties": ["phone"],
        "text": "only name,email",
    }
    assert call.queries == {"field": ["name", "email"], "state": ["closed"], "more": ["true"]}
    # What is looked at is what will be read.
    assert api.source.check()[0]["ok"]
    assert api.server.calls[-1].json == call.json


@pytest.mark.parametrize(
    ("base", "change", "both"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1, "b": None}, {"a": None}, {"b": None}),
        (None, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_merging(base: Any, change: Any, both: Any) -> None:
    assert merged(base, change) == both
