"""Pipedrive's API v2 as it answers: a token in a header, opaque cursors, limits told in headers."""

from base64 import b64decode, b64encode

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "0123456789abcdef0123456789abcdef01234567"


def _row(number: int, updated: str, **more: object) -> dict:
    return {"id": number, "add_time": "2024-01-01T08:00:00Z", "update_time": updated, "is_deleted": False} | more


def _deal(number: int, updated: str, status: str = "open") -> dict:
    more = {"title": f"Deal {number}", "value": 1500.5, "currency": "EUR", "status": status, "stage_id": 1}
    return _row(number, updated, **more, label_ids=[3], custom_fields={"d4de": None})


ROWS = {
    "deals": [_deal(number, f"2024-02-0{number}T10:00:00Z") for number in range(1, 8)],
    "persons": [
        _row(number, "2024-02-03T11:22:33Z", name=f"Person {number}", emails=[{"value": "a@example.org"}])
        for number in range(1, 4)
    ],
    "organizations": [_row(4, "2024-02-03T11:22:33Z", name="Acme", address={"value": "Main St 1"})],
    "activities": [_row(5, "2024-02-03T11:22:33Z", subject="Call", type="call", done=False, due_date="2024-02-10")],
    "products": [_row(6, "2024-02-03T11:22:33Z", name="Chair", code="CH-1", unit="piece", tax=0)],
    "pipelines": [_row(1, "2024-02-03T11:22:33Z", name="Sales", order_nr=1, is_deal_probability_enabled=True)],
    "stages": [_row(1, "2024-02-03T11:22:33Z", name="Qualified", pipeline_id=1, deal_probability=100)],
    "users": [{"id": 42, "name": "Ada", "email": "ada@example.org", "active_flag": True}],
}
CHANGES = {
    "deals": [_deal(2, "2024-02-09T09:00:00Z", "won"), _deal(8, "2024-02-07T10:00:00Z")],
    "activities": [_row(9, "2024-02-11T00:00:00Z", subject="Lunch", type="lunch", done=True)],
}
SINCE = {"deals", "persons", "organizations", "activities"}
GOOD = {"api_token": TOKEN, "company_domain": "acme"}


class Pipedrive(Vendor):
    catalog = "pipedrive"
    parameters = GOOD
    wrong = GOOD | {"api_token": "f" * 40}
    rate_limit = Reply(
        429,
        {"success": False, "error": "request over limit", "errorCode": 429, "error_info": "Please wait."},
        {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"},
    )
    page_size = 3
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("x-api-token") == TOKEN:
            return None
        info = "Please check developers.pipedrive.com"
        return Reply(401, {"success": False, "error": "unauthorized access", "errorCode": 401, "error_info": info})

    def answer(self, call: Call) -> Reply:
        match call.path.removeprefix("/api/").split("/"):
            case ["v1", "users", "me"]:
                return Reply(200, {"success": True, "data": self.data["users"][0]})
            case ["v1", "users"]:
                return Reply(200, {"success": True, "data": self.data["users"]})
            case ["v2", kind] if kind in ROWS and kind != "users":
                return self._list(kind, call)
        return Reply(404, {"success": False, "error": "Unknown method ."})

    def _list(self, kind: str, call: Call) -> Reply:
        rows = sorted(self.data[kind], key=lambda row: row["id"])
        if (since := call.query.get("updated_since")) and kind in SINCE:
            rows = [row for row in rows if row["update_time"] >= since]
        start = int(b64decode(call.query["cursor"]).partition(b":")[2]) if "cursor" in call.query else 0
        end = start + min(int(call.query.get("limit", 100)), self.page_size)
        cursor = b64encode(f"{kind}:{end}".encode()).decode() if end < len(rows) else None
        more = {"additional_data": {"next_cursor": cursor}}
        return Reply(200, {"success": True, "data": rows[start:end]} | more)
