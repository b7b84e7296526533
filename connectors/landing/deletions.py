"""Rows that a complete copy no longer has: appended to raw as deletions, since nothing there is ever changed."""

from collections.abc import Sequence

from warehouse.database import LOADER, Warehouse, quote_identifier

# Names that begin with _dlt belong to landing, so no column of a source is in the way.
DELETED = "_dlt_deleted"


def append_deletions(
    warehouse: Warehouse,
    table: tuple[str, str],
    *,
    key: Sequence[str],
    load_id: str,
    earlier: Sequence[str],
    rows_before: int,
) -> int:
    """Append one row for each key that an earlier load brought, nobody deleted, and this load has not.

    The row has the key's columns and `_dlt_deleted`, everything else is null.

    Args:
        table: Schema and name of the raw table.
        key: The columns that tell rows apart.
        load_id: The load that holds the complete copy.
        earlier: Load ids of the table's batches that were not refused, oldest first.
        rows_before: The highest row number that the load has used.

    Returns:
        How many keys are gone.
    """
    raw = ".".join(map(quote_identifier, table))  # Names of raw have no percent sign.
    columns = ", ".join(map(quote_identifier, key))
    known = " and ".join(f"{quote_identifier(name)} is not null" for name in key)
    gone = (
        f"select {columns} from (select distinct on ({columns}) {columns}, {DELETED} from {raw}"
        " join unnest(cast(%(earlier)s as text[])) with ordinality as earlier (_dlt_earlier, _dlt_place)"
        " on _dlt_earlier = _dlt_load_id"
        f" where {known} order by {columns}, _dlt_place desc, _row_number desc) as latest where {DELETED} is not true"
        f" except select {columns} from {raw} where _dlt_load_id = %(load)s"
    )
    with warehouse.engine(LOADER).begin() as connection:
        connection.exec_driver_sql(f"alter table {raw} add column if not exists {DELETED} boolean")
        return connection.exec_driver_sql(
            f"insert into {raw} ({columns}, {DELETED}, _row_number, _dlt_load_id)"
            f" select {columns}, true, %(before)s + row_number() over (), %(load)s from ({gone}) as gone",
            {"load": load_id, "earlier": list(earlier), "before": rows_before},
        ).rowcount
