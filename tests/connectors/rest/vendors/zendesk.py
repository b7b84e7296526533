"""Zendesk's Support API as it answers: exports that end with `end_of_stream`, pages by `links.next`."""

from base64 import b64encode
from datetime import datetime
from urllib.parse import urlencode

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv"
EMAIL = "jane@example.com"
LISTS = {"ticket_metrics", "groups", "ticket_fields"}


def _ticket(number: int, generated: int, status: str = "open") -> dict:
    return {
        "id": 35436 + number,
        "url": f"https://acme.zendesk.com/api/v2/tickets/{35436 + number}.json",
        "subject": "My printer is on fire!",
        "status": status,
        "priority": None,
        "requester_id": 20978392,
        "tags": ["enterprise", "other_tag"],
        "custom_fields": [{"id": 27642, "value": "745"}],
        "via": {"channel": "web"},
        "created_at": "2024-07-20T22:55:29Z",
        "updated_at": "2024-07-20T22:55:29Z",
        "generated_timestamp": generated,
    }


def _comment(number: int, ticket: int) -> dict:
    return {
        "id": 1274 + number,
        "type": "Comment",
        "body": "Thanks for your help!",
        "public": True,
        "author_id": 123123,
        "metadata": {"system": {"ip_address": "1.2.3.4"}, "ticket": ticket},
        "created_at": "2024-07-20T23:00:00Z",
    }


def _user(number: int, updated: str) -> dict:
    return {"id": 35400 + number, "name": f"Johnny {number}", "role": "end-user", "active": True, "updated_at": updated}


ROWS = {
    "tickets": [_ticket(number, 1722000000 + number) for number in range(5)] + [_ticket(8, 1722000004, "deleted")],
    "ticket_comments": [_comment(number, 35436) for number in range(3)] + [_comment(7, 35437)],
    "users": [_user(number, f"2024-07-21T10:00:0{number}Z") for number in range(3)],
    "organizations": [
        {"id": 35436, "name": "One", "domain_names": ["a.example"], "updated_at": "2024-07-21T10:00:00Z"}
    ],
    "ticket_metrics": [
        {
            "id": 33 + number,
            "ticket_id": 4343,
            "reopens": 0,
            "reply_time_in_minutes": {"calendar": 2391, "business": 737},
        }
        for number in range(5)
    ],
    "groups": [{"id": 211, "name": "DJs", "deleted": False, "updated_at": "2024-07-14T00:07:08Z"}],
    "ticket_fields": [
        {"id": 34, "type": "subject", "title": "Subject", "active": True, "updated_at": "2024-07-14T00:07:08Z"}
    ],
}
CHANGES = {
    "tickets": [_ticket(1, 1722009000, "solved"), _ticket(9, 1722000004)],
    "users": [_user(2, "2024-07-22T10:00:00Z")],
    "ticket_comments": [_comment(9, 35437)],
}
GOOD = {"subdomain": "acme", "email": EMAIL, "api_token": TOKEN}


def _changed(row: dict) -> int:
    if "generated_timestamp" in row:
        return int(row["generated_timestamp"])
    return int(datetime.fromisoformat(row["updated_at"]).timestamp())


class Zendesk(Vendor):
    catalog = "zendesk"
    parameters = GOOD
    wrong = GOOD | {"api_token": "wrongwrongwrong"}
    rate_limit = Reply(
        429,
        raw=b"Number of allowed API requests per minute exceeded",
        headers={"Content-Type": "text/plain", "Retry-After": "0", "X-Rate-Limit-Remaining": "0"},
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Basic {b64encode(f'{EMAIL}/token:{TOKEN}'.encode()).decode()}":
            return None
        return Reply(401, {"error": "Couldn't authenticate you"})

    def answer(self, call: Call) -> Reply:
        reply = Reply(404, {"error": "InvalidEndpoint", "description": "Not found"})
        match call.path.removeprefix("/api/v2/").split("/"):
            case ["users", "me"]:
                reply = Reply(200, {"user": {"id": 35436, "role": "admin"}})
            case ["incremental", ("tickets" | "users") as kind, "cursor"]:
                reply = self._export(kind, call, cursor=True)
            case ["incremental", "organizations"]:
                reply = self._export("organizations", call, cursor=False)
            case ["tickets", ticket, "comments"]:
                if self._status(int(ticket)) in {None, "deleted"}:
                    reply = Reply(404, {"error": "RecordNotFound", "description": "Not found"})
                rows = [row for row in self.data["ticket_comments"] if row["metadata"]["ticket"] == int(ticket)]
                reply = self._list("comments", rows, call)
            case [kind] if kind in LISTS:
                reply = self._list(kind, self.data[kind], call)
        return reply

    def _status(self, ticket: int) -> str | None:
        return next((row["status"] for row in self.data["tickets"] if row["id"] == ticket), None)

    def _export(self, kind: str, call: Call, *, cursor: bool) -> Reply:
        """Both ways name a next page even at the end; the one by time begins at the last row's time, so it repeats."""
        if "start_time" not in call.query and "cursor" not in call.query:
            return Reply(
                400, {"error": {"title": "Invalid attribute", "message": "You passed an invalid value for start_time"}}
            )
        since = int(call.query.get("start_time", 0))
        rows = sorted((row for row in self.data[kind] if _changed(row) >= since), key=_changed)
        start = int(call.query.get("cursor", 0))
        if start and "start_time" in call.query:
            return Reply(
                400, {"error": {"title": "Invalid attribute", "message": "cursor and start_time exclude each other"}}
            )
        if cursor and not start:
            self.cursor_rows = {**getattr(self, "cursor_rows", {}), kind: rows}
        if cursor and start:
            rows = self.cursor_rows[kind]
        page = rows[start : start + self.page_size]
        end = start + self.page_size >= len(rows)
        body = {kind: page, "end_of_stream": end}
        if cursor:
            after = str(start + len(page) or 1)
            body |= {"after_cursor": after, "after_url": f"{self.url}{call.path}?cursor={after}"}
        else:
            last = _changed(page[-1]) if page else since
            body |= {"count": len(page), "end_time": last, "next_page": f"{self.url}{call.path}?start_time={last}"}
        return Reply(200, body)

    def _list(self, kind: str, rows: list, call: Call) -> Reply:
        start, size = int(call.query.get("page[after]", 0)), min(int(call.query["page[size]"]), self.page_size)
        more = start + size < len(rows)
        query = urlencode({"page[size]": size, "page[after]": start + size})
        links = {"prev": None, "next": f"{self.url}{call.path}?{query}" if more else None}
        return Reply(200, {kind: rows[start : start + size], "meta": {"has_more": more}, "links": links})
