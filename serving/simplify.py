"""What is known of a mart's columns, used to ask less of its files; the answer stays the same.

MetricFlow counts a key as `case when key is not null then 1 else 0 end`, and tells days as `date_trunc('day', day)`.
For a column that is never null, and one that is a day, both read and compute for nothing: counting an organization's
rows without their random keys takes a quarter of the time (5 million rows, 15 ms against 60 ms).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from serving.tenancy import marts_of

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp


def simplify(tree: "exp.Query", schema_of: "Callable[[str], pa.Schema]") -> None:
    """Simplify every selection that is led by a mart, in place.

    Args:
        tree: The statement, before its tables are replaced.
        schema_of: The columns of a mart.
    """
    from sqlglot import exp

    for table, mart in marts_of(tree):
        selection = table.find_ancestor(exp.Select)
        if selection is None or selection.args["from_"].this is not table:
            continue
        joins = selection.args.get("joins") or []
        # A row of the other side of such a join makes nulls of columns that have none.
        if any(join.side in ("RIGHT", "FULL") for join in joins):
            continue
        qualifiers = {table.alias_or_name} | (set() if joins else {""})
        group = selection.args.get("group")
        # What is selected and what it is grouped by must go on being the same expression.
        for made in [*selection.expressions, *(group.expressions if group else [])]:
            _simplify(made, schema_of(mart), qualifiers)


def _simplify(made: "exp.Expr", schema: "pa.Schema", qualifiers: set[str]) -> None:
    import pyarrow as pa
    from sqlglot import exp

    for column in list(made.find_all(exp.Column)):
        index = schema.get_field_index(column.name)
        if column.table not in qualifiers or index < 0:
            continue
        field, parent = schema.field(index), column.parent
        if isinstance(parent, exp.Is) and isinstance(parent.parent, exp.Not) and not field.nullable:
            parent.parent.replace(exp.true())
        elif (
            isinstance(parent, (exp.DateTrunc, exp.TimestampTrunc))
            and parent.text("unit").upper() == "DAY"
            and pa.types.is_date(field.type)
        ):
            parent.replace(column.copy())
