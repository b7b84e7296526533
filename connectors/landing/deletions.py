"""Rows that a complete copy no longer has: appended to raw as deletions, since nothing there is ever changed."""

from collections.abc import Sequence

import sqlalchemy as sa

from connectors.landing.drift import raw_columns
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

    The row has the key's columns and `_dlt_deleted`, everything else is null. Keys are told apart as staging does it,
    by their text without spaces around it; a part of a key may be null, not all of it.

    Args:
        table: Schema and name of the raw table.
        key: The columns that tell rows apart.
        load_id: The load that holds the complete copy.
        earlier: Load ids of the table's batches that were not refused, oldest first.
        rows_before: The highest row number that the load has used.

    Returns:
        How many keys are gone.
    """
    loads = [*_from_the_last_copy(warehouse, table, key, earlier), load_id]
    raw = ".".join(map(quote_identifier, table))  # Names of raw have no percent sign.
    with warehouse.engine(LOADER).begin() as connection:
        known = raw_columns(connection, *table)
        # Raw has no column for what was null in every row there ever was; such a column tells nothing apart.
        names = [quote_identifier(name) for name in key if name in known]
        if not names:
            return 0
        columns = ", ".join(names)
        same = ", ".join(f'trim(cast({name} as text)) collate "C"' for name in names)
        gone = (
            f"select {columns} from (select distinct on ({same}) {columns}, {DELETED}, _dlt_load_id from {raw}"
            " join unnest(cast(%(loads)s as text[])) with ordinality as load (_dlt_load, _dlt_place)"
            " on _dlt_load = _dlt_load_id"
            f" where num_nonnulls({columns}) > 0 order by {same}, _dlt_place desc, _row_number desc) as latest"
            f" where {DELETED} is not true and _dlt_load_id <> %(load)s"
        )
        connection.exec_driver_sql(f"alter table {raw} add column if not exists {DELETED} boolean")
        return connection.exec_driver_sql(
            f"insert into {raw} ({columns}, {DELETED}, _row_number, _dlt_load_id)"
            f" select {columns}, true, %(before)s + row_number() over (), %(load)s from ({gone}) as gone",
            {"load": load_id, "loads": loads, "before": rows_before},
        ).rowcount


def _from_the_last_copy(
    warehouse: Warehouse, table: tuple[str, str], key: Sequence[str], earlier: Sequence[str]
) -> Sequence[str]:
    """The loads to compare with: a complete copy has all that was there before it, or said that it is gone.

    It said so unless rows of it were set aside; and what a batch said that was refused later does not count.
    """
    with warehouse.engine().connect() as connection:
        place: int | None = connection.execute(
            sa.text(
                "select max(place) from unnest(cast(:earlier as text[])) with ordinality as load (load_id, place)"
                " join ops.batches as batch using (load_id) where 'raw_' || batch.source = :schema"
                " and batch.table_name = :name and batch.is_complete and batch.key_columns = cast(:key as text[])"
                " and not exists (select from ops.quarantine where batch_id = batch.batch_id)"
                " and not exists (select from ops.batches as refused where refused.source = batch.source"
                " and refused.table_name = batch.table_name and refused.status = 'refused'"
                " and refused.deleted_count > 0)"
            ),
            {"earlier": list(earlier), "schema": table[0], "name": table[1], "key": list(key)},
        ).scalar()
    return earlier[place - 1 :] if place else earlier
