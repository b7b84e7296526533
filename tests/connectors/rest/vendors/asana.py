"""Asana's API as it answers: bearer tokens, everything under data, offsets that are tokens, fields by request."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN, WORKSPACE = "2/1201/right", "1201234567890123"
PROJECTS = ("1300000000000001", "1300000000000002")


def _task(gid: str, modified: str, projects: tuple[str, ...], *, completed: bool = False) -> dict:
    return {
        "gid": gid,
        "resource_type": "task",
        "name": f"Task {gid[-2:]}",
        "completed": completed,
        "assignee": {"gid": "1400000000000001", "resource_type": "user"},
        "created_at": "2024-02-01T08:00:00.000Z",
        "modified_at": modified,
        "due_on": "2024-03-01",
        "projects": [{"gid": project, "resource_type": "project"} for project in projects],
        "num_likes": 0,
    }


ROWS = {
    "projects": [
        {
            "gid": gid,
            "resource_type": "project",
            "name": f"Project {gid[-1]}",
            "modified_at": "2024-02-02T00:00:00.000Z",
        }
        for gid in PROJECTS
    ],
    "tasks": [
        *(
            _task(f"15000000000000{number:02d}", f"2024-02-0{number}T10:00:00.123Z", PROJECTS[:1])
            for number in range(1, 6)
        ),
        _task("1500000000000099", "2024-02-06T10:00:00.000Z", PROJECTS[1:]),
    ],
    "sections": [
        {"gid": "1600000000000001", "resource_type": "section", "name": "To do", "project": {"gid": PROJECTS[0]}},
        {"gid": "1600000000000002", "resource_type": "section", "name": "Done", "project": {"gid": PROJECTS[1]}},
    ],
    "users": [
        {"gid": f"140000000000000{number}", "resource_type": "user", "name": "Ada", "email": "a@example.org"}
        for number in range(3)
    ],
    "teams": [{"gid": "1700000000000001", "resource_type": "team", "name": "Sales"}],
    "tags": [],
    "custom_fields": [{"gid": "1800000000000001", "resource_type": "custom_field", "name": "Cost", "type": "number"}],
}
CHANGES = {
    "tasks": [
        _task("1500000000000002", "2024-02-09T09:00:00.500Z", PROJECTS[:1], completed=True),
        _task("1500000000000100", "2024-02-06T10:00:00.000Z", PROJECTS[1:]),
    ]
}
GOOD = {"access_token": TOKEN, "workspace": WORKSPACE}


def _error(status: int, message: str, headers: dict | None = None) -> Reply:
    return Reply(status, {"errors": [{"message": message}]}, headers or {})


class Asana(Vendor):
    catalog = "asana"
    parameters = GOOD
    wrong = GOOD | {"access_token": "2/1201/wrong"}
    rate_limit = _error(
        429,
        "You've made too many requests and hit a rate limit. Please retry after the given amount of time.",
        {"Retry-After": "0"},
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def key_of(self, table: str, row: Mapping[str, Any]) -> Any:  # noqa: ARG002 - all have the same.
        return row["gid"]

    def authorize(self, call: Call) -> Reply | None:
        return None if call.headers.get("Authorization") == f"Bearer {TOKEN}" else _error(401, "Not Authorized")

    def answer(self, call: Call) -> Reply:
        in_workspace = call.query.get("workspace") == WORKSPACE
        match call.path.removeprefix("/api/1.0/").split("/"):
            case ["users", "me"]:
                return Reply(200, {"data": self.data["users"][0]})
            case ["tasks"] if "project" in call.query:
                rows = [row for row in self.data["tasks"] if call.query["project"] in str(row["projects"])]
                since = call.query.get("modified_since", "").removesuffix("Z")
                return self._page([row for row in rows if row["modified_at"] >= since], call)
            case ["projects", gid, "sections"] if gid in PROJECTS:
                return self._page([row for row in self.data["sections"] if row["project"]["gid"] == gid], call)
            case ["workspaces", gid, ("teams" | "custom_fields") as kind] if gid == WORKSPACE:
                return self._page(self.data[kind], call)
            case [("projects" | "users" | "tags") as kind] if in_workspace:
                return self._page(self.data[kind], call)
        return _error(404, f"No matching route for request path {call.path}")

    def _page(self, rows: list, call: Call) -> Reply:
        start = int(b64decode(call.query["offset"])) if "offset" in call.query else 0
        end = start + min(int(call.query.get("limit", 100)), self.page_size)
        wanted = {"gid", "resource_type", *call.query.get("opt_fields", "name").split(",")}
        found = [{name: value for name, value in row.items() if name in wanted} for row in rows[start:end]]
        offset = b64encode(str(end).encode()).decode()
        more = {"offset": offset, "path": f"{call.path}?offset={offset}", "uri": f"https://app.asana.com{call.path}"}
        return Reply(200, {"data": found, "next_page": more if end < len(rows) else None})
