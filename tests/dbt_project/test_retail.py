"""The online shop: lines without a key that land twice, are corrected or are withdrawn, and what stands on them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa

from tests.dbt_project.landings import Row, land
from tests.dbt_project.project import Star

COLUMNS = "invoice_no stock_code description quantity invoice_date unit_price customer_id country"
MARTS = ["dim_customers", "dim_products", "fact_invoice_lines"]
EVERYTHING = ("--select", *(f"+{name}" for name in MARTS))
AGAIN = ("--select", "path:models/staging/online_retail", "int_invoice_lines_arrived", "path:models/marts/retail")


def _line(invoice: str, product: str = "tea", quantity: int = 1, **given: str | None) -> Row:
    return {
        "invoice_no": invoice,
        "stock_code": product,
        "description": product.upper(),
        "quantity": str(quantity),
        "invoice_date": "2010-12-31 23:59:00",
        "unit_price": "2.55",
        "customer_id": "17850.0",
        "country": "France",
        **given,
    }


def _deliver(star: Star, files: Mapping[str, Sequence[Row]], *, quarantined: Sequence[int] = ()) -> None:
    """One batch of these files, as landing records them: their rows one after the other, each file with its first."""
    rows = [row for lines in files.values() for row in lines]
    batch_id = land(star.warehouse, "online_retail.invoice_lines", rows, columns=COLUMNS, quarantined=quarantined)
    number = 1
    with star.warehouse.engine().begin() as connection:
        for path, lines in files.items():
            connection.execute(
                sa.text(
                    "insert into ops.files (batch_id, path, size_bytes, modified_at, content_hash, row_count,"
                    " first_row_number) values (:batch, :path, 1, now(), 'hash', :rows, :first)"
                ),
                {"batch": batch_id, "path": path, "rows": len(lines), "first": number if lines else None},
            )
            number += len(lines)


def _lines(star: Star) -> list[tuple[object, ...]]:
    return star.rows(
        "select invoice_id, product_id, customer_id, quantity, amount_gbp"
        " from marts.fact_invoice_lines order by 1, 2, 4"
    )


def test_only_the_newest_version_of_each_file_counts(star: Star) -> None:
    monday = [_line("1"), _line("1"), _line("1", "milk", unit_price="0.001", country="Norway")]
    tuesday = [_line("2", customer_id=None), _line("C3", quantity=-1), _line("2", "broken")]
    _deliver(star, {"monday": monday, "nothing": [], "tuesday": tuesday}, quarantined=[6])
    star.build(*EVERYTHING)

    assert _lines(star) == [
        ("1", "milk", "17850", 1, Decimal("0.001")),
        ("1", "tea", "17850", 1, Decimal("2.55")),
        ("1", "tea", "17850", 1, Decimal("2.55")),
        ("2", "tea", "(unknown)", 1, Decimal("2.55")),
        ("C3", "tea", "17850", -1, Decimal("-2.55")),
    ]
    assert star.rows("select customer_id, country from marts.dim_customers order by 1") == [
        ("(unknown)", None),
        ("17850", "France"),
    ]
    assert star.rows("select product_id, name from marts.dim_products order by 1") == [("milk", "MILK"), ("tea", "TEA")]
    before = dict(star.rows("select invoice_line_id, quantity from marts.fact_invoice_lines where invoice_id = '1'"))

    storage = star.storage(MARTS)
    star.build_again(*AGAIN)
    assert star.storage(MARTS) == storage

    # Monday is corrected: a line comes first, one has another quantity, one is gone. Tuesday is withdrawn.
    corrected = [_line("0", "sugar"), _line("1", quantity=7), _line("1")]
    _deliver(star, {"monday": corrected, "tuesday": []})
    _deliver(star, {"wednesday": [_line("4", description="Green tea", invoice_date="2011-01-01 00:00:00")]})
    star.build_again(*AGAIN)

    assert _lines(star) == [
        ("0", "sugar", "17850", 1, Decimal("2.55")),
        ("1", "tea", "17850", 1, Decimal("2.55")),
        ("1", "tea", "17850", 7, Decimal("17.85")),
        ("4", "tea", "17850", 1, Decimal("2.55")),
    ]
    after = dict(star.rows("select invoice_line_id, quantity from marts.fact_invoice_lines where invoice_id = '1'"))
    assert after.keys() < before.keys()
    assert star.rows("select name from marts.dim_products order by 1") == [("Green tea",), ("MILK",), ("SUGAR",)]

    # The same file again, to the letter, in a batch of its own, and rows that came in no file at all.
    _deliver(star, {"monday": corrected})
    land(star.warehouse, "online_retail.invoice_lines", [_line("5"), _line("5")], columns=COLUMNS)
    star.build_again(*AGAIN)
    assert star.rows("select count(*), count(distinct invoice_line_id) from marts.fact_invoice_lines") == [(6, 6)]
    assert star.rows("select count(*) from marts.fact_invoice_lines where invoice_id in ('0', '1')") == [(3,)]

    contents = star.contents()
    star.build_again(*AGAIN, "--full-refresh")
    assert star.contents() == contents


def _copy(star: Star, rows: Sequence[Row], *, is_complete: bool = True) -> None:
    """One batch of a database table without a key: the whole table, unless a cursor says otherwise."""
    batch_id = land(star.warehouse, "online_retail.invoice_lines", rows, columns=COLUMNS)
    star.execute(f"update ops.batches set is_complete = {is_complete} where batch_id = {batch_id}")


def test_of_complete_copies_only_the_newest_counts(star: Star) -> None:
    # Files first, then a table that comes whole, then what is new in it.
    _deliver(star, {"monday": [_line("1"), _line("2")]})
    star.build(*EVERYTHING)
    _copy(star, [_line("2"), _line("3")])
    _copy(star, [_line("3"), _line("4"), _line("5")], is_complete=False)
    star.build_again(*AGAIN)
    assert [invoice for invoice, *_ in _lines(star)] == ["2", "3", "3", "4", "5"]

    _copy(star, [_line("3", quantity=3), _line("4"), _line("5")])
    star.build_again(*AGAIN)
    first = [("3", "tea", "17850", 3, Decimal("7.65"))]
    assert _lines(star) == [*first, *((str(n), "tea", "17850", 1, Decimal("2.55")) for n in (4, 5))]

    # A line keeps its id from copy to copy, and two copies may wait for one build.
    known = star.rows("select invoice_line_id from marts.fact_invoice_lines where invoice_id = '4'")
    _copy(star, [_line("0")])
    _copy(star, [_line("3"), _line("4")])
    star.build_again(*AGAIN)
    assert [invoice for invoice, *_ in _lines(star)] == ["3", "4"]
    assert star.rows("select invoice_line_id from marts.fact_invoice_lines where invoice_id = '4'") == known

    storage, contents = star.storage(["fact_invoice_lines"]), star.contents()["fact_invoice_lines"]
    star.build_again(*AGAIN)
    assert star.storage(["fact_invoice_lines"]) == storage
    star.build_again(*AGAIN, "--full-refresh")
    assert star.contents()["fact_invoice_lines"] == contents


def test_values_that_no_suite_stopped_do_not_break_the_build(star: Star) -> None:
    strange = _line("6", "tea", unit_price="1e40", customer_id="VIP", country=" ")
    _deliver(star, {"strange": [strange, {**strange, "invoice_no": "", "stock_code": None, "quantity": "many"}]})

    star.build(*EVERYTHING)

    assert _lines(star) == [("(unknown)", "(unknown)", "VIP", None, None), ("6", "tea", "VIP", 1, None)]

    # Each data test of the shop finds what it guards broken.
    star.execute(
        # Before PostgreSQL 18 a key that is declared is checked, too.
        "set local session_replication_role = replica",
        "delete from marts.dim_products",
        "delete from marts.dim_customers",
        "update marts.fact_invoice_lines set organization_key = 'gone'",
    )
    assert star.project.run("test", "--select", "path:models/marts/retail,test_type:data") == {
        "invoice_lines_have_their_customer": "fail",
        "invoice_lines_have_their_organization": "fail",
        "invoice_lines_have_their_product": "fail",
    }
