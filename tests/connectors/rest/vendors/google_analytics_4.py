"""The Google Analytics Data API as it answers: a refreshed token, reports whose names stand apart from values."""

from datetime import UTC, datetime, timedelta

from tests.connectors.rest.vendor import Call, Reply, Vendor

GOOD = {
    "property_id": "123456789",
    "client_id": "1234567890-abc.apps.googleusercontent.com",
    "client_secret": "GOCSPX-right",
    "refresh_token": "1//right",
    "start_date": "2024-05-01",
}
TOKEN = "ya29.right"
TODAY = datetime.now(UTC).date()
TABLES = {
    ("date",): "daily_totals",
    ("date", "sessionDefaultChannelGroup", "sessionSource", "sessionMedium", "sessionCampaignName"): "traffic_sources",
    ("date", "hostName", "pagePath"): "pages",
    ("date", "landingPage"): "landing_pages",
    ("date", "eventName"): "events",
    ("date", "country", "region", "city"): "locations",
    ("date", "deviceCategory", "operatingSystem", "browser"): "devices",
}


def _day(number: int) -> str:
    return f"202405{number:02d}"


def _event(day: int, name: str, count: int) -> dict:
    return {"date": _day(day), "eventName": name, "eventCount": str(count), "totalUsers": "3", "totalRevenue": "12.5"}


ROWS = {
    "daily_totals": [{"date": _day(day), "activeUsers": str(day), "sessions": str(10 * day)} for day in range(1, 6)],
    "traffic_sources": [
        {
            "date": _day(5),
            "sessionDefaultChannelGroup": "Organic Search",
            "sessionSource": "google",
            "sessionMedium": "organic",
            "sessionCampaignName": "(organic)",
            "sessions": "40",
        }
    ],
    "pages": [{"date": _day(5), "hostName": "example.com", "pagePath": "/", "screenPageViews": "7"}],
    "landing_pages": [{"date": _day(5), "landingPage": "(not set)", "sessions": "1"}],
    "events": [_event(day, name, day) for day in range(1, 4) for name in ("page_view", "scroll")],
    "locations": [],
    "devices": [
        {"date": _day(5), "deviceCategory": "mobile", "operatingSystem": "iOS", "browser": "Safari", "sessions": "4"}
    ],
}
CHANGES = {
    # Google still works on the last days: one day's number changes, one day is new.
    "events": [_event(3, "scroll", 30), _event(4, "page_view", 4)],
    "daily_totals": [{"date": _day(6), "activeUsers": "6", "sessions": "60"}],
}


def _error(status: int, message: str, name: str) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, "status": name}})


class GoogleAnalytics4(Vendor):
    catalog = "google_analytics_4"
    parameters = GOOD
    wrong = GOOD | {"refresh_token": "1//wrong"}
    rate_limit = _error(
        429,
        "Exhausted property tokens for a project per hour. These quota tokens will return soon.",
        "RESOURCE_EXHAUSTED",
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def token(self, call: Call) -> Reply | None:
        if call.path != "/token":
            return None
        right = {name: GOOD[name] for name in ("client_id", "client_secret", "refresh_token")}
        if call.form != right | {"grant_type": "refresh_token"}:
            return Reply(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        return Reply(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return _error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")

    def answer(self, call: Call) -> Reply:
        match call.path.removeprefix("/v1beta/properties/123456789").split(":"):
            case ["/metadata"]:
                return Reply(200, {"name": "properties/123456789/metadata", "dimensions": [], "metrics": []})
            case ["", "runReport"] if call.method == "POST":
                return self._report(call.json)
        return _error(404, "Not found", "NOT_FOUND")

    def _report(self, body: dict) -> Reply:
        dimensions = [dimension["name"] for dimension in body["dimensions"]]
        metrics = [metric["name"] for metric in body["metrics"]]
        if len(dimensions) > 9 or len(metrics) > 10:
            return _error(400, "Requests are limited to 9 dimensions and 10 metrics.", "INVALID_ARGUMENT")
        (days,) = body["dateRanges"]
        last = TODAY if days["endDate"] == "today" else TODAY - timedelta(days=1)
        rows = [
            row
            for row in self.data[TABLES[tuple(dimensions)]]
            if days["startDate"].replace("-", "") <= row["date"] <= f"{last:%Y%m%d}"
        ]
        rows.sort(key=lambda row: tuple(row[name] for name in dimensions))
        start, size = int(body.get("offset", 0)), min(int(body.get("limit", 10000)), self.page_size)
        answer: dict = {
            "dimensionHeaders": [{"name": name} for name in dimensions],
            "metricHeaders": [{"name": name, "type": "TYPE_INTEGER"} for name in metrics],
            "rowCount": len(rows),
            "metadata": {"currencyCode": "EUR", "timeZone": "Europe/Tallinn"},
            "kind": "analyticsData#runReport",
        }
        if page := rows[start : start + size]:
            answer["rows"] = [
                {
                    "dimensionValues": [{"value": row[name]} for name in dimensions],
                    "metricValues": [{"value": row.get(name, "0")} for name in metrics],
                }
                for row in page
            ]
        return Reply(200, answer)
