"""Typeform's create and responses APIs as they answer: bearer tokens, page numbers, responses before a token."""

from datetime import UTC, datetime

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "tfp_right"
# An answer does not say which form it belongs to.
FORM_OF = {"r": "u6nXL7", "s": "k9xY2b"}


def _response(token: str, submitted: str) -> dict:
    return {
        "landing_id": token,
        "token": token,
        "response_id": token,
        "landed_at": "2024-02-01T08:00:00Z",
        "submitted_at": submitted,
        "metadata": {"platform": "mobile", "browser": "touch"},
        "hidden": {},
        "calculated": {"score": 9},
        "answers": [{"field": {"id": "hVONkQcnSNRj", "type": "number"}, "type": "number", "number": 1}],
    }


ROWS = {
    "forms": [
        {"id": form, "title": "Survey", "last_updated_at": "2024-02-01T08:00:00Z", "settings": {"is_public": True}}
        for form in (*FORM_OF.values(), "empty1")
    ],
    "responses": [_response(f"r{number}", f"2024-02-0{number}T10:00:00Z") for number in range(1, 6)]
    + [_response("s1", "2024-02-04T10:00:00Z")],
    "webhooks": [{"id": "01ARZ3NDEK", "form_id": "u6nXL7", "tag": "crm", "enabled": True}],
    "workspaces": [{"id": "wsp1", "name": "Ours", "default": True}],
    "themes": [{"id": f"theme{number}", "name": "Plain", "font": "Karla"} for number in range(5)],
}
CHANGES = {"responses": [_response("s2", "2024-02-05T10:00:00Z"), _response("r9", "2024-02-09T10:00:00Z")]}
GOOD, WRONG = {"access_token": TOKEN}, {"access_token": "tfp_wrong"}


class Typeform(Vendor):
    catalog = "typeform"
    parameters = GOOD
    wrong = WRONG
    rate_limit = Reply(429, {"code": "TOO_MANY_REQUESTS", "description": "Too many requests"})
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        description = "Authentication credentials not found on the Request Headers"
        return Reply(401, {"code": "AUTHENTICATION_FAILED", "description": description})

    def answer(self, call: Call) -> Reply:
        match call.path.strip("/").split("/"):
            case ["me"]:
                return Reply(200, {"alias": "Ada", "email": "ada@example.org", "language": "en"})
            case ["forms", form, "responses"]:
                return self._responses(form, call)
            case ["forms", form, "webhooks"]:
                return Reply(200, {"items": [row for row in self.data["webhooks"] if row["form_id"] == form]})
            case [("forms" | "workspaces" | "themes") as kind]:
                rows, size = self.data[kind], self._size(call, 10)
                start = (int(call.query.get("page", 1)) - 1) * size
                totals = {"total_items": len(rows), "page_count": -(-len(rows) // size)}
                return Reply(200, totals | {"items": rows[start : start + size]})
        return Reply(404, {"code": "NOT_FOUND", "description": "Not found"})

    def _responses(self, form: str, call: Call) -> Reply:
        since = datetime.fromtimestamp(int(call.query.get("since", 0)), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = [row for row in self.data["responses"] if FORM_OF[row["token"][0]] == form]
        rows = [row for row in rows if row["submitted_at"] >= since]
        rows.sort(key=lambda row: row["submitted_at"], reverse=True)
        if before := call.query.get("before"):
            place = [row["token"] for row in rows].index(before)
            rows = rows[place + 1 :]
        size = self._size(call, 25)
        return Reply(200, {"total_items": len(rows), "page_count": -(-len(rows) // size), "items": rows[:size]})

    def _size(self, call: Call, default: int) -> int:
        return min(int(call.query.get("page_size", default)), self.page_size)
