"""The tenant filter: every base table of a statement is replaced by the rows its reader may see.

It works on the syntax tree of the finished statement, so that nothing which is in the statement can get around it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from serving.literals import literal
from serving.marts import SCHEMAS
from serving.pruning import Days, Pruning
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
        if plain and table.db in SCHEMAS:
            found.append((table, table.name))
        elif not (plain and not table.db and table.name in defined):
            raise DataInsightError(f"{table.sql(dialect='duckdb')} is no mart, so it is served to nobody")
    return found


def restrict(
    tree: "exp.Query",
    policy: Policy,
    organization: str | None,
    relation: "Callable[[str, Days], exp.Table]",
    pruning: Pruning,
) -> None:
    """Replace every base table by what may be read of it, in place.

    Args:
        tree: The statement.
        policy: Whose the rows of each mart are.
        organization: Whose rows are read; None reads everybody's.
        relation: Where the rows of some days of a mart are, perhaps among others.
        pruning: Which days matter where.

    Raises:
        DataInsightError: A table is no mart, or a mart that the policy does not know, or an organization asks for what
            no organization may see.
    """
    from sqlglot import exp

    for table, mart in marts_of(tree):
        rule = policy.mart(mart)
        days = pruning.days(table)
        rows = exp.select("*").from_(relation(mart, days))
        if organization is not None:
            if rule.internal or _reads(table, rule.hidden_from_tenants):
                raise DataInsightError(
                    "this cannot be asked for an organization: it stands on what no organization may see",
                    hint="leave out its metrics, dimensions and filters one by one to find which of them it is",
                )
            if rule.hidden_from_tenants:
                # Whatever way to them was overlooked above leads to a column that is not there.
                hidden = [exp.to_identifier(name, quoted=True) for name in rule.hidden_from_tenants]
                rows = exp.select(exp.Star(except_=hidden)).from_(relation(mart, days))
            if rule.organization_column is not None:
                owner = exp.column(rule.organization_column, quoted=True)
                rows = rows.where(owner.eq(literal(organization, "string", "the organization")))
        for further in pruning.condition(mart, days):
            rows = rows.where(further)
        table.replace(rows.subquery(table.alias or mart, copy=False))


def _reads(table: "exp.Table", columns: tuple[str, ...]) -> bool:
    """Whether the selection around a table names one of these columns of it."""
    from sqlglot import exp

    selection = table.find_ancestor(exp.Select)
    if selection is None or not columns:
        return bool(columns)
    wanted = {name.lower() for name in columns}
    qualifiers = {"", table.alias_or_name.lower()}
    return any(
        column.name.lower() in wanted and column.table.lower() in qualifiers
        for column in selection.find_all(exp.Column)
    )
