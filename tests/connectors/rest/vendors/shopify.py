"""Shopify's Admin API as it answers: a Link whose page_info bears no filters, GraphQL with errors in a 200."""

import re
from datetime import datetime
from typing import Any

from tests.connectors.rest.vendor import Call, Reply, Vendor

TOKEN = "shpat_right"
ADMIN = "/admin/api/2026-07"
REST = {"orders", "customers", "draft_orders"}
GRAPHQL = {"products": "products", "productVariants": "product_variants"}


def _order(number: int, updated: str, status: str = "paid") -> dict:
    return {
        "id": 450789469 + number,
        "admin_graphql_api_id": f"gid://shopify/Order/{450789469 + number}",
        "name": f"#{1000 + number}",
        "currency": "EUR",
        "total_price": "409.94",
        "financial_status": status,
        "closed_at": "2024-01-10T11:00:00-05:00" if number == 2 else None,
        "line_items": [{"id": 466157049, "quantity": 1, "price": "199.00", "sku": "IPOD2008GREEN"}],
        "created_at": "2024-01-10T11:00:00-05:00",
        "updated_at": updated,
    }


def _customer(number: int, updated: str) -> dict:
    row = {"id": 207119551 + number, "email": f"bob{number}@example.com", "orders_count": 1, "tags": ""}
    return row | {"created_at": "2024-01-01T00:00:00-05:00", "updated_at": updated}


def _product(number: int, updated: str, title: str = "IPod Nano") -> dict:
    return {
        "id": f"gid://shopify/Product/{number}",
        "legacyResourceId": str(number),
        "title": title,
        "status": "ACTIVE",
        "tags": ["Emotive", "MP3"],
        "totalInventory": 30,
        "updatedAt": updated,
    }


ROWS = {
    # The shop's zone is five hours behind; the newest by the clock is not the greatest text.
    "orders": [_order(number, f"2024-01-11T11:{number:02d}:00-05:00") for number in range(4)]
    + [_order(5, "2024-01-11T17:30:00+00:00")],
    "customers": [_customer(number, f"2024-01-12T10:{number:02d}:00-05:00") for number in range(3)],
    "draft_orders": [{"id": 994118539, "status": "open", "updated_at": "2024-01-12T10:00:00-05:00", "line_items": []}],
    "locations": [
        {"id": 655441491, "name": "50 Rideau Street", "active": True, "updated_at": "2024-01-01T00:00:00-05:00"}
    ],
    "products": [_product(number, f"2024-01-13T10:00:0{number}Z") for number in range(1, 6)],
    "product_variants": [
        {
            "id": f"gid://shopify/ProductVariant/{number}",
            "sku": f"S{number}",
            "price": "1.90",
            "product": {"id": "gid://shopify/Product/1"},
        }
        for number in range(1, 4)
    ],
}
CHANGES = {
    "orders": [_order(2, "2024-01-14T00:00:00-05:00", "refunded"), _order(9, "2024-01-11T12:30:00-05:00")],
    "products": [_product(2, "2024-01-14T00:00:00Z", "IPod Touch")],
}
EXPECTED = {
    "product_variants": [
        {
            "id": f"gid://shopify/ProductVariant/{number}",
            "sku": f"S{number}",
            "product_id": "gid://shopify/Product/1",
        }
        for number in range(1, 4)
    ]
}
GOOD = {"shop": "my-shop", "access_token": TOKEN}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Shopify(Vendor):
    catalog = "shopify"
    parameters = GOOD
    wrong = GOOD | {"access_token": "shpat_wrong"}
    rate_limit = Reply(
        429,
        {"errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."},
        {"Retry-After": "0.0", "X-Shopify-Shop-Api-Call-Limit": "40/40"},
    )
    page_size = 2
    rows = ROWS
    changes = CHANGES
    expected = EXPECTED

    def __init__(self) -> None:
        super().__init__()
        self._pages: dict[str, list[dict[str, Any]]] = {}
        self._throttled = False

    def authorize(self, call: Call) -> Reply | None:
        if call.headers.get("X-Shopify-Access-Token") == TOKEN:
            return None
        return Reply(401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"})

    def answer(self, call: Call) -> Reply:
        what = call.path.removeprefix(f"{ADMIN}/").removesuffix(".json")
        if what == "shop":
            return Reply(200, {"shop": {"id": 548380009, "name": "My shop"}})
        if what == "locations":
            return Reply(200, {"locations": self.data["locations"]})
        if what == "graphql" and call.method == "POST":
            return self._graphql(call.json)
        return self._rest(what, call) if what in REST else Reply(404, {"errors": "Not Found"})

    def _rest(self, what: str, call: Call) -> Reply:
        size = min(int(call.query.get("limit", 50)), self.page_size)
        if place := call.query.get("page_info"):
            if set(call.query) - {"page_info", "limit", "fields"}:
                return Reply(
                    400, {"errors": {"updated_at_min": "updated_at_min cannot be passed when page_info is present."}}
                )
            rows = self._pages[place]
        else:
            since = _moment(call.query.get("updated_at_min", "2000-01-01T00:00:00Z"))
            rows = [row for row in self.data[what] if _moment(row["updated_at"]) >= since]
            if what == "orders" and call.query.get("status") != "any":
                rows = [row for row in rows if row["closed_at"] is None]
            rows.sort(key=lambda row: row["id"], reverse=True)
        headers = {}
        if rest := rows[size:]:
            place = f"eyJ{len(self._pages)}"
            self._pages[place] = rest
            headers["Link"] = f'<{self.url}{call.path}?limit={size}&page_info={place}>; rel="next"'
        return Reply(200, {what: rows[:size]}, headers)

    def _graphql(self, body: dict) -> Reply:
        if not self._throttled:
            self._throttled = True
            return Reply(200, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]})
        asked = re.search(r"\{\s*(\w+)\(", body["query"])
        assert asked
        connection, variables = asked[1], body["variables"]
        rows = self.data[GRAPHQL[connection]]
        if wanted := variables.get("query"):
            since = re.fullmatch(r"updated_at:>='(.+)'", wanted)
            assert since
            rows = [row for row in rows if _moment(row["updatedAt"]) >= _moment(since[1])]
        start, size = int(variables.get("after", 0)), min(variables["first"], self.page_size)
        page = rows[start : start + size]
        info = {"hasNextPage": start + size < len(rows), "endCursor": str(start + len(page)) if page else None}
        return Reply(200, {"data": {connection: {"nodes": page, "pageInfo": info}}, "extensions": {"cost": {}}})
