"""Notion's API as it answers, version 2026-03-11: lists with next_cursor, data sources that are queried by a POST."""

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "ntn_right"
GOOD = {"token": TOKEN}
SOURCES = ("164b19c5-58e5-4a47-a3a9-c905d9519c65", "25c104cd-477e-8047-836b-000b4aa4bc94")


def _page(number: int, edited: str, parent: dict | None = None) -> dict:
    return {
        "object": "page",
        "id": f"59833787-2cf9-4fdf-8782-e53db2076{number:03d}",
        "created_time": f"2024-03-01T19:05:{number % 60:02d}.000Z",
        "last_edited_time": edited,
        "in_trash": False,
        "parent": parent or {"type": "workspace", "workspace": True},
        "properties": {"Price": {"id": "BJXS", "type": "number", "number": 2.5}},
        "url": "https://www.notion.so/Tuscan-kale",
    }


def _row(number: int, source: int, edited: str) -> dict:
    return _page(number, edited, {"type": "data_source_id", "data_source_id": SOURCES[source]})


def _of_page(kind: str, number: int, page: int) -> dict:
    return {
        "object": kind,
        "id": f"c02fc1d3-db8b-45c5-a222-27595b15a{number:03d}",
        "parent": {"type": "page_id", "page_id": f"59833787-2cf9-4fdf-8782-e53db2076{page:03d}"},
        "last_edited_time": "2024-03-01T19:36:00.000Z",
        "has_children": False,
    }


ROWS = {
    "users": [
        {"object": "user", "id": f"d40e767c-d7af-4b18-a86d-55c61f1e39a{number}", "type": "person"}
        for number in range(3)
    ],
    "pages": [_page(number, "2024-03-05T20:00:00.000Z") for number in range(1, 4)],
    "data_sources": [{"object": "data_source", "id": source, "title": [], "properties": {}} for source in SOURCES],
    "data_source_rows": [_row(100 + number, 0, f"2024-03-05T20:0{number}:00.000Z") for number in range(5)]
    + [_row(200, 1, "2024-03-05T20:04:00.000Z")],
    "blocks": [_of_page("block", number, 1) for number in range(5)],
    "comments": [_of_page("comment", 700, 2)],
}
CHANGES = {"data_source_rows": [_row(101, 0, "2024-03-06T00:00:00.000Z"), _row(201, 1, "2024-03-05T20:04:00.000Z")]}


def _error(status: int, code: str, message: str, headers: dict | None = None) -> Reply:
    return Reply(status, {"object": "error", "status": status, "code": code, "message": message}, headers or {})


class Notion(Vendor):
    catalog = "notion"
    parameters = GOOD
    wrong = GOOD | {"token": "ntn_wrong"}
    rate_limit = _error(429, "rate_limited", "You have been rate limited.", {"Retry-After": "0"})
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return _error(401, "unauthorized", "API token is invalid.")

    def answer(self, call: Call) -> Reply:
        if call.headers.get("Notion-Version") != "2026-03-11":
            return _error(400, "missing_version", "Notion-Version header failed validation")
        reply = _error(
            404, "object_not_found", "Could not find the object. Make sure it is shared with your integration."
        )
        match call.method, call.path.removeprefix("/v1/").split("/"):
            case "GET", ["users", "me"]:
                reply = Reply(200, {"object": "user", "type": "bot"})
            case "GET", ["users"]:
                reply = self._list(self.data["users"], call.query)
            case "GET", ["blocks", page, "children"]:
                reply = self._list(self._of("blocks", page), call.query)
            case "GET", ["comments"]:
                reply = self._list(self._of("comments", call.query["block_id"]), call.query)
            case "POST", ["search"]:
                kind = call.json["filter"]["value"]
                reply = self._list(self.data["pages" if kind == "page" else "data_sources"], call.json)
            case "POST", ["data_sources", source, "query"] if source in SOURCES:
                wanted = call.json["filter"]
                rows = [
                    row
                    for row in self.data["data_source_rows"]
                    if row["parent"]["data_source_id"] == source
                    and row[wanted["timestamp"]] >= wanted["last_edited_time"]["on_or_after"].replace("Z", ".000Z")
                ]
                reply = self._list(sorted(rows, key=lambda row: row["created_time"]), call.json)
        return reply

    def _of(self, table: str, page: str) -> list:
        return [row for row in self.data[table] if row["parent"]["page_id"] == page]

    def _list(self, rows: list, asked: dict) -> Reply:
        start, size = int(asked.get("start_cursor", 0)), min(int(asked["page_size"]), self.page_size)
        more = start + size < len(rows)
        body = {"object": "list", "results": rows[start : start + size], "has_more": more}
        return Reply(200, body | {"next_cursor": str(start + size) if more else None, "type": "page_or_data_source"})
