"""The tenant filter: every base table of a statement is replaced by the rows its reader may see.

It works on the syntax tree of the finished statement, so that nothing which is in the statement can get around it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from serving.literals import literal
from serving.marts import SCHEMA
from warehouse.errors import DataInsightError
from warehouse.policy import Policy

if TYPE_CHECKING:
    from sqlglot import exp


def parse_statement(sql: str) -> "exp.Query":
    """The syntax tree of one query.

    Raises:
        DataInsightError: It is anything but one query.
    """
    import sqlglot
    from sqlglot import exp

    statements = sqlglot.parse(sql, dialect="duckdb")
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise DataInsightError("only a single query can be served")
    return statements[0]


def marts_of(tree: "exp.Query") -> list[tuple["exp.Table", str]]:
    """Every place where a mart is read, with the mart's name.

    A list, since two places that read alike are equal as keys, and each must be found.

    Raises:
        DataInsightError: The statement reads something that is no mart: a file, a function, another schema.
    """
    from sqlglot import exp

    defined = {cte.alias for cte in tree.find_all(exp.CTE)}
    found: list[tuple[exp.Table, str]] = []
    for table in tree.find_all(exp.Table):
        plain = isinstance(table.this, exp.Identifier) and not table.catalog
        if plain and table.db == SCHEMA:
            found.append((table, table.name))
        elif not (plain and not table.db and table.name in defined):
            raise DataInsightError(f"{table.sql(dialect='duckdb')} is no mart, so it is served to nobody")
    return found


def restrict(
    tree: "exp.Query",
    policy: Policy,
    organization: str | None,
    relation: Callable[[str], "exp.Table"],
    condition: "Callable[[exp.Table], list[exp.Expr]]",
) -> None:
    """Replace every base table by what may be read of it, in place.

    Args:
        tree: The statement.
        policy: Whose the rows of each mart are.
        organization: Whose rows are read; None reads everybody's.
        relation: Where the rows of a mart are.
        condition: Further conditions on the rows of one place, true of all rows that matter there.

    Raises:
        DataInsightError: A table is no mart, or a mart that the policy does not know.
    """
    from sqlglot import exp

    for table, mart in marts_of(tree):
        owned_by = policy.mart(mart).organization_column
        rows = exp.select("*").from_(relation(mart))
        if organization is not None and owned_by is not None:
            rows = rows.where(exp.column(owned_by, quoted=True).eq(literal(organization, "string", "the organization")))
        for further in condition(table):
            rows = rows.where(further)
        table.replace(rows.subquery(table.alias or mart))
