"""Fill: every period of the range is there, for each combination of the other dimensions that occurs."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from serving.composition.joining import Join, listed
from serving.composition.layout import Layout
from serving.periods import DAYS_IN, MONTHS_IN, count_of_periods, start_of
from serving.query import ComposedQuery
from warehouse.database import quote_identifier
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa


def filled(join: Join, table: "pa.Table", layout: Layout, query: ComposedQuery, most_rows: int) -> "pa.Table":
    """The rows and those for the periods that have none.

    Args:
        join: Runs what joins them.
        table: The rows.
        layout: Their columns, one of which is a time.
        query: It says the range, and whether what is missing is null or 0.
        most_rows: How many there may be.

    Raises:
        DataInsightError: There would be more.
    """
    if layout.time is None:
        raise DataInsightError("fill: there are no periods to fill")
    time, grain = layout.time.asked, str(layout.time.grain)
    ends = _ends(table, time, query)
    if ends is not None:
        start, end = start_of(ends[0], grain), start_of(ends[1], grain)
        others = [key for key in layout.keys if key != time]
        combinations = _combinations(join, table, others)
        count = combinations.num_rows * count_of_periods(start, end, grain)
        if count > most_rows:
            raise DataInsightError(
                f"fill: the answer would have {count:,} rows, more than {most_rows:,}",
                hint="ask for a coarser grain, a shorter time or fewer dimensions, or raise DATAINSIGHT_QUERY_ROWS",
            )
        table = _with_periods(join, table, layout, combinations, _series(start, end, grain))
    return _with_zeros(table, layout) if query.fill == "zero" else table


def _ends(table: "pa.Table", time: str, query: ComposedQuery) -> tuple[date, date] | None:
    """The first and the last day to fill: those of the range, else those of the rows; None when there are neither."""
    import pyarrow.compute as pc

    found = pc.min_max(table[time]).as_py()
    start = query.time_range.start or found["min"]
    end = query.time_range.end or found["max"]
    return None if start is None or end is None or end < start else (start, end)


def _combinations(join: Join, table: "pa.Table", others: list[str]) -> "pa.Table":
    import pyarrow as pa

    if not others:
        return pa.table({"only": [True]})
    return join(f"select distinct {listed(others)} from all_rows", {"all_rows": table})


def _series(start: date, end: date, grain: str) -> str:
    step = f"{MONTHS_IN[grain]} months" if grain in MONTHS_IN else f"{DAYS_IN[grain]} days"
    return f"generate_series(timestamp '{start.isoformat()}', timestamp '{end.isoformat()}', interval '{step}')"


def _with_periods(join: Join, table: "pa.Table", layout: Layout, combinations: "pa.Table", series: str) -> "pa.Table":
    time = quote_identifier(layout.time.asked if layout.time else "")
    keys = listed(layout.keys)
    return join(
        "select * from all_rows union all by name ("
        f"select {keys} from combinations cross join (select cast(unnest({series}) as date) as {time})"
        f" except select {keys} from all_rows)",
        {"all_rows": table, "combinations": combinations},
    )


def _with_zeros(table: "pa.Table", layout: Layout) -> "pa.Table":
    """The rows with 0 wherever a number is missing; its type stays."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in layout.values:
        kind = table[name].type
        if pa.types.is_decimal(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
            zero = pa.scalar(Decimal(0) if pa.types.is_decimal(kind) else 0, kind)
            table = table.set_column(table.column_names.index(name), name, pc.fill_null(table[name], zero))
    return table
