"""The suite of the online shop's invoice lines: what its real files are full of is kept, what is broken is not."""

from quality.suite import SUITES_FOLDER
from tests.quality.conftest import Room

LINE = {
    "invoice_no": "536365",
    "stock_code": "85123A",
    "description": "WHITE LANTERN",
    "quantity": "6",
    "invoice_date": "2010-12-01 08:26:00",
    "unit_price": "2.55",
    "customer_id": "17850.0",
    "country": "United Kingdom",
}
KEPT = [
    LINE,
    LINE,
    {**LINE, "invoice_no": "C536379", "quantity": "-1"},
    {**LINE, "quantity": "-74215", "unit_price": "0.0", "customer_id": None, "description": None},
    {**LINE, "unit_price": "-11062.06", "stock_code": "B", "customer_id": None},
    {**LINE, "unit_price": "0.001"},
]
NEWS = [
    ("customer_id", "VIP", "customer_id_is_a_number"),
    ("unit_price", "0.00001", "unit_price_has_four_decimals"),
    ("invoice_no", "C536380", "cancellation_takes_back"),
]
BROKEN = [
    ("invoice_no", " ", "invoice_no_present"),
    ("stock_code", "", "stock_code_present"),
    ("quantity", None, "quantity_present"),
    ("quantity", "1.5", "quantity_is_whole"),
    ("unit_price", "", "unit_price_present"),
    ("unit_price", "two pounds", "unit_price_is_an_amount"),
    ("invoice_date", "", "invoice_date_present"),
    ("invoice_date", "2010-13-01 08:26:00", "invoice_date_is_a_moment"),
]


def test_what_a_shop_does_is_kept_and_what_is_broken_is_set_aside(room: Room) -> None:
    room.suites = SUITES_FOLDER
    changed = [{**LINE, column: value} for column, value, _ in [*NEWS, *BROKEN]]

    batch = room.land("invoice_lines", [*KEPT, *changed, *([LINE] * len(BROKEN))], source="online_retail")
    room.judge()

    first = len(KEPT) + len(NEWS) + 1
    assert room.quarantine(batch) == {first + n: [rule] for n, (_, _, rule) in enumerate(BROKEN)}
    assert room.batch(batch).status == "admitted"
    warned = {name for name, check in room.checks(batch).items() if check["status"] == "warned"}
    assert warned == {rule for _, _, rule in NEWS}
