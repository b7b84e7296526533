"""PayPal's REST APIs as they answer: client credentials, ranges of at most 31 days, page numbers and links."""

import itertools
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

SECRET = "EGnHDxD_right"
NOW = datetime.now(UTC).replace(microsecond=0)
KINDS = {
    "/v2/invoicing/invoices": "invoices",
    "/v1/catalogs/products": "products",
    "/v1/billing/plans": "billing_plans",
}
PLACES = {"invoices": "items", "products": "products", "billing_plans": "plans"}
HTTP_LINK = "https://developer.paypal.com/docs/api/overview/#error"


def _moment(days_ago: float) -> str:
    return (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _transaction(number: int, days_ago: float, status: str = "S") -> dict:
    info = {
        "paypal_account_id": "6STWC2LSUYYYE",
        "transaction_id": f"5TY05013RG{number:07d}",
        "transaction_event_code": "T0006",
        "transaction_initiation_date": _moment(days_ago),
        "transaction_updated_date": _moment(days_ago),
        "transaction_amount": {"currency_code": "USD", "value": "465.00"},
        "fee_amount": {"currency_code": "USD", "value": "-13.79"},
        "transaction_status": status,
    }
    return {"transaction_info": info, "payer_info": {"email_address": "payer@example.org"}, "cart_info": {}}


def _dispute(number: int, days_ago: float, status: str) -> dict:
    updated = (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%S.123Z")
    more = {"reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "create_time": "2024-01-01T00:00:00.000Z"}
    amount = {"currency_code": "USD", "value": "50.00"}
    return {"dispute_id": f"PP-000-042-{number}", "update_time": updated, "status": status} | more | {"amount": amount}


# The same id twice, as when a payment and its reversal share it; the newest within the lag of the first run.
TRANSACTIONS = [_transaction(number, days_ago) for number, days_ago in enumerate((65, 64, 64, 40, 33, 20, 3, 1))]
TRANSACTIONS += [_transaction(1, 12)]
ROWS = {
    "transactions": TRANSACTIONS,
    "balances": [
        {"currency": "USD", "primary": True, "total_balance": {"currency_code": "USD", "value": "100.10"}},
        {"currency": "EUR", "primary": False, "total_balance": {"currency_code": "EUR", "value": "0.00"}},
    ],
    "disputes": [_dispute(number, 10 + number, "OPEN") for number in range(3)],
    "invoices": [{"id": f"INV2-{number}", "status": "SENT", "detail": {"currency_code": "USD"}} for number in range(5)],
    "products": [
        {"id": f"PROD-{number}", "name": "Chair", "create_time": "2024-01-01T00:00:00Z"} for number in range(3)
    ],
    "billing_plans": [],
}
CHANGES = {
    "transactions": [_transaction(100, 0.01), _transaction(101, 2)],
    "disputes": [_dispute(1, 0.5, "RESOLVED"), _dispute(7, 0.25, "OPEN")],
}
GOOD = {"client_id": "AZDxjD_client", "client_secret": SECRET, "start_date": "70 days"}


def _error(status: int, name: str, message: str) -> Reply:
    links = [{"href": HTTP_LINK, "rel": "information_link", "method": "GET"}]
    return Reply(status, {"name": name, "message": message, "debug_id": "90957fca61718", "links": links})


class PayPal(Vendor):
    catalog = "paypal"
    parameters = GOOD
    wrong = GOOD | {"client_secret": "EGnHDxD_wrong"}
    rate_limit = _error(429, "RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting.")
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def key_of(self, table: str, row: Mapping[str, Any]) -> Any:
        return row["dispute_id"] if table == "disputes" else (row["transaction_info"]["transaction_id"], _begun(row))

    def token(self, call: Call) -> Reply | None:
        if call.path != "/v1/oauth2/token":
            return None
        known = f"Basic {b64encode(f'AZDxjD_client:{SECRET}'.encode()).decode()}"
        if call.headers.get("Authorization") == known and call.form == {"grant_type": "client_credentials"}:
            return Reply(200, {"access_token": "A21AAF_token", "token_type": "Bearer", "expires_in": 31668})
        return Reply(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == "Bearer A21AAF_token":
            return None
        message = "Authentication failed due to missing authorization header, or invalid authentication credentials."
        return _error(401, "AUTHENTICATION_FAILURE", message)

    def answer(self, call: Call) -> Reply:
        match call.path:
            case "/v1/reporting/transactions":
                return self._transactions(call)
            case "/v1/reporting/balances":
                return Reply(200, {"balances": self.data["balances"], "account_id": "6STWC2LSUYYYE"})
            case "/v1/customer/disputes":
                return self._disputes(call)
        if kind := KINDS.get(call.path):
            rows = self._page(self.data[kind], call)
            totals = self._totals(self.data[kind], call) if call.query.get("total_required") == "true" else {}
            return Reply(200, {PLACES[kind]: rows} | totals | {"links": []})
        return _error(404, "RESOURCE_NOT_FOUND", "The specified resource does not exist.")

    def _transactions(self, call: Call) -> Reply:
        start, end = (datetime.fromisoformat(call.query[name]) for name in ("start_date", "end_date"))
        if end - start > timedelta(days=31):
            return _error(400, "INVALID_REQUEST", "Date range is greater than 31 days.")
        rows = [row for row in self.data["transactions"] if start <= _begun(row) <= end]
        rows.sort(key=_begun)
        found = self._page(rows, call)
        page = {"page": int(call.query.get("page", 1)), "account_number": "XZXSPECPDZHZU", "links": []}
        return Reply(200, {"transaction_details": found} | page | self._totals(rows, call))

    def _disputes(self, call: Call) -> Reply:
        after = datetime.fromisoformat(call.query["update_time_after"])
        rows = [row for row in self.data["disputes"] if datetime.fromisoformat(row["update_time"]) >= after]
        start = int(call.query.get("next_page_token", 0))
        size = min(int(call.query.get("page_size", 10)), self.page_size)
        links = [{"href": f"{self.url}/v1/customer/disputes", "rel": "self", "method": "GET"}]
        if start + size < len(rows):
            query = (
                f"update_time_after={call.query['update_time_after']}&next_page_token={start + size}&page_size={size}"
            )
            links.append({"href": f"{self.url}/v1/customer/disputes?{query}", "rel": "next", "method": "GET"})
        return Reply(200, {"items": rows[start : start + size], "links": links})

    def _page(self, rows: list, call: Call) -> list:
        size = min(int(call.query.get("page_size", 10)), self.page_size)
        start = (int(call.query.get("page", 1)) - 1) * size
        return list(itertools.islice(rows, start, start + size))

    def _totals(self, rows: list, call: Call) -> dict:
        size = min(int(call.query.get("page_size", 10)), self.page_size)
        return {"total_items": len(rows), "total_pages": -(-len(rows) // size)}


def _begun(row: dict) -> datetime:
    return datetime.fromisoformat(row["transaction_info"]["transaction_initiation_date"])
