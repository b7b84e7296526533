"""Airtable's Web API as it answers: an offset in the body while there is more, errors with type and message."""

from collections.abc import Mapping
from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "patRightRightRig.right"
BASE = "appLkNDICXNqxSDhG"
TABLES = ("tbltp8DGLhqbUmjK1", "tblK6MZHez0ZvBChZ")


def _record(number: int, table: int) -> dict:
    return {
        "id": f"rec560UJdUtocSou{number}",
        "createdTime": "2024-09-12T21:03:48.000Z",
        "fields": {"Address": "333 Post St", "Visited": True, "Rating": 4.5, "Table": TABLES[table]},
    }


ROWS = {
    "bases": [
        {"id": f"appLkNDICXNqxSDh{letter}", "name": "Apartment Hunting", "permissionLevel": "create"}
        for letter in "GHI"
    ],
    "tables": [
        {
            "id": table,
            "name": name,
            "primaryFieldId": "fld1VnoyuotSTyxW1",
            "fields": [{"id": "fld1", "type": "multilineText"}],
        }
        for table, name in zip(TABLES, ("Apartments", "Districts"), strict=True)
    ],
    "records": [_record(number, 0) for number in range(5)] + [_record(8, 1)],
}
CHANGES = {"records": [_record(1, 0) | {"fields": {"Address": "1 Ferry Building", "Table": TABLES[0]}}, _record(9, 1)]}
GOOD = {"token": TOKEN, "base_id": BASE}


def _error(status: int, kind: str, message: str) -> Reply:
    return Reply(status, {"error": {"type": kind, "message": message}})


class Airtable(Vendor):
    catalog = "airtable"
    parameters = GOOD
    wrong = GOOD | {"token": "patWrongWrongWro.wrong"}
    rate_limit = Reply(
        429, {"errors": [{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded. Please try again later"}]}
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def key_of(self, table: str, row: Mapping[str, Any]) -> Any:
        del table
        return row["id"]

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return _error(401, "AUTHENTICATION_REQUIRED", "Authentication required")

    def answer(self, call: Call) -> Reply:
        match call.path.removeprefix("/v0/").split("/"):
            case ["meta", "whoami"]:
                return Reply(200, {"id": "usrL2PNC5o3H4lBEi", "scopes": ["data.records:read"]})
            case ["meta", "bases"]:
                return self._page("bases", self.data["bases"], call)
            case ["meta", "bases", base, "tables"] if base == BASE:
                return Reply(200, {"tables": self.data["tables"]})
            case [base, table] if base == BASE and table in TABLES:
                rows = [row for row in self.data["records"] if row["fields"]["Table"] == table]
                return self._page("records", rows, call)
        return Reply(404, {"error": "NOT_FOUND"})

    def _page(self, field: str, rows: list, call: Call) -> Reply:
        start = int(call.query.get("offset", "itr0/rec0").split("/rec")[1])
        end = start + min(int(call.query.get("pageSize", 1000)), self.page_size)
        body: dict = {field: rows[start:end]}
        return Reply(200, body | {"offset": f"itrEN2TCbrcSN2BMs/rec{end}"} if end < len(rows) else body)
