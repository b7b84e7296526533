"""What the ledger says of a datasource: its batches, and its rows that were set aside."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from warehouse.ledger import Batch, list_batches

_BATCH_SAYS = (
    "batch_id",
    "table_name",
    "landed_at",
    "status",
    "row_count",
    "quarantined_count",
    "deleted_count",
    "size_bytes",
    "seconds",
)
_CHECK_SAYS = ("name", "status", "severity", "description", "detail")


def batches_of(connection: sa.Connection, source: str, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Its batches, newest first, those that come before one if one is given.

    What a batch says of where it came from is left out: it names paths and addresses of the platform's own.
    """
    return [_batch(batch) for batch in list_batches(connection, source=source, before=before, limit=limit)]


def quarantine_of(
    connection: sa.Connection, source: str, *, after: tuple[int, int] | None, limit: int
) -> list[dict[str, Any]]:
    """Its rows that were set aside, newest batch first and in row order, those that come after one if one is given."""
    where, place = "", {}
    if after is not None:
        where = " and (quarantine.batch_id < :batch_id or (quarantine.batch_id = :batch_id and row_id > :row_id))"
        place = {"batch_id": after[0], "row_id": after[1]}
    rows = connection.execute(
        sa.text(
            "select quarantine.batch_id, batch.table_name, quarantine.row_id, quarantine.payload,"
            " quarantine.failed_rules, quarantine.quarantined_at, quarantine.resolved_by_batch_id"
            " from ops.quarantine as quarantine inner join ops.batches as batch using (batch_id)"
            f" where batch.source = :source{where} order by quarantine.batch_id desc, quarantine.row_id limit :limit"
        ),
        {"source": source, "limit": limit, **place},
    )
    return [dict(row) for row in rows.mappings()]


def _batch(batch: Batch) -> dict[str, Any]:
    told = {name: getattr(batch, name) for name in _BATCH_SAYS}
    return {**told, "checks": [_check(check) for check in batch.checks]}


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    detail = check.get("detail")
    told = {name: check.get(name) for name in _CHECK_SAYS}
    return {**told, "detail": None if detail is None else str(detail)}
