"""Mixpanel's export and query APIs as they answer: a service account, whole days, events as JSON lines."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

USER, SECRET, PROJECT = "insight.a1b2c3.mp-service-account", "right_secret", "1234567"
NOW = datetime.now(UTC).replace(microsecond=0)


def _event(number: int, days_ago: float, **more: object) -> dict:
    properties = {
        "time": int((NOW - timedelta(days=days_ago)).timestamp()),
        "distinct_id": f"user-{number % 3}",
        "$insert_id": f"hpuDqcvpltpCjBseb{number:05d}",
        "$city": "Tartu",
        "mp_processing_time_ms": 1602625711874,
    }
    return {"event": "Signed up", "properties": properties | more}


ROWS = {
    # A range has 30 days; the last one is asked again for five days.
    "events": [_event(number, days_ago) for number, days_ago in enumerate((63, 62.5, 40, 33, 20, 3, 1))],
    "cohorts": [
        {
            "count": 150,
            "is_visible": 1,
            "description": "",
            "created": "2024-01-15 10:30:00",
            "project_id": 1,
            "id": 1000,
        },
        {
            "count": 25,
            "is_visible": 0,
            "description": "",
            "created": "2024-01-15 10:30:00",
            "project_id": 1,
            "id": 1001,
        },
    ],
    "funnels": [{"funnel_id": 7509, "name": "Signup funnel"}, {"funnel_id": 9070, "name": "Funnel tutorial"}],
    "annotations": [{"id": 640999, "date": "2024-02-01 12:00:00", "description": "Launch", "user": {"id": 1}}],
}
# One event that came late, one that is new.
CHANGES = {"events": [_event(100, 4.5, late=True), _event(101, 0.01)]}
GOOD = {"username": USER, "secret": SECRET, "project_id": PROJECT, "start_date": "65 days"}


class Mixpanel(Vendor):
    catalog = "mixpanel"
    parameters = GOOD
    wrong = GOOD | {"secret": "wrong_secret"}
    rate_limit = Reply(429, {"error": "Your project exceeded the API rate limit.", "status": "error"})
    rows = ROWS
    changes = CHANGES

    def key_of(self, table: str, row: Mapping[str, Any]) -> Any:  # noqa: ARG002 - one table changes.
        return row["properties"]["$insert_id"]

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Basic {b64encode(f'{USER}:{SECRET}'.encode()).decode()}":
            return None
        return Reply(401, {"error": "Invalid service account credentials", "status": "error"})

    def answer(self, call: Call) -> Reply:
        in_project = call.query.get("project_id") == PROJECT
        match call.method, call.path:
            case "GET", "/api/app/projects/1234567/annotations":
                return Reply(200, {"status": "ok", "results": self.data["annotations"]})
            case "GET", "/api/2.0/export" if in_project:
                return self._export(call)
            case "POST", "/api/query/cohorts/list" if in_project:
                return Reply(200, self.data["cohorts"])
            case "GET", "/api/query/funnels/list" if in_project:
                return Reply(200, self.data["funnels"])
        return Reply(404, {"error": "not found", "status": "error"})

    def _export(self, call: Call) -> Reply:
        first, last = (date.fromisoformat(call.query[name]) for name in ("from_date", "to_date"))
        found = [row for row in self.data["events"] if first <= _day(row) <= last]
        return Reply(200, raw="".join(json.dumps(row) + "\n" for row in found).encode())


def _day(row: dict) -> date:
    return datetime.fromtimestamp(row["properties"]["time"], UTC).date()
