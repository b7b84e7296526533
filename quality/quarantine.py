"""The rows that were set aside: putting them there (one statement a batch), listing and counting them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from quality.predicates import predicate, quote_literal
from quality.relation import Relation
from quality.verdicts import Verdict
from warehouse.ledger import Batch


def set_aside(connection: sa.Connection, batch: Batch, relation: Relation, broken: Sequence[Verdict]) -> int:
    """Copy every row that broke one of these rules to `ops.quarantine`, with all the rules it broke.

    Returns:
        How many rows were set aside.
    """
    if not broken:
        return 0
    parameters: dict[str, Any] = {"batch_id": batch.batch_id}
    breaches = []
    for place, verdict in enumerate(broken):
        if verdict.row_numbers is None:
            breaches.append(_escaped(f"({predicate(verdict.rule)}) is false"))
        else:
            parameters[f"rows_{place}"] = verdict.row_numbers
            breaches.append(f"_row_number = any(cast(:rows_{place} as bigint[]))")
    rules = ", ".join(
        f"case when {breach} then {quote_literal(verdict.rule.name)} end"
        for breach, verdict in zip(breaches, broken, strict=True)
    )
    return connection.execute(
        sa.text(
            "insert into ops.quarantine (batch_id, row_id, payload, failed_rules)"
            f" select :batch_id, _row_number, _payload, array_remove(array[{rules}], null)"
            f" from ({relation.rows_with_payload}) as batch where {' or '.join(breaches)}"
        ),
        parameters,
    ).rowcount


def list_quarantine(
    connection: sa.Connection,
    *,
    source: str | None = None,
    table: str | None = None,
    batch_id: int | None = None,
    limit: int | None = 100,
) -> list[dict[str, Any]]:
    """Rows set aside, newest batch first and in row order, ready for JSON.

    Args:
        limit: At most so many rows; None for all.

    Returns:
        One dict a row: batch_id, source, table_name, row_id, payload, failed_rules, quarantined_at,
        resolved_by_batch_id.
    """
    where, parameters = _narrowed(source, table, batch_id)
    rows = connection.execute(
        sa.text(
            "select quarantine.batch_id, batch.source, batch.table_name, quarantine.row_id, quarantine.payload,"
            " quarantine.failed_rules, quarantine.quarantined_at, quarantine.resolved_by_batch_id"
            f" from ops.quarantine as quarantine join ops.batches as batch using (batch_id){where}"
            " order by quarantine.batch_id desc, quarantine.row_id limit :limit"
        ),
        {**parameters, "limit": limit},
    )
    return [{**row, "quarantined_at": row["quarantined_at"].isoformat()} for row in rows.mappings()]


def summarize(
    connection: sa.Connection, *, source: str | None = None, table: str | None = None, batch_id: int | None = None
) -> list[dict[str, Any]]:
    """How many rows each rule has set aside, most first; rows put back by a later batch do not count.

    Returns:
        One dict a table and rule: source, table_name, rule, row_count, batch_count. A row that broke two rules
        counts under both.
    """
    where, parameters = _narrowed(source, table, batch_id)
    rows = connection.execute(
        sa.text(
            "select batch.source, batch.table_name, rule, count(*) as row_count,"
            " count(distinct quarantine.batch_id) as batch_count"
            " from ops.quarantine as quarantine join ops.batches as batch using (batch_id)"
            f" cross join lateral unnest(quarantine.failed_rules) as rule{where}"
            f"{' and' if where else ' where'} quarantine.resolved_by_batch_id is null"
            " group by batch.source, batch.table_name, rule"
            " order by row_count desc, batch.source, batch.table_name, rule"
        ),
        parameters,
    )
    return [dict(row) for row in rows.mappings()]


def _narrowed(source: str | None, table: str | None, batch_id: int | None) -> tuple[str, dict[str, Any]]:
    columns = {"batch.source": source, "batch.table_name": table, "quarantine.batch_id": batch_id}
    given = {column: value for column, value in columns.items() if value is not None}
    names = {column: column.replace(".", "_") for column in given}
    where = " and ".join(f"{column} = :{names[column]}" for column in given)
    return (f" where {where}" if where else ""), {names[column]: value for column, value in given.items()}


def _escaped(sql: str) -> str:
    # A colon would start a bind parameter.
    return sql.replace(":", "\\:")
