"""Columns are named the same everywhere, and dlt leaves the names alone."""

import pytest
import sqlalchemy as sa

from connectors.names import column_name, naming_problem

NAMES = {
    "account_id": "account_id",
    "Account ID": "account_id",
    "accountId": "account_id",
    "  HTTPStatus ": "http_status",
    "Région": "region",
    "Growth %": "growth_percent",
    "Price ($)": "price_usd",
    "2019 total": "_2019_total",
    "_id": "_id",
    "a__b": "a_b",
    "客户": "column_07a2a8bf",
    "": "column_3",
    "xmin": "_xmin",
    "XMax": "x_max",
    "TableOID": "table_oid",
    "tableoid": "_tableoid",
    "ctid": "_ctid",
}


@pytest.mark.parametrize(("header", "column"), [item for item in NAMES.items() if item[0] != "客户"])
def test_a_header_becomes_a_column(header: str, column: str) -> None:
    assert column_name(header, 3) == column


@pytest.mark.parametrize(
    "header", [*NAMES, "x" * 200, "客户", "客" * 90, "trailing_", "A" * 62 + "_B", "Ünïcödé-Nämé@2"]
)
def test_dlt_names_the_column_the_same_and_postgresql_can_hold_it(header: str) -> None:
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    column = column_name(header, 3)
    assert NamingConvention(63).normalize_identifier(column) == column
    assert 0 < len(column.encode()) <= 63


def test_no_column_is_named_as_those_that_every_table_has(database: sa.URL) -> None:
    engine = sa.create_engine(database)
    with engine.connect() as connection:
        taken = connection.execute(
            sa.text("select attname from pg_attribute where attrelid = 'ops.batches'::regclass and attnum < 0")
        )
        for name in list(taken.scalars()):
            connection.execute(sa.text(f"create temporary table t{name} ({column_name(name)} int)"))
    engine.dispose()


def test_names_that_cannot_be_columns_are_told() -> None:
    assert naming_problem(["a", "b"], ["a", "b"]) is None
    assert "is there twice" in str(naming_problem(["a", "a"], ["a", "a"]))
    assert "would both be named user_id" in str(naming_problem(["userId", "user_id"], ["user_id", "user_id"]))
    for reserved in ("_row_number", "_dlt_load_id"):
        assert "keeps for itself" in str(naming_problem([reserved], [reserved]))
