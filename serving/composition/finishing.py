"""The last step of a composition: the changes, the columns and rows in their order, and no more than asked."""

from typing import TYPE_CHECKING

from serving.composition.joining import Join, listed
from serving.composition.layout import Layout, change, previous
from serving.names import unknown
from serving.query import ComposedQuery
from warehouse.database import quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa


def finished(join: Join, table: "pa.Table", layout: Layout, query: ComposedQuery) -> "pa.Table":
    """The answer.

    Args:
        join: Runs what orders it.
        table: Its rows, without changes.
        layout: Its columns.
        query: It says the order and the limit.

    Raises:
        DataInsightError: It is to be ordered by what is no column.
    """
    told = f"select *{_changes(layout)} from all_rows"
    order = f" order by {_order(layout, query)}" if layout.keys or query.order_by else ""
    limit = "" if query.limit is None else f" limit {query.limit}"
    return join(f"select {listed(layout.columns)} from ({told}){order}{limit}", {"all_rows": table})


def _changes(layout: Layout) -> str:
    """The share that each metric has changed by; null where there was nothing, or 0, to compare it with."""
    if not layout.is_compared:
        return ""
    changes = []
    for metric in layout.metrics:
        now = f"cast({quote_identifier(metric)} as double)"
        before = f"cast({quote_identifier(previous(metric))} as double)"
        changes.append(f", ({now} - {before}) / nullif(abs({before}), 0) as {quote_identifier(change(metric))}")
    return "".join(changes)


def _order(layout: Layout, query: ComposedQuery) -> str:
    order: dict[str, bool] = {}
    for given in query.order_by:
        name = given.removeprefix("-")
        if name not in layout.columns:
            raise unknown("column to order by", name, layout.columns)
        order.setdefault(name, given.startswith("-"))
    # The rest of the key makes the order complete, so that equal questions have equal answers.
    for key in layout.keys:
        order.setdefault(key, False)
    return ", ".join(f"{quote_identifier(name)} {'desc' if down else 'asc'} nulls last" for name, down in order.items())
