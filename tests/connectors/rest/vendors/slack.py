"""Slack's Web API as it answers: status 200 and `ok`, cursors in `response_metadata`, channels it is not in."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "xoxb-right"
GOOD = {"token": TOKEN}


def _user(number: int, **more: object) -> dict:
    profile = {"real_name": f"Egon {number}", "email": f"egon{number}@example.com", "status_emoji": ":ghost:"}
    row = {
        "id": f"W012A3CD{number}",
        "team_id": "T012AB3C4",
        "name": f"egon{number}",
        "deleted": False,
        "profile": profile,
    }
    return row | {"is_bot": False, "updated": 1502138686 + number} | more


def _channel(number: int, name: str, *, member: bool) -> dict:
    row = {"id": f"C012AB3C{number}", "name": name, "is_channel": True, "is_archived": False, "is_member": member}
    return row | {"created": 1449252889, "updated": 1678229664302, "topic": {"value": ""}, "num_members": 4}


def _message(channel: str, ts: str, text: str = "I find you punny") -> dict:
    return {"type": "message", "user": "W012A3CD1", "text": text, "ts": ts, "channel": channel}


def _file(number: int, created: int) -> dict:
    row = {"id": f"F0S43P1C{number}", "created": created, "name": "billair.gif", "filetype": "gif", "size": 144538}
    return row | {"channels": ["C012AB3C1"], "is_public": True}


ROWS = {
    "users": [_user(1), _user(2, deleted=True), _user(3)],
    "channels": [
        _channel(1, "general", member=True),
        _channel(2, "random", member=True),
        _channel(3, "elsewhere", member=False),
    ],
    "messages": [_message("C012AB3C1", f"171208595{number}.000216") for number in range(5)]
    # The same time in another channel.
    + [_message("C012AB3C2", "1712085950.000216", "Isn't this whether dreadful?")],
    "usergroups": [
        {
            "id": "S0614TZR7",
            "name": "Team Admins",
            "handle": "admins",
            "users": ["W012A3CD1"],
            "date_update": 1446746793,
        }
    ],
    "files": [_file(number, 1712000000 + number) for number in range(3)],
}
CHANGES = {
    # Joined after the first run, with what was said there before that.
    "channels": [_channel(3, "elsewhere", member=True)],
    "messages": [
        _message("C012AB3C3", "1700000000.000100"),
        _message("C012AB3C1", "1712085954.000217"),
        _message("C012AB3C2", "1712085950.000216", "Isn't this weather dreadful?"),
    ],
    "files": [_file(9, 1712000002)],
}


class Slack(Vendor):
    catalog = "slack"
    parameters = GOOD
    wrong = GOOD | {"token": "xoxb-wrong"}
    rate_limit = Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "0"})
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def key_of(self, table: str, row: Mapping[str, Any]) -> Any:
        return (row["channel"], row["ts"]) if table == "messages" else (row["id"],)

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return Reply(200, {"ok": False, "error": "invalid_auth"})

    def answer(self, call: Call) -> Reply:
        reply = Reply(200, {"ok": False, "error": "unknown_method", "req_method": call.path})
        match call.path.removeprefix("/api/"):
            case "auth.test":
                reply = Reply(200, {"ok": True, "team": "Subarachnoid Workspace", "user_id": "W12345678"})
            case "users.list":
                reply = self._page("members", self.data["users"], call)
            case "conversations.list":
                reply = self._page("channels", self.data["channels"], call)
            case "conversations.history":
                reply = self._history(call)
            case "usergroups.list":
                reply = Reply(200, {"ok": True, "usergroups": self.data["usergroups"]})
            case "files.list":
                reply = self._files(call)
        return reply

    def _history(self, call: Call) -> Reply:
        channel = next((row for row in self.data["channels"] if row["id"] == call.query.get("channel")), None)
        if channel is None:
            return Reply(200, {"ok": False, "error": "channel_not_found"})
        if not channel["is_member"]:
            return Reply(200, {"ok": False, "error": "not_in_channel"})
        oldest, inclusive = Decimal(call.query.get("oldest", "0")), call.query.get("inclusive") == "true"
        rows = [
            row
            for row in self.data["messages"]
            if row["channel"] == channel["id"]
            and (Decimal(row["ts"]) > oldest or (inclusive and Decimal(row["ts"]) == oldest))
        ]
        rows.sort(key=lambda row: Decimal(row["ts"]), reverse=True)
        return self._page("messages", rows, call)

    def _files(self, call: Call) -> Reply:
        rows = [row for row in self.data["files"] if row["created"] >= int(call.query.get("ts_from", "0"))]
        number, size = int(call.query.get("page", 1)), min(int(call.query.get("count", 100)), self.page_size)
        paging = {"count": size, "total": len(rows), "page": number, "pages": -(-len(rows) // size)}
        return Reply(200, {"ok": True, "files": rows[(number - 1) * size : number * size], "paging": paging})

    def _page(self, field: str, rows: list, call: Call) -> Reply:
        start, size = int(call.query.get("cursor", "0")), min(int(call.query.get("limit", 100)), self.page_size)
        cursor = str(start + size) if start + size < len(rows) else ""
        return Reply(200, {"ok": True, field: rows[start : start + size], "response_metadata": {"next_cursor": cursor}})
