"""Jira Cloud as it answers: nextPageToken for searches, startAt elsewhere, JQL in the zone of the user."""

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

from tests.connectors.rest.vendor import Call, Reply, Vendor

EMAIL, TOKEN = "jane@example.com", "ATATT3x-right"
# The token's user lives in Honolulu, where it is ten hours earlier.
ZONE = timezone(timedelta(hours=-10))
OF_ISSUE = {
    "changelog": ("issue_changelogs", "values"),
    "comment": ("issue_comments", "comments"),
    "worklog": ("issue_worklogs", "worklogs"),
}


def _issue(number: int, updated: str) -> dict:
    return {
        "id": str(10000 + number),
        "key": f"ED-{number}",
        "self": f"https://acme.atlassian.net/rest/api/3/issue/{10000 + number}",
        "fields": {
            "summary": "Main order flow broken",
            "status": {"name": "To Do"},
            "project": {"id": "10001", "key": "ED"},
            "customfield_10010": None,
            "created": "2024-01-17T12:34:00.000+0000",
            "updated": updated,
        },
    }


def _of_issue(number: int, issue: int, **more: object) -> dict:
    return {"id": str(number), "self": f"https://acme.atlassian.net/rest/api/3/issue/{10000 + issue}/x/{number}"} | more


def _comment(number: int, issue: int) -> dict:
    body = {"type": "doc", "version": 1, "content": []}
    return _of_issue(number, issue, body=body, updated="2024-01-17T12:34:00.000+0000")


ROWS = {
    "issues": [_issue(number, f"2024-01-18T12:0{number}:00.000+0000") for number in range(1, 6)],
    "issue_changelogs": [_of_issue(20000 + number, 2, items=[{"field": "status"}]) for number in range(3)],
    "issue_comments": [_comment(30000 + number, 1) for number in range(5)],
    "issue_worklogs": [_of_issue(40001, 3, issueId="10003", timeSpentSeconds=12000)],
    "projects": [
        {"id": str(number), "key": f"P{number}", "name": "Example", "simplified": False} for number in range(3)
    ],
    "users": [
        {"accountId": f"5b10a2844c20165700ede2{number}", "displayName": "Mia", "active": True} for number in range(5)
    ],
    "fields": [{"id": "customfield_10010", "name": "Sprint", "custom": True, "schema": {"type": "array"}}],
    "boards": [
        {"id": 84, "name": "scrum board", "type": "scrum"},
        {"id": 92, "name": "kanban board", "type": "kanban"},
    ],
    "sprints": [{"id": 37 + number, "state": "closed", "name": "sprint", "originBoardId": 84} for number in range(3)],
}
CHANGES = {
    # As new as the newest of the first run, and later.
    "issues": [_issue(7, "2024-01-18T12:05:00.000+0000"), _issue(2, "2024-01-19T00:00:00.000+0000")],
    "issue_comments": [_comment(30009, 2)],
}
GOOD = {"site": "acme", "email": EMAIL, "api_token": TOKEN}


def _error(status: int, *messages: str) -> Reply:
    return Reply(status, {"errorMessages": list(messages), "errors": {}})


def _slashed(row: dict) -> str:
    return str(row["self"]).split("/")[7]


class Jira(Vendor):
    catalog = "jira"
    parameters = GOOD
    wrong = GOOD | {"api_token": "ATATT3x-wrong"}
    rate_limit = Reply(
        429,
        {"message": "Rate limit exceeded"},
        {"Retry-After": "0", "X-RateLimit-Reset": "2024-01-01T00:00Z", "RateLimit-Reason": "jira-burst-based"},
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Basic {b64encode(f'{EMAIL}:{TOKEN}'.encode()).decode()}":
            return None
        return Reply(401, {"message": "Client must be authenticated to access this resource.", "status-code": 401})

    def answer(self, call: Call) -> Reply:
        reply = _error(404, "Issue does not exist or you do not have permission to see it.")
        match call.path.strip("/").split("/")[1:]:
            case ["api", "3", "myself"]:
                reply = Reply(200, {"accountId": "5b10a2844c20165700ede21g"})
            case ["api", "3", "search", "jql"]:
                reply = self._search(call)
            case ["api", "3", "issue", issue, what] if what in OF_ISSUE:
                table, field = OF_ISSUE[what]
                rows = [row for row in self.data[table] if _slashed(row) == issue]
                reply = self._page(field, rows, call, last=what == "changelog")
            case ["api", "3", "project", "search"]:
                reply = self._page("values", self.data["projects"], call, last=True)
            case ["api", "3", "users", "search"]:
                start, size = self._bounds(call)
                reply = Reply(200, self.data["users"][start : start + size])
            case ["api", "3", "field"]:
                reply = Reply(200, self.data["fields"])
            case ["agile", "1.0", "board"]:
                reply = self._page("values", self.data["boards"], call, last=True)
            case ["agile", "1.0", "board", "84", "sprint"]:
                reply = self._page("values", self.data["sprints"], call, last=True)
            case ["agile", "1.0", "board", "92", "sprint"]:
                reply = _error(400, "The board does not support sprints")
        return reply

    def _search(self, call: Call) -> Reply:
        wanted = re.match(r'updated >= "([\d-]+ [\d:]{5})" ORDER BY', call.query["jql"])
        if wanted is None:
            return _error(
                400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
            )
        since = datetime.strptime(wanted[1], "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).astimezone(UTC)
        rows = [row for row in self.data["issues"] if datetime.fromisoformat(row["fields"]["updated"]) >= since]
        start = int(call.query.get("nextPageToken", "token0").removeprefix("token"))
        end = start + min(int(call.query["maxResults"]), self.page_size)
        body = {"issues": rows[start:end], "isLast": end >= len(rows)}
        return Reply(200, body if end >= len(rows) else body | {"nextPageToken": f"token{end}"})

    def _bounds(self, call: Call) -> tuple[int, int]:
        return int(call.query.get("startAt", 0)), min(int(call.query.get("maxResults", 50)), self.page_size)

    def _page(self, field: str, rows: list, call: Call, *, last: bool) -> Reply:
        start, size = self._bounds(call)
        body = {"startAt": start, "maxResults": size, "total": len(rows), field: rows[start : start + size]}
        return Reply(200, body | {"isLast": start + size >= len(rows)} if last else body)
