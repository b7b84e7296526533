"""What the parts of a composition have in common: they ask plain questions and join the answers as tables."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from warehouse.database import quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

    from serving.query import MetricQuery

# A plain question's answer.
Ask = Callable[["MetricQuery"], "pa.Table"]

# What a statement makes of tables in memory, by the names they have in it.
Join = Callable[[str, Mapping[str, "pa.Table"]], "pa.Table"]


def listed(columns: Iterable[str]) -> str:
    """Columns as SQL lists them."""
    return ", ".join(quote_identifier(column) for column in columns)
