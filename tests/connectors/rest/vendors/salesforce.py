"""Salesforce: client credentials, SOQL through queryAll, nextRecordsUrl, errors as lists; sessions that expire."""

import re
from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

OBJECTS = {
    "accounts": "Account",
    "contacts": "Contact",
    "leads": "Lead",
    "opportunities": "Opportunity",
    "opportunity_line_items": "OpportunityLineItem",
    "campaigns": "Campaign",
    "cases": "Case",
    "tasks": "Task",
    "events": "Event",
    "products": "Product2",
    "users": "User",
}
_QUERY = re.compile(r"SELECT FIELDS\(STANDARD\) FROM (\w+) WHERE SystemModstamp >= (\S+) ORDER BY SystemModstamp")


def _record(kind: str, number: int, day: int, **more: Any) -> dict[str, Any]:
    key = f"00{number}5g00000AH2d{number:02}AAT"
    return {
        "attributes": {"type": kind, "url": f"/services/data/v62.0/sobjects/{kind}/{key}"},
        "Id": key,
        "IsDeleted": False,
        "Name": f"{kind} {number}",
        "SystemModstamp": f"2024-03-{day:02}T09:30:00.000+0000",
        **more,
    }


class Salesforce(Vendor):
    catalog = "salesforce"
    parameters = {"domain": "acme", "client_id": "3MVG9consumer", "client_secret": "right-consumer-secret"}
    wrong = {"client_secret": "wrong-consumer-secret"}
    rate_limit = Reply(
        403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}], {"Retry-After": "0"}
    )
    rows = {
        table: [_record(kind, number, 10 + number) for number in range(5 if table == "accounts" else 2)]
        for table, kind in OBJECTS.items()
    } | {"opportunities": [_record("Opportunity", number, 10, Amount=1250000.10, IsWon=True) for number in range(3)]}
    changes = {
        "accounts": [
            _record("Account", 1, 20, IsDeleted=True),
            _record("Account", 7, 20, BillingAddress={"city": "Łódź", "latitude": None}),
        ],
        "opportunities": [_record("Opportunity", 2, 21, Amount=0.1)],
    }

    def __init__(self) -> None:
        super().__init__()
        self._tokens = 0
        self._valid = ""

    def token(self, call: Call) -> Reply | None:
        if call.path != "/services/oauth2/token":
            return None
        if call.form != {
            "grant_type": "client_credentials",
            "client_id": "3MVG9consumer",
            "client_secret": "right-consumer-secret",
        }:
            return Reply(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        self._tokens += 1
        self._valid = f"00Dx0000000BV7z!token{self._tokens}"
        return Reply(200, {"access_token": self._valid, "instance_url": self.url, "token_type": "Bearer"})

    def change(self) -> None:
        super().change()
        self._valid = ""

    def authorize(self, call: Call) -> Reply | None:
        if self._valid and call.headers.get("Authorization") == f"Bearer {self._valid}":
            return None
        return Reply(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])

    def answer(self, call: Call) -> Reply:
        base = "/services/data/v62.0"
        if call.path == f"{base}/limits":
            return Reply(200, {"DailyApiRequests": {"Max": 15000, "Remaining": 14998}})
        if call.path == f"{base}/queryAll":
            asked = _QUERY.fullmatch(call.query["q"])
            if asked is None or asked[1] not in OBJECTS.values():
                message = "\nSELECT FIELDS(STANDARD) FROM\n^\nERROR at Row:1:Column:1\nunexpected token"
                return Reply(400, [{"message": message, "errorCode": "MALFORMED_QUERY"}])
            return self._batch(asked[1], asked[2], 0)
        if call.path.startswith(f"{base}/query/"):
            kind, since, start = call.path.rpartition("/")[2].split("~")
            # The session ends in the middle of a query, once.
            if self._tokens == 1:
                self._valid = ""
                self._tokens += 1
                return Reply(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
            return self._batch(kind, since, int(start))
        return Reply(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])

    def _batch(self, kind: str, since: str, start: int) -> Reply:
        table = next(table for table, name in OBJECTS.items() if name == kind)
        found = [row for row in self.data[table] if row["SystemModstamp"] >= since.removesuffix("Z")]
        found.sort(key=lambda row: row["SystemModstamp"])
        page = self.page(found, start, 2000)
        body = {"totalSize": len(found), "done": start + len(page) >= len(found), "records": page}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/v62.0/query/{kind}~{since}~{start + len(page)}"
        return Reply(200, body)
