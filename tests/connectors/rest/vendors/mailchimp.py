"""Mailchimp's Marketing API as it answers: Basic with the key, count and offset, problem details."""

from base64 import b64encode

from tests.connectors.rest.vendor import Call, Reply, Vendor

KEY = "0123456789abcdef-us21"
AUDIENCES = ("57afe96172", "a1b2c3d4e5")


def _member(number: int, audience: str, changed: str, status: str = "subscribed") -> dict:
    return {
        "id": f"{number:032x}",
        "email_address": f"reader{number}@example.org",
        "unique_email_id": f"{number:010x}",
        "web_id": 500000 + number,
        "email_type": "html",
        "status": status,
        "merge_fields": {"FNAME": "Ada", "LNAME": f"Reader {number}"},
        "stats": {"avg_open_rate": 0.25, "avg_click_rate": 0},
        "timestamp_opt": "2024-01-02T09:00:00+00:00",
        "member_rating": 4,
        "last_changed": changed,
        "vip": False,
        "tags": [{"id": 9, "name": "spring"}],
        "list_id": audience,
    }


def _campaign(number: int) -> dict:
    return {
        "id": f"c{number:09d}",
        "web_id": number,
        "type": "regular",
        "create_time": "2024-03-01T08:00:00+00:00",
        "status": "sent",
        "emails_sent": 1200 + number,
        "settings": {"subject_line": "Spring"},
    }


ROWS = {
    "lists": [
        {"id": audience, "web_id": number, "name": f"Readers {number}", "stats": {"member_count": 3}}
        for number, audience in enumerate(AUDIENCES)
    ],
    # Three pages: as many contacts as a page may have, twice, and one more.
    "list_members": [_member(number, AUDIENCES[0], f"2024-05-{1 + number:02d}T10:00:00+00:00") for number in range(5)]
    + [_member(number, AUDIENCES[1], "2024-05-20T10:00:00+00:00") for number in (1, 7)],
    "list_segments": [
        {"id": 49381, "name": "Loyal", "member_count": 3, "type": "static", "list_id": AUDIENCES[0]},
        {"id": 49381, "name": "New", "member_count": 0, "type": "saved", "list_id": AUDIENCES[1]},
    ],
    "campaigns": [_campaign(number) for number in range(3)],
    "reports": [
        {"id": f"c{number:09d}", "campaign_title": "Spring", "emails_sent": 1200, "opens": {"open_rate": 0.5}}
        for number in range(2)
    ],
    "unsubscribes": [
        {"email_id": f"{7:032x}", "campaign_id": "c000000001", "reason": "None given", "list_id": AUDIENCES[0]}
    ],
    "automations": [{"id": "57d5a1f0a1", "create_time": "2024-01-01T00:00:00+00:00", "status": "sending"}],
}
CHANGES = {
    "list_members": [
        _member(3, AUDIENCES[0], "2024-06-01T00:00:00+00:00", "unsubscribed"),
        # In the same second as the newest one of its audience in the first run.
        _member(9, AUDIENCES[1], "2024-05-20T10:00:00+00:00"),
    ]
}
GOOD = {"api_key": KEY, "data_center": "us21"}


def _problem(status: int, title: str, detail: str) -> Reply:
    return Reply(status, {"type": "/errors", "title": title, "status": status, "detail": detail, "instance": "3b4d"})


class Mailchimp(Vendor):
    catalog = "mailchimp"
    parameters = GOOD
    wrong = GOOD | {"api_key": "fedcba9876543210-us21"}
    rate_limit = _problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.")
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        kind, _, credential = (call.headers.get("Authorization") or "").partition(" ")
        if kind == "Basic" and credential == b64encode(f"datainsight:{KEY}".encode()).decode():
            return None
        return _problem(
            401, "API Key Invalid", "Your API key may be invalid, or you've attempted the wrong datacenter."
        )

    def answer(self, call: Call) -> Reply:
        match call.path.removeprefix("/3.0").strip("/").split("/"):
            case ["ping"]:
                return Reply(200, {"health_status": "Everything's Chimpy!"})
            case ["lists", audience, ("members" | "segments") as kind]:
                rows = [row for row in self.data[f"list_{kind}"] if row["list_id"] == audience]
                if since := call.query.get("since_last_changed"):
                    rows = [row for row in rows if row["last_changed"] > since.replace("Z", "+00:00")]
                return self._collection(kind, sorted(rows, key=lambda row: row.get("last_changed", "")), call)
            case ["reports", campaign, "unsubscribed"]:
                rows = [row for row in self.data["unsubscribes"] if row["campaign_id"] == campaign]
                return self._collection("unsubscribes", rows, call)
            case [("lists" | "campaigns" | "reports" | "automations") as kind]:
                return self._collection(kind, self.data[kind], call)
        return _problem(404, "Resource Not Found", "The requested resource could not be found.")

    def _collection(self, name: str, rows: list, call: Call) -> Reply:
        start, size = int(call.query.get("offset", 0)), min(int(call.query.get("count", 10)), self.page_size)
        return Reply(200, {name: rows[start : start + size], "total_items": len(rows), "_links": []})
