"""PostHog's private API as it answers: a personal key as bearer, limit and offset, the next page's address."""

from tests.connectors.rest.vendor import Call, Reply, Vendor

KEY = "phx_right_key"
MADE = "2024-02-01T10:11:12.123456Z"
ROWS = {
    "persons": [
        {
            "id": f"018f3c4d-0000-7000-8000-00000000000{number}",
            "name": f"ada{number}@example.org",
            "distinct_ids": [f"d{number}", f"e{number}"],
            "properties": {"$browser": "Firefox", "paid": True},
            "created_at": MADE,
        }
        for number in range(5)
    ],
    "cohorts": [{"id": number, "name": "Power users", "is_static": False, "count": 7} for number in (1, 2, 3)],
    "feature_flags": [{"id": 9, "key": "new-checkout", "active": True, "filters": {"groups": []}, "created_at": MADE}],
    "insights": [{"id": 3, "short_id": "aBcD1234", "name": "Trend", "last_modified_at": MADE, "query": None}],
    "annotations": [],
    "actions": [{"id": 4, "name": "Signed up", "steps": [{"event": "$pageview"}], "created_at": MADE}],
    "event_definitions": [
        {"id": "018f3c4d-0000-7000-8000-0000000000ff", "name": "$pageview", "last_seen_at": MADE, "volume_30_day": None}
    ],
}
CHANGES = {"cohorts": [{"id": 2, "name": "Powerful users", "is_static": False, "count": 8}]}
GOOD = {"api_key": KEY, "project_id": "12345"}


def _error(status: int, kind: str, code: str, detail: str, headers: dict | None = None) -> Reply:
    return Reply(status, {"type": kind, "code": code, "detail": detail, "attr": None}, headers or {})


class PostHog(Vendor):
    catalog = "posthog"
    parameters = GOOD
    wrong = GOOD | {"api_key": "phx_wrong_key"}
    rate_limit = _error(429, "throttled_error", "throttled", "Request was throttled.", {"Retry-After": "0"})
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {KEY}":
            return None
        return _error(401, "authentication_error", "authentication_failed", "Personal API key found is invalid.")

    def answer(self, call: Call) -> Reply:
        match call.path.split("/"):
            case ["", "api", "projects", "12345", kind, ""] if kind in ROWS:
                rows = self.data[kind]
                start = int(call.query.get("offset", 0))
                size = min(int(call.query.get("limit", 100)), self.page_size)
                here = f"{self.url}{call.path}?limit={size}&offset="
                return Reply(
                    200,
                    {
                        "count": len(rows),
                        "next": f"{here}{start + size}" if start + size < len(rows) else None,
                        "previous": f"{here}{start - size}" if start else None,
                        "results": rows[start : start + size],
                    },
                )
        return _error(404, "invalid_request", "not_found", "Not found.")
