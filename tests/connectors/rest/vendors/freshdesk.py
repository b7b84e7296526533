"""Freshdesk's API v2 as it answers: the key as user name, bare lists, the next page in the header Link."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from tests.connectors.rest.vendor import Call, Reply, Vendor

KEY = "right_key"


def _ticket(number: int, updated: str, status: int = 2) -> dict:
    return {
        "id": number,
        "subject": f"Ticket {number}",
        "status": status,
        "priority": 1,
        "source": 2,
        "requester_id": 1000 + number,
        "tags": ["late"],
        "custom_fields": {"cf_order": None},
        "stats": {"resolved_at": None},
        "created_at": "2024-02-01T08:00:00Z",
        "updated_at": updated,
    }


def _contact(number: int, updated: str) -> dict:
    more = {"name": f"Person {number}", "email": f"p{number}@example.org", "active": True, "company_id": 8}
    return {"id": number, "created_at": "2024-02-01T08:00:00Z", "updated_at": updated} | more


def _conversation(number: int, ticket: int) -> dict:
    return {"id": number, "ticket_id": ticket, "body_text": "Hello", "incoming": True, "private": False}


def _rating(number: int, created: str) -> dict:
    return {"id": number, "ticket_id": 1, "ratings": {"default_question": 103}, "created_at": created}


ROWS = {
    "tickets": [_ticket(number, f"2024-02-0{number}T10:00:00Z") for number in (1, 2, 3, 4, 5)],
    "conversations": [_conversation(number, ticket) for number, ticket in ((11, 1), (12, 1), (13, 1), (14, 4))],
    "contacts": [_contact(1000 + number, "2024-02-03T10:00:00Z") for number in (1, 2, 3)],
    "companies": [{"id": 8, "name": "Acme", "domains": ["acme.example"], "updated_at": "2024-02-03T10:00:00Z"}],
    "agents": [{"id": 9, "available": True, "contact": {"name": "Ada", "email": "ada@example.org"}}],
    "groups": [],
    "satisfaction_ratings": [_rating(number, f"2024-02-0{number}T11:00:00Z") for number in (1, 2, 3)],
}
CHANGES = {
    "tickets": [_ticket(2, "2024-02-09T09:00:00Z", 5), _ticket(6, "2024-02-05T10:00:00Z")],
    "conversations": [_conversation(21, 6)],
    "contacts": [_contact(1004, "2024-02-11T10:00:00Z")],
    "satisfaction_ratings": [_rating(4, "2024-02-12T11:00:00Z")],
}
GOOD = {"api_key": KEY, "domain": "acme"}


class Freshdesk(Vendor):
    catalog = "freshdesk"
    parameters = GOOD
    wrong = GOOD | {"api_key": "wrong_key"}
    rate_limit = Reply(429, {"message": "You have exceeded the limit of requests per minute"}, {"Retry-After": "0"})
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Basic {b64encode(f'{KEY}:X'.encode()).decode()}":
            return None
        message = "You have to be logged in to perform this action."
        return Reply(401, {"code": "invalid_credentials", "message": message})

    def answer(self, call: Call) -> Reply:
        match call.path.removeprefix("/api/v2/").split("/"):
            case ["agents", "me"]:
                return Reply(200, self.data["agents"][0])
            case ["tickets", number, "conversations"]:
                rows = [row for row in self.data["conversations"] if str(row["ticket_id"]) == number]
            case ["tickets"]:
                # Without the filter only the tickets of the last 30 days.
                recent = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
                rows = self._since("tickets", "updated_at", call.query.get("updated_since", recent))
                rows.sort(key=lambda row: row["updated_at"])
            case ["contacts"]:
                rows = self._since("contacts", "updated_at", call.query.get("_updated_since", ""))
            case ["surveys", "satisfaction_ratings"]:
                rows = self._since("satisfaction_ratings", "created_at", call.query.get("created_since", ""))
            case [("companies" | "agents" | "groups") as kind]:
                rows = self.data[kind]
            case _:
                return Reply(404, raw=b"")
        return self._page(rows, call)

    def _since(self, kind: str, column: str, since: str) -> list:
        return [row for row in self.data[kind] if row[column] >= since]

    def _page(self, rows: list, call: Call) -> Reply:
        number, size = int(call.query.get("page", 1)), min(int(call.query.get("per_page", 30)), self.page_size)
        headers = {}
        if number * size < len(rows):
            query = urlencode({**call.query, "page": number + 1})
            headers = {"Link": f'<{self.url}{call.path}?{query}>; rel="next"'}
        return Reply(200, rows[(number - 1) * size : number * size], headers)
