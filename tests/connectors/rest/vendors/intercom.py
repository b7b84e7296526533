"""Intercom's REST API 2.14 as it answers: searches in the body, contacts compared by whole days."""

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "dG9rOnJpZ2h0"
GOOD = {"access_token": TOKEN}
DAY = 86_400
SEARCHES = {"contacts": "data", "conversations": "conversations", "tickets": "tickets"}
LISTS = {"admins": "admins", "teams": "teams", "tags": "data", "segments": "segments"}


def _contact(number: int, updated: int) -> dict:
    return {
        "type": "contact",
        "id": f"5ba682d23d7cf92bef87bf{number:02d}",
        "role": "user",
        "email": f"joe{number}@bloggs.example",
        "custom_attributes": {"paid_subscriber": True, "monthly_spend": 155.5},
        "tags": {"type": "list", "data": [], "has_more": False},
        "created_at": 1719493065,
        "updated_at": updated,
    }


def _conversation(number: int, updated: int, state: str = "open") -> dict:
    return {
        "type": "conversation",
        "id": str(1911149811 + number),
        "state": state,
        "read": True,
        "source": {"type": "conversation", "body": "<p>Hi</p>", "author": {"type": "lead", "id": "5bc8f7"}},
        "statistics": {"type": "conversation_statistics", "time_to_admin_reply": 2310},
        "created_at": 1719493065,
        "updated_at": updated,
    }


# The middle of a day, and the newest contacts later on that day.
NOON = 20_000 * DAY + DAY // 2
ROWS = {
    "contacts": [_contact(number, NOON + number) for number in range(5)],
    "conversations": [_conversation(number, NOON + number) for number in range(5)],
    "tickets": [
        {
            "type": "ticket",
            "id": "494",
            "ticket_id": "53",
            "ticket_state": {"id": "7493"},
            "updated_at": NOON,
            "open": True,
        }
    ],
    "companies": [
        {"type": "company", "id": f"531ee472cce572a6ec00000{number}", "name": "Blue Sun", "monthly_spend": 0}
        for number in range(5)
    ],
    "admins": [{"type": "admin", "id": "814860", "name": "Mark Strong", "team_ids": [814865]}],
    "teams": [{"type": "team", "id": "814865", "name": "Example Team", "admin_ids": [814860]}],
    "tags": [{"type": "tag", "id": "17513", "name": "Independent"}],
    "segments": [{"type": "segment", "id": "56203d253cba154d39010062", "name": "Active", "updated_at": 1394622004}],
}
CHANGES = {
    "contacts": [_contact(1, NOON + 60), _contact(9, NOON + 61)],
    "conversations": [_conversation(2, NOON + 90, "closed"), _conversation(9, NOON + 4)],
}


def _error(status: int, code: str, message: str, headers: dict | None = None) -> Reply:
    body = {"type": "error.list", "request_id": "b3ic9tc1nm8chkf9m0b0", "errors": [{"code": code, "message": message}]}
    return Reply(status, body, headers or {})


class Intercom(Vendor):
    catalog = "intercom"
    parameters = GOOD
    wrong = GOOD | {"access_token": "dG9rOndyb25n"}
    rate_limit = _error(
        429,
        "rate_limit_exceeded",
        "Exceeded rate limit of 1666 in 10_seconds",
        {"X-RateLimit-Limit": "1666", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1487332520"},
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return _error(401, "unauthorized", "Access Token Invalid")

    def answer(self, call: Call) -> Reply:
        if call.headers.get("Intercom-Version") != "2.14":
            return _error(400, "intercom_version_invalid", "The requested version could not be found")
        match call.method, call.path.strip("/").split("/"):
            case "GET", ["me"]:
                return Reply(200, {"type": "admin", "id": "814860"})
            case "POST", [kind, "search"] if kind in SEARCHES:
                return self._search(kind, call.json)
            case "POST", ["companies", "list"]:
                return self._companies(call)
            case "GET", [kind] if kind in LISTS:
                return Reply(200, {"type": "list", LISTS[kind]: self.data[kind]})
        return _error(404, "not_found", "Resource Not Found")

    def _search(self, kind: str, body: dict) -> Reply:
        query, paging = body["query"], body["pagination"]
        if (query["field"], query["operator"]) != ("updated_at", ">") or not isinstance(query["value"], int):
            return _error(400, "client_error", "Invalid query")
        unit = DAY if kind == "contacts" else 1
        rows = [row for row in self.data[kind] if row["updated_at"] // unit > query["value"] // unit]
        start, size = int(paging.get("starting_after", 0)), min(paging["per_page"], self.page_size)
        pages: dict = {"type": "pages", "page": 1, "per_page": size, "total_pages": -(-len(rows) // size)}
        if start + size < len(rows):
            pages["next"] = {"page": 2, "starting_after": str(start + size)}
        answer = {"type": "list", SEARCHES[kind]: rows[start : start + size], "pages": pages, "total_count": len(rows)}
        return Reply(200, answer)

    def _companies(self, call: Call) -> Reply:
        number, size = int(call.query.get("page", 1)), min(int(call.query["per_page"]), self.page_size)
        rows = self.data["companies"]
        total = -(-len(rows) // size)
        if number > total:
            return _error(400, "parameter_invalid", "page is out of bounds")
        pages = {"type": "pages", "page": number, "per_page": size, "total_pages": total}
        return Reply(200, {"type": "list", "data": rows[(number - 1) * size : number * size], "pages": pages})
