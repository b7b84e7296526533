"""GitLab's REST API v4 as it answers: PRIVATE-TOKEN, Link headers, a 403 for pipelines that are turned off."""

from urllib.parse import urlencode

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "glpat-right"
JANE = {"id": 18, "username": "eileen.lowe", "name": "Alexandra Bashirian", "state": "active"}


def _item(number: int, updated: str, **more: object) -> dict:
    return {
        "id": 76 + number,
        "iid": number,
        "project_id": 3,
        "title": f"Consequatur vero {number}",
        "state": "opened",
        "labels": ["foo", "bar"],
        "author": JANE,
        "assignees": [JANE],
        "milestone": None,
        "created_at": f"2024-01-04T15:31:{number:02d}.996Z",
        "updated_at": updated,
        "time_stats": {"time_estimate": 0, "total_time_spent": 0},
    } | more


def _pipeline(number: int, project: int, updated: str, status: str = "success") -> dict:
    return {
        "id": number,
        "iid": number,
        "project_id": project,
        "status": status,
        "source": "push",
        "ref": "main",
        "sha": f"{number:040x}",
        "created_at": "2024-01-11T11:28:34.085Z",
        "updated_at": updated,
    }


def _commit(number: int, committed: str) -> dict:
    return {
        "id": f"{number:040x}",
        "short_id": f"{number:011x}",
        "title": "Replace sanitize with escape once",
        "author_name": "Example User",
        "committed_date": committed,
        "created_at": committed,
        "parent_ids": [f"{number - 1:040x}"],
    }


ROWS = {
    "projects": [
        {
            "id": number,
            "name": name,
            "path_with_namespace": f"my-company/products/{name}",
            "visibility": "private",
            "topics": [],
            "created_at": f"2023-09-30T13:46:0{number}Z",
            "last_activity_at": "2024-01-30T13:46:02Z",
        }
        for number, name in ((3, "shop"), (4, "site"), (5, "docs"))
    ],
    "issues": [_item(number, f"2024-01-05T15:31:{number:02d}.081Z") for number in range(1, 6)],
    "merge_requests": [
        _item(number, f"2024-01-06T08:46:{number:02d}.000Z", target_branch="main", draft=False, merged_at=None)
        for number in range(1, 4)
    ],
    "milestones": [{"id": 12, "iid": 3, "group_id": 16, "title": "10.0", "updated_at": "2024-01-02T09:24:18.000Z"}],
    "members": [JANE | {"access_level": 30}, {"id": 2, "username": "john_doe", "access_level": 50}],
    "pipelines": [_pipeline(number, 3, f"2024-01-11T11:32:{number:02d}.169Z") for number in range(1, 4)]
    + [_pipeline(9, 4, "2024-01-12T11:32:00.169Z")],
    "commits": [_commit(number, f"2024-01-0{number}T11:50:22.000+03:00") for number in range(1, 4)],
    "releases": [{"tag_name": "v0.2", "name": "Awesome app", "released_at": "2024-01-03T01:56:19.539Z", "commit": {}}],
}
CHANGES = {
    "issues": [_item(2, "2024-01-09T00:00:00.000Z", state="closed"), _item(7, "2024-01-05T15:31:05.081Z")],
    "merge_requests": [_item(1, "2024-01-09T00:00:01.000Z", target_branch="main", draft=True, merged_at=None)],
    "milestones": [{"id": 13, "iid": 4, "group_id": 16, "title": "10.1", "updated_at": "2024-01-08T09:24:18.000Z"}],
    "pipelines": [_pipeline(9, 4, "2024-01-13T00:00:00.000Z", "failed")],
}
EXPECTED = {
    "releases": [{"_projects_id": "3", "tag_name": "v0.2", "name": "Awesome app"}],
}
GOOD = {"host": "gitlab.example.com", "group": "my-company/products", "token": TOKEN}


class GitLab(Vendor):
    catalog = "gitlab"
    parameters = GOOD
    wrong = GOOD | {"token": "glpat-wrong"}
    rate_limit = Reply(429, raw=b"Retry later\n", headers={"Retry-After": "0", "RateLimit-Remaining": "0"})
    page_size = 2
    rows = ROWS
    changes = CHANGES
    expected = EXPECTED

    def authorize(self, call: Call) -> Reply | None:
        return None if call.headers.get("PRIVATE-TOKEN") == TOKEN else Reply(401, {"message": "401 Unauthorized"})

    def answer(self, call: Call) -> Reply:
        reply = Reply(404, {"error": "404 Not Found"})
        match call.path.removeprefix("/api/v4/").split("/"):
            case ["groups", "my-company", "products", *what]:
                reply = self._of_group("/".join(what), call)
            case ["projects", "5", *_]:
                reply = Reply(403, {"message": "403 Forbidden"})
            case ["projects", project, "pipelines"]:
                rows = [row for row in self.data["pipelines"] if row["project_id"] == int(project)]
                reply = self._list(self._since(rows, "updated_at", "updated_after", call), call)
            case ["projects", "3", "repository", "commits"]:
                reply = self._list(self._since(self.data["commits"], "committed_date", "since", call), call)
            case ["projects", "4", "repository", "commits"]:
                reply = Reply(404, {"message": "404 Repository Not Found"})
            case ["projects", project, "releases"]:
                reply = self._list(self.data["releases"] if project == "3" else [], call)
        return reply

    def _of_group(self, what: str, call: Call) -> Reply:
        if not what:
            return Reply(200, {"id": 16, "full_path": "my-company/products"})
        table = {"members/all": "members"}.get(what, what)
        rows = self.data[table]
        if table == "milestones":
            rows = self._since(rows, "updated_at", "updated_after", call)
        if table in {"issues", "merge_requests"}:
            if (call.query.get("scope"), call.query.get("state")) != ("all", "all"):
                rows = []
            rows = self._since(rows, "updated_at", "updated_after", call)
            rows.sort(key=lambda row: row["created_at"], reverse=call.query.get("sort") != "asc")
        return self._list(rows, call)

    @staticmethod
    def _since(rows: list, field: str, parameter: str, call: Call) -> list:
        since = call.query.get(parameter, "")
        return [row for row in rows if row[field] >= since.rstrip("Z")]

    def _list(self, rows: list, call: Call) -> Reply:
        number, size = int(call.query.get("page", 1)), min(int(call.query.get("per_page", 20)), self.page_size)
        headers = {"X-Per-Page": str(size)}
        if number * size < len(rows):
            headers["Link"] = f'<{self.url}{call.path}?{urlencode(call.query | {"page": number + 1})}>; rel="next"'
        return Reply(200, rows[(number - 1) * size : number * size], headers)
