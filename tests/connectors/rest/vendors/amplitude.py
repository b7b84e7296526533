"""Amplitude's export and dashboard APIs as they answer: Basic with two keys, events by the hour as zipped JSON."""

import gzip
import io
import json
import zipfile
from base64 import b64encode
from datetime import UTC, datetime, timedelta

from tests.connectors.rest.vendor import Call, Reply, Vendor

KEY, SECRET = "5a8f_api_key", "right_secret_key"
NOW = datetime.now(UTC).replace(microsecond=123000)


def _event(number: int, hours_ago: float) -> dict:
    moment = (NOW - timedelta(hours=hours_ago)).strftime("%Y-%m-%d %H:%M:%S.%f")
    return {
        "uuid": f"a0b1c2d3-{number:04d}-11e4-8db9-22000ad5c8f6",
        "event_id": number,
        "event_type": "Play Song",
        "event_time": moment,
        "server_upload_time": moment,
        "user_id": f"user-{number % 2}",
        "amplitude_id": 18446744073709,
        "event_properties": {"title": "Prélude", "seconds": 12.5},
        "user_properties": {},
    }


ROWS = {
    "events": [_event(number, hours) for number, hours in enumerate((70, 69.9, 50, 47, 30, 2.5, 2.4))],
    "cohorts": [
        {
            "appId": 153957,
            "archived": False,
            "id": "jb7oxrf",
            "name": "Power users",
            "size": 4200,
            "lastMod": 1679418814,
        },
        {"appId": 153957, "archived": True, "id": "a1b2c3d", "name": "Gone", "size": 0, "lastMod": 1679418815},
    ],
    "annotations": [
        {
            "id": 12345,
            "start": "2025-11-01T07:00:00+00:00",
            "end": None,
            "label": "Feature X Release",
            "details": None,
            "category": {"id": 45678, "name": "Releases"},
            "chart_id": None,
        }
    ],
    "annotation_categories": [{"id": 45678, "name": "Releases"}],
}
CHANGES = {"events": [_event(100, 2.3), _event(101, 0.01)]}
GOOD = {"api_key": KEY, "secret_key": SECRET, "start_date": "4 days"}


class Amplitude(Vendor):
    catalog = "amplitude"
    parameters = GOOD
    wrong = GOOD | {"secret_key": "wrong_secret_key"}
    rate_limit = Reply(429, {"error": {"http_code": 429, "type": "too_many_requests", "message": "Too many requests"}})
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Basic {b64encode(f'{KEY}:{SECRET}'.encode()).decode()}":
            return None
        return Reply(403, {"error": {"http_code": 403, "type": "permission_denied", "message": "Invalid credentials"}})

    def answer(self, call: Call) -> Reply:
        match call.path:
            case "/api/2/export":
                return self._export(call)
            case "/api/3/cohorts":
                return Reply(200, {"cohorts": self.data["cohorts"]})
            case "/api/3/annotations":
                return Reply(200, {"data": self.data["annotations"]})
            case "/api/3/annotation-categories":
                return Reply(200, {"data": self.data["annotation_categories"]})
        return Reply(404, {"error": {"http_code": 404, "type": "not_found", "message": "Not found"}})

    def _export(self, call: Call) -> Reply:
        first, last = (
            datetime.strptime(call.query[name], "%Y%m%dT%H").replace(tzinfo=UTC) for name in ("start", "end")
        )
        hours: dict[datetime, list[str]] = {}
        for row in self.data["events"]:
            moment = datetime.fromisoformat(row["server_upload_time"]).replace(tzinfo=UTC)
            if first <= moment < last + timedelta(hours=1):
                hours.setdefault(moment.replace(minute=0, second=0, microsecond=0), []).append(json.dumps(row))
        if not hours:
            return Reply(404, raw=b"Raw data files were not found.")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            for hour, lines in hours.items():
                files.writestr(f"153957/153957_{hour:%Y-%m-%d_%H}#0.json.gz", gzip.compress("\n".join(lines).encode()))
        return Reply(200, raw=archive.getvalue())
