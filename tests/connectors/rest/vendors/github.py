"""GitHub's REST API as it answers: Link headers, a 403 for the rate limit, a 409 for an empty repository."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "github_pat_right"
API = "https://api.github.com/repos/octo-org"
PEOPLE = {"login": "octocat", "id": 1, "type": "User", "site_admin": False}


def _repository(number: int, name: str) -> dict:
    return {
        "id": 1296269 + number,
        "node_id": f"MDEwOlJlcG9zaXRvcnkx{number}",
        "name": name,
        "full_name": f"octo-org/{name}",
        "owner": {"login": "octo-org", "id": 9919, "type": "Organization"},
        "private": False,
        "fork": False,
        "stargazers_count": 80 + number,
        "topics": ["octocat", "api"],
        "pushed_at": "2024-05-01T10:00:00Z",
        "created_at": f"2023-01-0{1 + number}T08:00:00Z",
        "updated_at": "2024-05-02T10:00:00Z",
    }


def _issue(number: int, repository: str, updated: str, state: str = "open") -> dict:
    return {
        "id": 4000 + number,
        "number": number,
        "url": f"{API}/{repository}/issues/{number}",
        "repository_url": f"{API}/{repository}",
        "state": state,
        "title": f"Found a bug {number}",
        "user": PEOPLE,
        "labels": [{"id": 208045946, "name": "bug", "color": "f29513"}],
        "comments": 1,
        "created_at": f"2024-05-01T10:00:{number:02d}Z",
        "updated_at": updated,
        "closed_at": None,
        "pull_request": {"url": f"{API}/{repository}/pulls/{number}"} if number % 2 else None,
    }


def _comment(number: int, kind: str, updated: str) -> dict:
    return {
        "id": 7000 + number,
        "url": f"{API}/hello-world/{kind}/comments/{7000 + number}",
        "user": PEOPLE,
        "body": "Me too",
        "created_at": f"2024-05-01T11:00:{number:02d}Z",
        "updated_at": updated,
    }


def _commit(number: int, committed: str) -> dict:
    return {
        "sha": f"{number:040x}",
        "url": f"{API}/hello-world/commits/{number:040x}",
        "commit": {"message": "Fix all the bugs", "committer": {"name": "Monalisa", "date": committed}},
        "author": PEOPLE,
        "parents": [{"sha": f"{number - 1:040x}"}],
    }


ROWS = {
    "repositories": [_repository(0, "hello-world"), _repository(1, "spoon-knife"), _repository(2, "empty")],
    "members": [PEOPLE, {"login": "hubot", "id": 2, "type": "User", "site_admin": True}],
    "issues": [_issue(number, "hello-world", f"2024-05-03T10:00:{number:02d}Z") for number in range(1, 6)]
    + [_issue(9, "spoon-knife", "2024-05-04T00:00:00Z")],
    "issue_comments": [_comment(number, "issues", f"2024-05-03T11:00:{number:02d}Z") for number in range(3)],
    "pull_requests": [
        {
            "id": 100 + number,
            "number": number,
            "url": f"{API}/hello-world/pulls/{number}",
            "state": "closed",
            "title": "Amazing new feature",
            "draft": False,
            "head": {"ref": "new-topic", "sha": f"{number:040x}"},
            "created_at": f"2024-05-01T10:00:{number:02d}Z",
            "updated_at": "2024-05-03T10:00:00Z",
            "merged_at": None,
        }
        for number in (1, 3, 5)
    ],
    "review_comments": [_comment(number, "pulls", f"2024-05-03T12:00:{number:02d}Z") for number in range(10, 13)],
    "commits": [_commit(number, f"2024-05-0{number}T10:00:00Z") for number in range(1, 6)],
    "releases": [
        {"id": 1, "url": f"{API}/hello-world/releases/1", "tag_name": "v1.0.0", "published_at": "2024-02-27T19:35:32Z"}
    ],
}
CHANGES = {
    "repositories": [_repository(3, "moved-in")],
    # Of a repository that was not there, older than the first run; as old as the newest of that, to the second.
    "issues": [
        _issue(20, "moved-in", "2020-01-01T00:00:00Z"),
        _issue(10, "spoon-knife", "2024-05-04T00:00:00Z"),
        _issue(2, "hello-world", "2024-05-05T00:00:00Z", "closed"),
    ],
    "issue_comments": [_comment(1, "issues", "2024-05-06T00:00:00Z")],
    "commits": [_commit(6, "2024-05-06T10:00:00Z")],
}
GOOD = {"organization": "octo-org", "token": TOKEN}
REPOSITORY_IDS = {row["name"]: str(row["id"]) for row in [*ROWS["repositories"], *CHANGES["repositories"]]}
LISTS = {
    ("issues",): "issues",
    ("issues", "comments"): "issue_comments",
    ("pulls",): "pull_requests",
    ("pulls", "comments"): "review_comments",
    ("commits",): "commits",
    ("releases",): "releases",
}


def _error(status: int, message: str, headers: dict | None = None) -> Reply:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Reply(status, body, headers or {})


def _changed(row: dict) -> str:
    return row["updated_at"] if "updated_at" in row else row["commit"]["committer"]["date"]


class GitHub(Vendor):
    catalog = "github"
    parameters = GOOD
    wrong = GOOD | {"token": "github_pat_wrong"}
    rate_limit = _error(
        403,
        "API rate limit exceeded for user ID 1.",
        {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1372700873"},
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def key_of(self, table: str, row: Mapping[str, Any]) -> Any:
        return row["sha"] if table == "commits" else row["id"]

    def authorize(self, call: Call) -> Reply | None:
        return None if call.headers.get("Authorization") == f"Bearer {TOKEN}" else _error(401, "Bad credentials")

    def answer(self, call: Call) -> Reply:
        if call.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            return _error(410, "This API version is no longer supported")
        reply = _error(404, "Not Found")
        match call.path.strip("/").split("/"):
            case ["orgs", "octo-org"]:
                reply = Reply(200, {"login": "octo-org", "id": 9919})
            case ["orgs", "octo-org", "repos"]:
                reply = self._list(self.data["repositories"], call)
            case ["orgs", "octo-org", "members"]:
                reply = self._list(self.data["members"], call)
            case ["repos", "octo-org", "empty", "commits"]:
                reply = _error(409, "Git Repository is empty.")
            case ["repos", "octo-org", repository, *what] if repository in REPOSITORY_IDS and tuple(what) in LISTS:
                reply = self._of_repository(LISTS[tuple(what)], repository, call)
        return reply

    def _of_repository(self, table: str, repository: str, call: Call) -> Reply:
        rows = [row for row in self.data[table] if f"/{repository}/" in row["url"]]
        if since := call.query.get("since"):
            rows = [row for row in rows if _changed(row) >= since]
        if table in {"issues", "pull_requests"} and call.query.get("state") != "all":
            rows = [row for row in rows if row["state"] == "open"]
        if call.query.get("sort") == "created":
            rows.sort(key=lambda row: row["created_at"], reverse=call.query.get("direction") != "asc")
        return self._list(rows, call)

    def _list(self, rows: list, call: Call) -> Reply:
        number, size = int(call.query.get("page", 1)), min(int(call.query.get("per_page", 30)), self.page_size)
        headers = {}
        if number * size < len(rows):
            query = urlencode(call.query | {"page": number + 1})
            headers["Link"] = f'<{self.url}{call.path}?{query}>; rel="next", <{self.url}{call.path}>; rel="last"'
        return Reply(200, rows[(number - 1) * size : number * size], headers)
