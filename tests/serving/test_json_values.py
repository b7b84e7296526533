"""How the values of an answer become JSON."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa

from serving.json_values import columns_and_rows


def test_every_type_has_one_form_and_nothing_is_null_that_is_not() -> None:
    table = pa.table(
        {
            "day": pa.array([date(2024, 2, 29), date(1, 1, 1), None]),
            "moment": pa.array([datetime(2024, 2, 29, 12, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
            "count": pa.array([1, -(2**63), None], pa.int64()),
            "sum": pa.array([Decimal(3), Decimal(2**63 - 1), None], pa.decimal128(38, 0)),
            "too_large": pa.array([Decimal(2**63), Decimal(-(2**64)), Decimal(7)], pa.decimal128(38, 0)),
            "unsigned": pa.array([2**64 - 1, 1, None], pa.uint64()),
            "usd": pa.array([Decimal("0.10"), Decimal("-12.34"), None], pa.decimal128(18, 2)),
            "mean": pa.array([0.5, float("nan"), None]),
            "is_trial": pa.array([True, False, None]),
            "name": pa.array(["\u03a9", "", None]),
        }
    )
    told = columns_and_rows(table)
    assert [column["type"] for column in told["columns"]] == [
        "date", "timestamp", "integer", "integer", "integer", "integer", "decimal", "double", "boolean", "string",
    ]  # fmt: skip
    assert told["rows"] == [
        ("2024-02-29", "2024-02-29T12:00:00+00:00", 1, 3, 2.0**63, 2.0**64, 0.1, 0.5, True, "\u03a9"),
        ("0001-01-01", None, -(2**63), 2**63 - 1, -(2.0**64), 1, -12.34, None, False, ""),
        (None, None, None, None, 7, None, None, None, None, None),
    ]
