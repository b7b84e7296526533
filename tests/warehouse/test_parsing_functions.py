"""The SQL functions that say what a date, a moment, a number and a truth value are."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import NewDatabase
from warehouse.database import TRANSFORMER, Warehouse

CASES: dict[str, list[tuple[str | None, Any]]] = {
    "parse_date": [
        ("2024-02-29", date(2024, 2, 29)),
        ("29-02-2024", date(2024, 2, 29)),
        (" 01-02-2024 ", date(2024, 2, 1)),
        ("2024-01-01T10:00:00Z", date(2024, 1, 1)),
        ("2023-02-29", None),
        ("31-04-2024", None),
        ("2024-13-01", None),
        ("0000-01-01", None),
        ("2024-1-1", None),
        ("2024-01-01T99:99 junk", None),
        ("01/02/2024", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
    "parse_timestamp": [
        ("2015-01-01T00:00:00Z", datetime(2015, 1, 1, tzinfo=UTC)),
        ("2015-01-01", datetime(2015, 1, 1, tzinfo=UTC)),
        ("2015-01-01T10:00:00-05:30", datetime(2015, 1, 1, 15, 30, tzinfo=UTC)),
        ("2015-01-01 10:00:00.123456+02", datetime(2015, 1, 1, 8, 0, 0, 123456, tzinfo=UTC)),
        ("28-07-2023 03:00", datetime(2023, 7, 28, 3, tzinfo=UTC)),
        ("28-07-2023", datetime(2023, 7, 28, tzinfo=UTC)),
        ("31-02-2023 03:00", None),
        ("28-07-2023 99:00", None),
        ("2015-01-01 10:00+99", None),
        ("2024-01-01 10:00:00." + "1" * 200, None),
        ("yesterday", None),
        ("now", None),
        ("", None),
        (None, None),
    ],
    "parse_number": [
        ("12", Decimal(12)),
        ("-1.50", Decimal("-1.50")),
        ("1e3", Decimal(1000)),
        (" .5 ", Decimal("0.5")),
        ("1,000", None),
        ("1e999", None),
        ("NaN", None),
        ("twelve", None),
        ("", None),
        (None, None),
    ],
    "parse_boolean": [("TRUE", True), ("no", False), ("1", True), ("maybe", None), ("", None), (None, None)],
    "is_json": [('{"a": 1}', True), ("{", False), ("", False), ("null", True), (None, None)],
}


@pytest.mark.parametrize(
    ("function", "text", "expected"), [(name, text, value) for name, cases in CASES.items() for text, value in cases]
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_what_a_text_means(shared: Warehouse, function: str, text: str | None, expected: object, zone: str) -> None:
    with shared.engine(TRANSFORMER).connect() as connection:
        connection.execute(sa.text("select set_config('timezone', :zone, true)"), {"zone": zone})
        assert connection.execute(sa.text(f"select ops.{function}(:text)"), {"text": text}).scalar_one() == expected


@pytest.fixture(scope="module")
def shared(server_url: sa.URL, _template: str) -> Iterator[Warehouse]:
    """One database for all cases: they only read."""
    with NewDatabase(server_url, template=_template) as name:
        opened = Warehouse(server_url.set(database=name))
        yield opened
        opened.dispose()
