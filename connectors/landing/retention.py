"""Removes from raw what nothing can read any more: rows of loads that never counted, and versions replaced long ago."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from connectors.landing.drift import raw_columns
from connectors.landing.turn import reachable, turn
from connectors.source import SourceConfig
from warehouse.database import Warehouse, quote_identifier

_STATES_KEPT = 3  # The newest is what the next run starts from; the others, if that batch is refused.


@dataclass(frozen=True)
class Pruned:
    """What was removed of one table.

    Attributes:
        unfinished_rows: Of loads that were killed or failed; no batch names them.
        replaced_rows: Of admitted batches, replaced by a later version, or a later copy, for longer than is kept.
        refused_rows: Of refused batches older than is kept.
    """

    source: str
    table_name: str
    unfinished_rows: int
    replaced_rows: int
    refused_rows: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.unfinished_rows + self.replaced_rows + self.refused_rows


def prune(
    source: SourceConfig, warehouse: Warehouse, *, now: datetime | None = None, dry_run: bool = False
) -> list[Pruned]:
    """Remove what the retention of the source's tables says; without one, only what never counted.

    A row goes when a later admitted version of its key was landed longer ago than the retention: whatever is rebuilt
    as of a moment within it is the same as before. The newest version of a key always stays, and so does every row of
    a batch that nobody has judged yet. Rows in quarantine keep their payload there. Of a table whose key changed, no
    version goes: what replaces what is not known any more.

    Args:
        now: From when the retention is counted; None: from this moment.
        dry_run: Only count.
    """
    # All through the connection that holds the turn: with the turn lost, rows that are landing look like left-overs.
    found = []
    with reachable(warehouse), turn(warehouse, source.name) as holder:
        for table in _raw_tables(holder, source):
            found.append(_prune_table(holder, source, table, now or datetime.now(UTC)))
            if dry_run:
                holder.rollback()
            else:
                holder.commit()
    return found


def _raw_tables(connection: sa.Connection, source: SourceConfig) -> list[str]:
    """The tables that the ledger names; a view, or a copy that somebody made, is nobody's to empty."""
    return list(
        connection.execute(
            sa.text(
                "select table_name from information_schema.tables where table_schema = :schema"
                " and table_type = 'BASE TABLE' and exists (select from ops.batches as batch"
                " where batch.source = :source and batch.table_name = tables.table_name)"
                " and exists (select from information_schema.columns as known"
                " where known.table_schema = tables.table_schema and known.table_name = tables.table_name"
                " and column_name = '_dlt_load_id') order by table_name"
            ),
            {"schema": source.schema_name, "source": source.name},
        ).scalars()
    )


def _prune_table(connection: sa.Connection, source: SourceConfig, table: str, now: datetime) -> Pruned:
    raw = f"{quote_identifier(source.schema_name)}.{quote_identifier(table)}"
    named = {"source": source.name, "name": table}
    unfinished = connection.execute(
        sa.text(
            f"delete from {raw} where _dlt_load_id not in (select load_id from ops.batches"
            " where source = :source and table_name = :name and load_id is not null)"
        ),
        named,
    ).rowcount
    _forget_old_states(connection, named)
    retention = source.retention_of(table)
    if retention is None:
        return Pruned(source.name, table, unfinished, 0, 0)
    values = named | {"cutoff": now - retention}
    old = f"{_of_batches(raw)} and batch.status = 'refused' and batch.landed_at < :cutoff"
    refused = _delete(connection, raw, old, values)
    places = _replaced(connection, source, table, raw)
    replaced = _delete(connection, raw, places, values) if places else 0
    return Pruned(source.name, table, unfinished, replaced, refused)


def _of_batches(raw: str) -> str:
    return (
        f"select landed.ctid from {raw} as landed join ops.batches as batch on batch.load_id = landed._dlt_load_id"
        " where batch.source = :source and batch.table_name = :name"
    )


def _replaced(connection: sa.Connection, source: SourceConfig, table: str, raw: str) -> str | None:
    """The rows that a version, or a copy, from before the cutoff has replaced, as a query for their places.

    None: the key of what was admitted is not one and the same, or raw has not got it.
    """
    of_the_admitted = sa.text(
        "select distinct key_columns from ops.batches"
        " where source = :source and table_name = :name and status = 'admitted'"
    )
    keys: list[list[str]] = list(connection.execute(of_the_admitted, {"source": source.name, "name": table}).scalars())
    if len(keys) != 1 or not raw_columns(connection, source.schema_name, table).keys() >= set(keys[0]):
        return None
    if not keys[0]:
        return (
            f"{_of_batches(raw)} and batch.status = 'admitted' and batch.admission_seq < (select max(admission_seq)"
            " from ops.batches where source = :source and table_name = :name and is_complete and landed_at < :cutoff)"
        )
    columns = [f"landed.{quote_identifier(name)}" for name in keys[0]]
    # Keys are told apart as staging does it.
    same = ", ".join(f"trim(cast({column} as text))" for column in columns)
    versions = _of_batches(raw).replace(
        "select landed.ctid",
        f"select landed.ctid, bool_or(batch.landed_at < :cutoff) over (partition by {same}"
        " order by batch.admission_seq, landed._row_number rows between 1 following and unbounded following)"
        " as is_replaced",
    )
    return (
        f"select ctid from ({versions} and batch.status = 'admitted'"
        f" and {' and '.join(f'{column} is not null' for column in columns)}"
        " and not exists (select from ops.quarantine where batch_id = batch.batch_id and row_id = landed._row_number)"
        ") as version where is_replaced"
    )


def _delete(connection: sa.Connection, raw: str, places: str, values: dict[str, Any]) -> int:
    """Delete rows by place, and count them in the ledger."""
    counts = connection.execute(
        sa.text(
            f"with gone as (delete from {raw} where ctid in ({places}) returning _dlt_load_id),"
            " counted as (select _dlt_load_id as load_id, count(*) as rows from gone group by 1)"
            " update ops.batches as batch set pruned_count = pruned_count + counted.rows from counted"
            " where batch.load_id = counted.load_id and batch.source = :source and batch.table_name = :name"
            " returning counted.rows"
        ),
        values,
    )
    return sum(counts.scalars())


def _forget_old_states(connection: sa.Connection, named: dict[str, str]) -> None:
    connection.execute(
        sa.text(
            "update ops.batches set state = null where source = :source and table_name = :name and state is not null"
            " and status <> 'landed' and batch_id not in (select batch_id from ops.batches where source = :source"
            " and table_name = :name and state is not null and status <> 'refused' order by batch_id desc limit :kept)"
        ),
        {**named, "kept": _STATES_KEPT},
    )
