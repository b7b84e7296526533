"""HubSpot's CRM API v3 as it answers: searches with filters and sorts that end after so many rows."""

from datetime import datetime

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "pat-na1-right"
GOOD = {"access_token": TOKEN}
MODIFIED = {"contacts": "lastmodifieddate"}
MOST_RESULTS = 4


def _object(number: int, modified: str, kind: str = "companies", **properties: object) -> dict:
    changed = MODIFIED.get(kind, "hs_lastmodifieddate")
    return {
        "id": str(number),
        "properties": {"hs_object_id": str(number), "createdate": "2024-01-01T00:00:00.000Z", changed: modified}
        | properties,
        "createdAt": "2024-01-01T00:00:00.000Z",
        "updatedAt": modified,
        "archived": False,
    }


def _contact(number: int, modified: str) -> dict:
    return _object(number, modified, "contacts", email=f"c{number}@example.com", firstname="Ada", lastname=None)


def _pipeline(number: str) -> dict:
    stages = [{"id": "1", "label": "Won", "displayOrder": 0, "metadata": {"probability": "1.0"}}]
    return {"id": number, "label": "Sales", "displayOrder": 0, "stages": stages, "updatedAt": "2024-01-01T00:00:00Z"}


ROWS = {
    # More than a search gives altogether; ids of other lengths, so that text and number sort apart.
    "contacts": [
        _contact(number, f"2024-03-01T10:00:{number % 60:02d}.123Z") for number in (1, 9, 10, 51, 101, 151, 1001)
    ],
    "companies": [
        _object(number, f"2024-03-02T10:00:0{number}.000Z", name="Acme", domain="acme.example") for number in (1, 2)
    ],
    "deals": [_object(7, "2024-03-02T10:00:00.000Z", dealname="Big one", amount="1500.00", closedate=None)],
    "tickets": [],
    "owners": [
        {
            "id": str(number),
            "email": f"o{number}@example.com",
            "type": "PERSON",
            "updatedAt": "2024-01-01T00:00:00.000Z",
        }
        for number in range(1, 4)
    ],
    "deal_pipelines": [_pipeline("default")],
    "ticket_pipelines": [_pipeline("0")],
}
CHANGES = {
    "contacts": [_contact(9, "2024-03-09T00:00:00.500Z"), _contact(2001, "2024-03-09T00:00:00.501Z")],
    "deals": [_object(7, "2024-03-09T10:00:00.000Z", dealname="Big one", amount="1600.00", closedate=None)],
}


def _error(status: int, message: str, category: str, **more: object) -> Reply:
    body = {"status": "error", "message": message, "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf"}
    return Reply(status, body | {"category": category} | more)


def _holds(row: dict, condition: dict) -> bool:
    value = row["properties"][condition["propertyName"]]
    match condition["operator"]:
        case "GTE":
            moment = datetime.fromisoformat(value).timestamp() * 1000
            return moment >= int(condition["value"])
        case "GT":
            return int(value) > int(condition["value"])
    raise AssertionError(condition)


class HubSpot(Vendor):
    catalog = "hubspot"
    parameters = GOOD
    wrong = GOOD | {"access_token": "pat-na1-wrong"}
    rate_limit = _error(
        429, "You have reached your secondly limit.", "RATE_LIMITS", errorType="RATE_LIMIT", policyName="SECONDLY"
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return _error(401, "Authentication credentials not found.", "INVALID_AUTHENTICATION")

    def answer(self, call: Call) -> Reply:
        match call.path.removeprefix("/crm/v3/").split("/"):
            case ["objects", kind, "search"] if call.method == "POST" and kind in self.data:
                return self._search(kind, call.json)
            case ["owners"]:
                rows, start = self.data["owners"], int(call.query.get("after", 0))
                return Reply(200, self._results(rows, start, min(int(call.query["limit"]), self.page_size)))
            case ["pipelines", "deals"]:
                return Reply(200, {"results": self.data["deal_pipelines"]})
            case ["pipelines", "tickets"]:
                return Reply(200, {"results": self.data["ticket_pipelines"]})
        return _error(404, "resource not found", "OBJECT_NOT_FOUND")

    def _search(self, kind: str, body: dict) -> Reply:
        conditions = body["filterGroups"][0]["filters"]
        rows = [row for row in self.data[kind] if all(_holds(row, condition) for condition in conditions)]
        if body["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]:
            rows.sort(key=lambda row: int(row["id"]))
        start = int(body.get("after", 0))
        if start >= MOST_RESULTS:
            return _error(400, "There was a problem with the request.", "VALIDATION_ERROR")
        return Reply(200, self._results(rows, start, min(body["limit"], self.page_size)) | {"total": len(rows)})

    def _results(self, rows: list, start: int, size: int) -> dict:
        body: dict = {"results": rows[start : start + size]}
        if start + size < len(rows):
            body["paging"] = {"next": {"after": str(start + size), "link": "?after=NTI1Cg%3D%3D"}}
        return body
