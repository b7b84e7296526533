"""Every paginator reads all pages; pages without end, or to another host, are errors."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.connectors.rest.conftest import Rest
from tests.connectors.rest.vendor import Call, Reply
from warehouse.errors import DataInsightError

IDS = list(range(1, 8))
SIZE = 3


def rows(ids: list[int]) -> list[dict[str, Any]]:
    return [{"id": number} for number in ids]


def link(call: Call) -> Reply:
    page = int(call.query.get("page", 1))
    more = f'<{call.path}?page={page + 1}>; rel="next"' if page * SIZE < len(IDS) else ""
    return Reply(200, rows(IDS[(page - 1) * SIZE : page * SIZE]), {"Link": more} if more else {})


def body_link(call: Call) -> Reply:
    start = int(call.query.get("from", 0))
    more = f"{call.path}?from={start + SIZE}" if start + SIZE < len(IDS) else ""
    return Reply(200, {"data": rows(IDS[start : start + SIZE]), "links": {"next": more}})


def cursor(call: Call) -> Reply:
    start = int(call.query.get("after", 0))
    after = str(start + SIZE) if start + SIZE < len(IDS) else ""
    return Reply(200, {"data": rows(IDS[start : start + SIZE]), "next": after})


def body_cursor(call: Call) -> Reply:
    start = int((call.json.get("page") or {}).get("after", 0))
    return Reply(200, {"data": rows(IDS[start : start + SIZE]), "next": start + SIZE, "last": start + SIZE >= len(IDS)})


def header_cursor(call: Call) -> Reply:
    start = int(call.query.get("after", 0))
    return Reply(200, rows(IDS[start : start + SIZE]), {"X-Next": str(start + SIZE)} if start + SIZE < len(IDS) else {})


def offset(call: Call) -> Reply:
    start = int(call.query["skip"])
    assert call.query["take"] == "5"
    return Reply(200, {"data": rows(IDS[start : start + SIZE])})  # Fewer than were asked for.


def offset_in_body(call: Call) -> Reply:
    start, size = call.json["skip"], call.json["take"]
    return Reply(200, {"data": rows(IDS[start : start + size]), "total": len(IDS)})


def page_number(call: Call) -> Reply:
    page = int(call.query["page"])
    return Reply(200, {"data": rows(IDS[(page - 1) * SIZE : page * SIZE]), "pages": 3})


def last_item(call: Call) -> Reply:
    start = int(call.query.get("since", 0))
    found = [number for number in IDS if number > start][:SIZE]
    return Reply(200, {"data": rows(found), "more": bool(found) and found[-1] < IDS[-1]})


def last_item_in_body(call: Call) -> Reply:
    start = int(call.json["filters"][0]["value"])
    return Reply(200, {"data": rows([number for number in IDS if number > start][:SIZE])})


POST = {"method": "POST", "json": {"query": "all"}, "data_selector": "data"}
CASES: dict[str, tuple[Callable[[Call], Reply], dict[str, Any]]] = {
    "header_link": (link, {"paginator": "header_link"}),
    "json_link": (body_link, {"paginator": {"type": "json_link", "next_url_path": "links.next"}}),
    "cursor": (cursor, {"paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "after"}}),
    "cursor in the body": (
        body_cursor,
        POST
        | {
            "paginator": {
                "type": "cursor",
                "cursor_path": "next",
                "cursor_body_path": "page.after",
                "end_path": "last",
            }
        },
    ),
    "header_cursor": (
        header_cursor,
        {"paginator": {"type": "header_cursor", "cursor_key": "X-Next", "cursor_param": "after"}},
    ),
    "offset": (offset, {"paginator": {"type": "offset", "limit": 5, "offset_param": "skip", "limit_param": "take"}}),
    "offset in the body": (
        offset_in_body,
        POST
        | {
            "paginator": {
                "type": "offset",
                "limit": 2,
                "offset_body_path": "skip",
                "limit_body_path": "take",
                "total_path": "total",
            }
        },
    ),
    "page_number": (
        page_number,
        {"paginator": {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": "pages"}},
    ),
    "page_number to an empty page": (
        page_number,
        {"paginator": {"type": "page_number", "base_page": 1, "page_param": "page"}},
    ),
    "last_item": (last_item, {"paginator": {"type": "last_item", "param": "since", "has_more_path": "more"}}),
    "last_item to an empty page": (last_item, {"paginator": {"type": "last_item", "param": "since"}}),
    "last_item in the body": (
        last_item_in_body,
        POST | {"json": {"filters": [{"value": 0}]}}
        | {"paginator": {"type": "last_item", "body_path": "filters[0].value"}},
    ),
    "auto": (link, {"paginator": "auto"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_all_pages_are_read(name: str, rest: Callable[..., Rest]) -> None:
    answer, endpoint = CASES[name]
    selector = "$" if answer in (link, header_cursor) else "data"
    api = rest(answer, {"data_selector": selector, **endpoint})
    extracted = api.extract()
    assert extracted.column("id") == [str(number) for number in IDS]
    origin = extracted.portions["items"].origin
    assert origin["request"] == f"{endpoint.get('method', 'GET')} {api.server.url}/items"
    assert origin["requests"] == len(api.server.calls) == origin["pages"]


def test_one_request_is_all_without_a_paginator(rest: Callable[..., Rest]) -> None:
    api = rest(link, {"data_selector": "$"})
    assert api.extract().column("id") == ["1", "2", "3"]


def test_without_a_data_selector_the_rows_are_found(rest: Callable[..., Rest]) -> None:
    api = rest(lambda _: Reply(200, {"total": 2, "results": rows([1, 2])}))
    assert api.extract().column("id") == ["1", "2"]


@pytest.mark.parametrize(
    ("answer", "paginator", "says"),
    [
        (
            lambda call: Reply(200, {"data": rows([len(call.query)]), "next": "again"}),
            {"type": "cursor", "cursor_path": "next", "cursor_param": "after"},
            "that was read before",
        ),
        (
            lambda _: Reply(200, {"data": rows([1, 2])}),
            {"type": "page_number", "page_param": "page"},
            "gave the same page twice, as pages 1 and 2",
        ),
        (
            lambda _: Reply(200, {"data": rows([1]), "next": "http://elsewhere.example/items?page=2"}),
            {"type": "json_link"},
            "names elsewhere.example as the host of the next page",
        ),
        (
            lambda _: Reply(200, {"data": rows([1])}),
            {"type": "offset", "limit": 1, "offset_param": "o", "limit_param": "l", "total_path": "total"},
            "an answer without its paging: Total `items` not found in the response",
        ),
    ],
)
def test_paging_that_cannot_be_right_is_an_error(
    answer: Callable[[Call], Reply], paginator: dict[str, Any], says: str, rest: Callable[..., Rest]
) -> None:
    api = rest(answer, {"data_selector": "data", "paginator": paginator})
    with pytest.raises(DataInsightError, match=says):
        api.extract()
    assert len(api.server.calls) <= 3


def test_rows_that_are_not_where_they_should_be_are_an_error(rest: Callable[..., Rest]) -> None:
    api = rest(lambda _: Reply(200, {"records": []}), {"data_selector": "items"})
    with pytest.raises(DataInsightError, match="has nothing at items; it has records"):
        api.extract()
    api.tables["items"]["endpoint"]["data_may_be_missing"] = True
    assert api.extract().rows("items") == []


def test_what_is_no_object_is_set_aside_and_a_page_of_nothing_else_is_an_error(rest: Callable[..., Rest]) -> None:
    api = rest(lambda _: Reply(200, [{"id": 1}, "two", None]), {"data_selector": "$"})
    extracted = api.extract()
    assert extracted.column("id") == ["1"]
    assert [payload["text"] for payload, _ in extracted.portions["items"].unreadable] == ["two", "null"]
    api = rest(lambda _: Reply(200, ["one", "two"]), {"data_selector": "$"})
    with pytest.raises(DataInsightError, match="are no rows"):
        api.extract()


def test_values_are_what_the_answer_says_to_the_letter(rest: Callable[..., Rest]) -> None:
    body = (
        b'{"data": [{"id": 12345678901234567890123, "amount": 1.10, "big": 1e400, "zero": -0, "yes": true, "no": null,'
        b' "nested": {"a": [1.50, "\xc3\xa9"]}, "text": "1.10"}]}'
    )
    api = rest(lambda _: Reply(200, raw=body), {"data_selector": "data"})
    assert api.extract().rows("items") == [
        {
            "id": "12345678901234567890123",
            "amount": "1.10",
            "big": "1e400",
            "zero": "-0",
            "yes": "true",
            "no": None,
            "nested": '{"a":[1.50,"é"]}',
            "text": "1.10",
        }
    ]


def test_rows_may_be_lines_and_tables_may_have_their_names_apart(rest: Callable[..., Rest]) -> None:
    lines = "\n".join(json.dumps({"id": number}) for number in IDS).encode()
    assert rest(lambda _: Reply(200, raw=lines), {"format": "jsonl"}).extract().column("id") == [str(i) for i in IDS]
    table = {"columns": ["id", "name"], "results": [[1, "a"], [2, "b"]]}
    zipped = {"data_selector": "results", "zip": [{"names": "columns[*]", "values": "$"}]}
    assert rest(lambda _: Reply(200, table), zipped).extract().rows("items") == [
        {"id": "1", "name": "a"},
        {"id": "2", "name": "b"},
    ]
