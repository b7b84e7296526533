"""What an answer stands on: how fresh it is, which checks passed, and what is missing from it.

The figures are about the platform's own batches, not about one organization's rows: a batch holds rows of many.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from serving.snapshots import Snapshot


@dataclass(frozen=True)
class Trust:
    """The trust envelope of an answer.

    Attributes:
        as_of: When the newest batch behind the answer landed; the snapshot's own time when there is no batch.
        checks: How many checks `passed`, `warned` and `failed`: those of the batches behind the answer and those
            of the build. A check whose failing rows were set aside has warned; one that refused a batch has failed.
        quarantined_rows: Rows of those batches that are set aside, and not yet put back.
        refused_batches: Refused batches of the same tables, unless what they held was admitted later.
    """

    snapshot_id: int
    as_of: datetime
    checks: dict[str, int]
    quarantined_rows: int
    refused_batches: int
    definition_version: str

    def to_dict(self) -> dict[str, Any]:
        """The envelope as JSON values, with `freshness_seconds` as of now."""
        age = datetime.now(UTC) - self.as_of
        return {
            **asdict(self),
            "as_of": self.as_of.astimezone(UTC).isoformat(),
            "freshness_seconds": max(0, round(age.total_seconds())),
        }


_STATEMENT = sa.text(
    """
    with admitted as (
        select batch_id, source, table_name, landed_at, checks
        from ops.batches
        where
            status = 'admitted' and admission_seq <= :admission_seq
            and (cast(:sources as text[]) is null or source || '.' || table_name = any(:sources))
    ),
    refused as (
        select batch_id, checks
        from ops.batches as batch
        where
            status = 'refused'
            and (cast(:sources as text[]) is null or source || '.' || table_name = any(:sources))
            and not (
                exists (
                    select from admitted as later
                    where
                        later.batch_id > batch.batch_id
                        and later.source = batch.source and later.table_name = batch.table_name
                )
                and not exists (
                    select from ops.files as file
                    where
                        file.batch_id = batch.batch_id
                        and not exists (
                            select from ops.files as same
                            inner join admitted as later on same.batch_id = later.batch_id
                            where
                                same.path = file.path and later.batch_id > batch.batch_id
                                and later.source = batch.source and later.table_name = batch.table_name
                        )
                )
            )
    )
    select
        (select max(landed_at) from admitted) as as_of,
        (select count(*) from refused) as refused_batches,
        (
            select count(*) from ops.quarantine as quarantine
            inner join admitted on quarantine.batch_id = admitted.batch_id
            where quarantine.resolved_by_batch_id is null
        ) as quarantined_rows,
        (
            select coalesce(jsonb_object_agg(status, found), '{}')
            from (
                select
                    case
                        when item ->> 'status' = 'failed' and item ->> 'severity' = 'row' then 'warned'
                        else item ->> 'status'
                    end as status,
                    count(*) as found
                from (select checks from admitted union all select checks from refused) as judged
                cross join jsonb_array_elements(judged.checks) as item
                group by 1
            ) as counted
        ) as checks
    """
)


def trust_of(connection: sa.Connection, snapshot: Snapshot, marts: frozenset[str]) -> Trust:
    """The trust envelope of an answer that reads these marts of a snapshot."""
    known = [snapshot.tables[mart].sources for mart in marts]
    sources = None if None in known else sorted({name for names in known for name in names or ()})
    row = connection.execute(_STATEMENT, {"admission_seq": snapshot.admission_seq, "sources": sources}).one()
    checks = {
        status: int(row.checks.get(status, 0)) + int(snapshot.checks.get(status, 0))
        for status in ("passed", "warned", "failed")
    }
    return Trust(
        snapshot_id=snapshot.snapshot_id,
        as_of=row.as_of or snapshot.published_at,
        checks=checks,
        quarantined_rows=row.quarantined_rows,
        refused_batches=row.refused_batches,
        definition_version=snapshot.definition_version,
    )
