"""Chargebee's API v2 as it answers: the key as user name, each row within its kind, offsets that are lists."""

import json
from base64 import b64encode

from tests.connectors.rest.vendor import Call, Reply, Vendor

KEY = "live_right_key"
KINDS = {
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "credit_notes": "credit_note",
    "transactions": "transaction",
    "items": "item",
    "item_prices": "item_price",
    "coupons": "coupon",
}
HAVE_DELETED = {"customers", "subscriptions", "invoices", "credit_notes", "transactions"}


def _row(kind: str, number: str, updated: int, **more: object) -> dict:
    return {"id": number, "updated_at": updated, "resource_version": updated * 1000 + 7, "object": kind} | more


def _customer(number: int, updated: int, *, deleted: bool = False) -> dict:
    more = {"email": f"c{number}@example.org", "auto_collection": "on", "created_at": 1700000000, "deleted": deleted}
    return _row("customer", f"AzZ{number}", updated, **more, billing_address={"city": "Tartu"}, promotional_credits=0)


ROWS = {
    "customers": [_customer(number, 1700000000 + number * 60) for number in range(5)]
    + [_customer(90, 1700000600, deleted=True)],
    "subscriptions": [_row("subscription", "S1", 1700000001, status="active", customer_id="AzZ1", deleted=False)],
    "invoices": [
        _row(
            "invoice", str(number), 1700000000 + number, total=19900, currency_code="EUR", line_items=[], deleted=False
        )
        for number in range(3)
    ],
    "credit_notes": [],
    "transactions": [_row("transaction", "txn_1", 1700000002, amount=19900, type="payment", deleted=False)],
    "items": [_row("item", "basic", 1700000003, name="Basic", type="plan", status="active")],
    "item_prices": [_row("item_price", "basic-EUR-Monthly", 1700000003, price=19900, item_id="basic")],
    "coupons": [_row("coupon", "SPRING", 1700000004, discount_percentage=12.5, status="active")],
}
CHANGES = {
    "customers": [_customer(1, 1700009000), _customer(91, 1700000600)],
    "invoices": [_row("invoice", "7", 1700009001, total=100, currency_code="EUR", line_items=[], deleted=False)],
}
GOOD = {"api_key": KEY, "site": "acme"}


def _error(status: int, code: str, message: str, headers: dict | None = None) -> Reply:
    legacy = {"error_code": code, "error_msg": message, "http_status_code": status}
    return Reply(status, {"message": message, "api_error_code": code} | legacy, headers or {})


class Chargebee(Vendor):
    catalog = "chargebee"
    parameters = GOOD
    wrong = GOOD | {"api_key": "live_wrong_key"}
    rate_limit = _error(
        429,
        "api_request_limit_exceeded",
        "Sorry, access has been blocked temporarily due to request count exceeding acceptable limits.",
        {"Retry-After": "0"},
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Basic {b64encode(f'{KEY}:'.encode()).decode()}":
            return None
        return _error(401, "api_authentication_failed", "Sorry, authentication failed. Invalid api key")

    def answer(self, call: Call) -> Reply:
        kind = call.path.removeprefix("/api/v2/")
        if kind not in KINDS:
            return _error(404, "site_not_found", "Sorry, we couldn't find that resource")
        rows = [row for row in self.data[kind] if self._is_wanted(row, kind, call)]
        rows.sort(key=lambda row: row["updated_at"])
        start = int(json.loads(call.query["offset"])[1]) if "offset" in call.query else 0
        end = start + min(int(call.query.get("limit", 10)), self.page_size)
        body = {"list": [{KINDS[kind]: row} for row in rows[start:end]]}
        if end < len(rows):
            body["next_offset"] = json.dumps([str(rows[end]["updated_at"] * 1000), str(end)])
        return Reply(200, body)

    @staticmethod
    def _is_wanted(row: dict, kind: str, call: Call) -> bool:
        if kind in HAVE_DELETED and row["deleted"] and call.query.get("include_deleted") != "true":
            return False
        return row["updated_at"] > int(call.query.get("updated_at[after]", 0))
