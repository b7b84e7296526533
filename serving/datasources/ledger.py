"""What the ledger says of a datasource: its batches, and its rows that were set aside."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from warehouse.ledger import Batch, list_batches
from warehouse.portions import Portion

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


def batches_of(connection: sa.Connection, source: str, portion: Portion) -> list[dict[str, Any]]:
    """Its batches, newest first.

    What a batch says of where it came from is left out: it names paths and addresses of the platform's own.
    """
    return [_batch(batch) for batch in list_batches(connection, source=source, portion=portion)]


def quarantine_of(connection: sa.Connection, source: str, portion: Portion) -> list[dict[str, Any]]:
    """Its rows that were set aside, the newest first."""
    rows = portion.rows(
        connection,
        "select quarantine.batch_id, batch.table_name, quarantine.row_id, quarantine.payload,"
        " quarantine.failed_rules, quarantine.quarantined_at, quarantine.resolved_by_batch_id"
        " from ops.quarantine as quarantine inner join ops.batches as batch using (batch_id)"
        " where batch.source = :source",
        {"source": source},
        by=("batch_id", "row_id"),
        is_descending=True,
    )
    return [dict(row) for row in rows]


def _batch(batch: Batch) -> dict[str, Any]:
    told = {name: getattr(batch, name) for name in _BATCH_SAYS}
    return {**told, "checks": [_check(check) for check in batch.checks]}


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    detail = check.get("detail")
    told = {name: check.get(name) for name in _CHECK_SAYS}
    return {**told, "detail": None if detail is None else str(detail)}
