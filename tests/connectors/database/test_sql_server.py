"""The SQL that is written for SQL Server; there is no server here to run it on, and the documentation says so."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.database.address import parse_address
from connectors.database.relation import Column, Relation
from connectors.database.sql_server import SqlServerSession
from connectors.database.sql_server_types import column_of


@pytest.fixture
def session() -> SqlServerSession:
    """A session that was not opened: what it writes needs no server."""
    session = SqlServerSession.__new__(SqlServerSession)
    session._address = parse_address("shop", "mssql://sa:s3cret@host/db", Path.cwd())
    session._schemas = ["dbo"]
    return session


@pytest.mark.parametrize(
    ("type_name", "expression", "decoding"),
    [
        ("int", "[c]", "as_is"),
        ("nvarchar(max)", "[c]", "as_is"),
        ("varbinary(8)", "[c]", "as_is"),
        ("decimal(12,2)", "cast([c] as varchar(50))", "decimal"),
        ("money", "cast(cast([c] as decimal(19,4)) as varchar(50))", "decimal"),
        ("date", "convert(varchar(10), [c], 23)", "date"),
        ("datetime2(7)", "convert(varchar(33), cast([c] as datetime2(6)), 126)", "moment"),
        (
            "datetimeoffset(7)",
            "convert(varchar(33), cast([c] at time zone 'UTC' as datetime2(6)), 126) + 'Z'",
            "moment",
        ),
        ("uniqueidentifier", "lower(convert(varchar(36), [c]))", "as_is"),
        ("geography", "[c].STAsText()", "as_is"),
        ("xml", "cast([c] as nvarchar(max))", "as_is"),
        ("somebody_s_type", "cast([c] as nvarchar(max))", "as_is"),
    ],
)
def test_each_type_is_cast_so_that_it_arrives_whole(type_name: str, expression: str, decoding: str) -> None:
    column = column_of("c", type_name, "[c]", 12, 2)
    assert (column.expression, column.decoding) == (expression, decoding)


def test_money_has_four_digits_after_the_point() -> None:
    column = column_of("c", "money", "[c]", 0, 0)
    assert (column.precision, column.scale) == (19, 4)


def test_names_are_quoted(session: SqlServerSession) -> None:
    relation = Relation("Order]s", "Odd Schema")
    columns = [column_of("the id", "int", session.quote("the id"), None, None)]
    statement = session.statement(relation, columns, None, None)
    assert statement.sql == "select [the id] from [Odd Schema].[Order]]s]"


@pytest.mark.parametrize(
    ("type_name", "value", "condition"),
    [
        ("int", 5, "[c] >= 5"),
        ("decimal(9,2)", Decimal("1.50"), "[c] >= 1.50"),
        ("date", dt.date(2024, 1, 1), "[c] >= cast('2024-01-01' as date)"),
        ("datetime2(7)", dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "[c] >= cast('2024-01-01T00:00:00' as datetime2(7))"),
        (
            "datetimeoffset(7)",
            dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
            "[c] >= cast('2024-01-01T00:00:00+00:00' as datetimeoffset(7))",
        ),
        ("varchar(9)", "it's", "[c] collate Latin1_General_BIN2 >= N'it''s'"),
    ],
)
def test_only_what_is_new_is_asked_for(
    session: SqlServerSession, type_name: str, value: object, condition: str
) -> None:
    cursor: Column = column_of("c", type_name, "[c]", 9, 2)
    statement = session.statement(Relation("x", query="select 1 as c;"), [cursor], cursor, value)
    assert statement.sql.endswith(f" from (\nselect 1 as c\n) [q] where {condition} or [c] is null")
