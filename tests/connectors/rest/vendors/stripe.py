"""Stripe: bearer key, lists with has_more and starting_after, newest first. https://docs.stripe.com/api"""

from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

DAY = 86_400
START = 1_700_000_000


def _objects(prefix: str, kind: str, count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"{prefix}_{number}", "object": kind, "created": START + number * DAY, "metadata": {}, **more}
        for number in range(count)
    ]


class Stripe(Vendor):
    catalog = "stripe"
    parameters = {"api_key": "sk_test_right"}
    wrong = {"api_key": "sk_test_wrong"}
    rate_limit = Reply(
        429,
        {"error": {"code": "rate_limit", "message": "Request rate limit exceeded.", "type": "invalid_request_error"}},
    )
    rows = {
        "balance_transactions": _objects("txn", "balance_transaction", 3, amount=1099, fee=62, currency="usd"),
        "charges": _objects("ch", "charge", 5, amount=1099, paid=True, customer=None),
        "refunds": _objects("re", "refund", 1, amount=100),
        "disputes": _objects("dp", "dispute", 1, status="needs_response"),
        "customers": _objects("cus", "customer", 5, email="jenny.rosen@example.com", balance=0),
        "products": _objects("prod", "product", 2, name="Gold plan"),
        "prices": _objects("price", "price", 3, unit_amount_decimal="1099.5", recurring={"interval": "month"}),
        "subscriptions": _objects("sub", "subscription", 3, status="canceled"),
        "subscription_items": [
            {"id": f"si_{number}", "object": "subscription_item", "subscription": f"sub_{number % 3}", "quantity": 1}
            for number in range(5)
        ],
        "invoices": _objects("in", "invoice", 3, total=1099, paid=False),
        "events": _objects("evt", "event", 3, type="charge.succeeded"),
    }
    changes = {
        "charges": [
            {**_objects("ch", "charge", 5, amount=1099, paid=True, customer=None)[4], "refunded": True},
            {**_objects("ch", "charge", 6, amount=5, paid=True, customer="cus_1")[5]},
        ],
        "customers": [{"id": "cus_1", "object": "customer", "created": START, "balance": -100, "metadata": {}}],
    }
    expected = {
        "subscription_items": [
            {"id": f"si_{number}", "_subscriptions_id": f"sub_{number % 3}", "quantity": "1"} for number in range(5)
        ],
        # The last 30 days only, as Stripe keeps them; these are older.
        "events": [],
    }

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == "Bearer sk_test_right":
            return None
        return Reply(
            401, {"error": {"message": "Invalid API Key provided: sk_test_*rong", "type": "invalid_request_error"}}
        )

    def answer(self, call: Call) -> Reply:
        table = call.path.removeprefix("/v1/")
        if table == "balance":
            return Reply(200, {"object": "balance", "available": [], "livemode": False})
        if table not in self.data:
            message = f"Unrecognized request URL (GET: {call.path})."
            return Reply(404, {"error": {"message": message, "type": "invalid_request_error"}})
        since = int(call.query.get("created[gte]", 0))
        rows = [row for row in self.data[table] if row.get("created", since) >= since]
        if table == "subscription_items":
            rows = [row for row in rows if row["subscription"] == call.query["subscription"]]
        rows.sort(key=lambda row: row.get("created", 0), reverse=True)
        start = 0
        if after := call.query.get("starting_after"):
            start = [row["id"] for row in rows].index(after) + 1
        page = self.page(rows, start, int(call.query.get("limit", 10)))
        has_more = start + len(page) < len(rows)
        return Reply(200, {"object": "list", "url": call.path, "has_more": has_more, "data": page})
