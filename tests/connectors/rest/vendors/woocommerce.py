"""WooCommerce's REST API v3 as it answers: Basic with consumer key and secret, bare lists, Link and X-WP-TotalPages."""

from base64 import b64encode
from urllib.parse import urlencode

from tests.connectors.rest.vendor import Call, Reply, Vendor

KEY, SECRET = "ck_right", "cs_right"
# An answer does not say which order a refund belongs to.
ORDER_OF = {726: 3, 727: 3, 730: 8}


def _row(row_id: int, modified: str, **more: object) -> dict:
    dates = {"date_created_gmt": "2024-02-01T08:00:00", "date_modified": modified, "date_modified_gmt": modified}
    return {"id": row_id} | dates | more


def _order(number: int, modified: str, status: str = "processing") -> dict:
    more = {"currency": "EUR", "total": "29.35", "billing": {"country": "EE"}, "line_items": [{"id": 1, "quantity": 2}]}
    return _row(number, modified, number=str(number), status=status, **more)


def _refund(number: int) -> dict:
    return {"id": number, "date_created_gmt": "2024-02-05T08:00:00", "amount": "10.00", "reason": "", "line_items": []}


ROWS = {
    "orders": [_order(number, f"2024-02-0{number}T10:00:00") for number in (1, 2, 3, 4, 5)],
    "order_refunds": [_refund(726), _refund(727)],
    "products": [
        _row(number, "2024-02-03T10:00:00", name=f"Chair {number}", type="variable", price="21.99", variations=[])
        for number in (20, 21)
    ],
    "product_variations": [_row(number, "2024-02-03T10:00:00", sku="", parent_id=20) for number in (30, 31, 32)],
    "product_categories": [{"id": 15, "name": "Albums", "slug": "albums", "parent": 11, "count": 4}],
    "coupons": [_row(40, "2024-02-03T10:00:00", code="spring", amount="10.00")],
    "customers": [_row(number, "2024-02-03T10:00:00", email="a@example.org", role="customer") for number in (5, 6, 7)],
    "tax_rates": [{"id": 72, "country": "US", "rate": "4.0000", "priority": 0, "compound": False}],
}
CHANGES = {
    "orders": [_order(2, "2024-02-09T09:00:00", "refunded"), _order(8, "2024-02-05T10:00:00")],
    "order_refunds": [_refund(730)],
    "product_variations": [_row(31, "2024-02-10T10:00:00", sku="CH-31", parent_id=20)],
}
PLACES = {"products/categories": "product_categories", "taxes": "tax_rates"}
GOOD = {"store": "shop.example.com", "consumer_key": KEY, "consumer_secret": SECRET}


def _error(status: int, code: str, message: str, headers: dict | None = None) -> Reply:
    return Reply(status, {"code": code, "message": message, "data": {"status": status}}, headers or {})


class WooCommerce(Vendor):
    catalog = "woocommerce"
    parameters = GOOD
    wrong = GOOD | {"consumer_secret": "cs_wrong"}
    rate_limit = _error(429, "rest_too_many_requests", "Too many requests.", {"Retry-After": "0"})
    page_size = 2
    rows = ROWS
    changes = CHANGES

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Basic {b64encode(f'{KEY}:{SECRET}'.encode()).decode()}":
            return None
        return _error(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")

    def answer(self, call: Call) -> Reply:
        path = call.path.removeprefix("/wp-json/wc/v3/")
        match path.split("/"):
            case ["orders", number, "refunds"]:
                rows = [row for row in self.data["order_refunds"] if str(ORDER_OF[row["id"]]) == number]
                return self._page(rows, call)
            case ["products", number, "variations"]:
                rows = [row for row in self.data["product_variations"] if str(row["parent_id"]) == number]
                return self._page(rows, call)
            case [("orders" | "products" | "coupons") as kind]:
                after = call.query.get("modified_after", "")
                return self._page([row for row in self.data[kind] if row["date_modified_gmt"] > after], call)
            case ["customers"]:
                return self._page(self.data["customers"], call)
        if kind := PLACES.get(path):
            return self._page(self.data[kind], call)
        return _error(404, "rest_no_route", "No route was found matching the URL and request method")

    def _page(self, rows: list, call: Call) -> Reply:
        number, size = int(call.query.get("page", 1)), min(int(call.query.get("per_page", 10)), self.page_size)
        rows = sorted(rows, key=lambda row: row["id"])
        pages = -(-len(rows) // size)
        totals = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
        here = f"{self.url}{call.path}?"
        links = []
        if number > 1:
            links.append(f'<{here}{urlencode({**call.query, "page": number - 1})}>; rel="prev"')
        if number < pages:
            links.append(f'<{here}{urlencode({**call.query, "page": number + 1})}>; rel="next"')
        headers = totals | ({"Link": ", ".join(links)} if links else {})
        return Reply(200, rows[(number - 1) * size : number * size], headers)
