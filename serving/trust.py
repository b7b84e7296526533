"""What an answer stands on: how fresh it is, which checks passed, and what is missing from it.

The figures are about the platform's own batches, not about one organization's rows: a batch holds rows of many.
What was decided about a batch stays, so each admitted batch is read once per process. Only refused batches and rows
put back can change what is said of a snapshot, so their number is all that is read with every answer.
"""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
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
        unreachable_since: Since when the ledger cannot be read: what it says is of then. None: it was read just now.
        cache_unreachable_since: Since when the cache that processes share cannot be used, which costs time and no more.
    """

    snapshot_id: int
    as_of: datetime
    checks: dict[str, int]
    quarantined_rows: int
    refused_batches: int
    definition_version: str
    unreachable_since: datetime | None = None
    cache_unreachable_since: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """The envelope as JSON values, with `freshness_seconds` as of now."""
        age = datetime.now(UTC) - self.as_of
        told = {
            **asdict(self),
            "as_of": self.as_of.astimezone(UTC).isoformat(),
            "freshness_seconds": max(0, round(age.total_seconds())),
        }
        away = {
            "warehouse_unreachable_since": told.pop("unreachable_since"),
            "cache_unreachable_since": told.pop("cache_unreachable_since"),
        }
        return told | {name: since.isoformat() for name, since in away.items() if since is not None}


# Admissions become visible in the order of their numbers, so that nothing is missed between two of them.
_ADMITTED = sa.text(
    """
    with admitted as (
        select batch_id, source || '.' || table_name as name, landed_at, checks
        from ops.batches
        where admission_seq > :after and admission_seq <= :until
    )
    select name, 'batches' as figure, count(*) as amount, max(landed_at) as landed_at
    from admitted group by name
    union all
    select name, 'quarantined', count(*), null
    from admitted inner join ops.quarantine as quarantine on admitted.batch_id = quarantine.batch_id
    group by name
    union all
    select
        name,
        case
            when item ->> 'status' = 'failed' and item ->> 'severity' = 'row' then 'warned'
            else item ->> 'status'
        end as status,
        count(*), null
    from admitted cross join jsonb_array_elements(checks) as item
    group by name, status
    """
)

# Only an admitted batch has an `admission_seq`: by its index, refused ones are found without reading the others.
_VERSION = sa.text(
    """
    select
        (select count(*) from ops.batches where admission_seq is null and status = 'refused') as refused,
        (select count(*) from ops.quarantine where resolved_by_batch_id is not null) as resolved
    """
)

_CHANGING = sa.text(
    """
    with refused as materialized (
        select source || '.' || table_name as name, checks
        from ops.batches as batch
        where
            admission_seq is null and status = 'refused'
            and (
                exists (
                    select from ops.files as file
                    where
                        file.batch_id = batch.batch_id
                        and not exists (
                            select from ops.files as same
                            inner join ops.batches as later on same.batch_id = later.batch_id
                            where
                                same.path = file.path and later.batch_id > batch.batch_id
                                and later.source = batch.source and later.table_name = batch.table_name
                                and later.admission_seq <= :until
                        )
                )
                or not exists (
                    select from ops.batches as later
                    where
                        later.batch_id > batch.batch_id
                        and later.source = batch.source and later.table_name = batch.table_name
                        and later.admission_seq <= :until
                )
            )
    )
    select name, 'refused' as figure, count(*) as amount, cast(null as timestamptz) as landed_at
    from refused group by name
    union all
    select
        name,
        case
            when item ->> 'status' = 'failed' and item ->> 'severity' = 'row' then 'warned'
            else item ->> 'status'
        end as status,
        count(*), null
    from refused cross join jsonb_array_elements(checks) as item
    group by name, status
    union all
    select batch.source || '.' || batch.table_name as name, 'quarantined', -count(*), null
    from ops.quarantine as quarantine
    inner join ops.batches as batch on quarantine.batch_id = batch.batch_id
    where quarantine.resolved_by_batch_id is not null and batch.admission_seq <= :until
    group by name
    """
)


@dataclass(frozen=True)
class Figures:
    """What the ledger says up to an admission.

    Attributes:
        amounts: How many of what there are, by landed table and figure.
        newest: When the newest batch of each landed table landed.
    """

    admission_seq: int = 0
    amounts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    newest: Mapping[str, datetime] = field(default_factory=dict)

    def plus(self, rows: Iterable[sa.Row[Any]], admission_seq: int) -> "Figures":
        """These and what more rows of the ledger say."""
        amounts, newest = Counter(self.amounts), dict(self.newest)
        for row in rows:
            amounts[row.name, row.figure] += row.amount
            if row.landed_at is not None:
                newest[row.name] = max(row.landed_at, newest.get(row.name, row.landed_at))
        return Figures(admission_seq, amounts, newest)

    def behind(self, snapshot: Snapshot, marts: Collection[str]) -> "Figures":
        """Those of the landed tables behind some marts of a snapshot; all, when it is not known which those are."""
        known = [snapshot.tables[mart].sources for mart in marts]
        if None in known:
            return self
        sources = {name for names in known for name in names or ()}
        return Figures(
            self.admission_seq,
            {key: amount for key, amount in self.amounts.items() if key[0] in sources},
            {name: landed_at for name, landed_at in self.newest.items() if name in sources},
        )

    def trust(self, snapshot: Snapshot, marts: frozenset[str], unreachable_since: datetime | None) -> Trust:
        """The trust envelope of an answer that reads these marts of a snapshot."""
        behind = self.behind(snapshot, marts)
        total: Counter[str] = Counter()
        for (_, figure), amount in behind.amounts.items():
            total[figure] += amount
        return Trust(
            snapshot_id=snapshot.snapshot_id,
            as_of=max(behind.newest.values(), default=snapshot.published_at),
            checks={
                status: total[status] + int(snapshot.checks.get(status, 0)) for status in ("passed", "warned", "failed")
            },
            quarantined_rows=total["quarantined"],
            refused_batches=total["refused"],
            definition_version=snapshot.definition_version,
            unreachable_since=unreachable_since,
        )


class LedgerReader:
    """Reads the ledger's figures; what cannot have changed since it was read is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._admitted = Figures()
        self._known: tuple[tuple[int, int, int] | None, Figures] = (None, Figures())

    def figures(self, connection: sa.Connection, until: int) -> Figures:
        """What the ledger says now of the batches up to an admission."""
        # The version is read first: at worst, what is kept under it is newer than it says.
        version = connection.execute(_VERSION).one()
        key = (until, int(version.refused), int(version.resolved))
        with self._lock:
            if self._known[0] != key:
                if self._admitted.admission_seq > until:
                    self._admitted = Figures()
                if self._admitted.admission_seq < until:
                    span = {"after": self._admitted.admission_seq, "until": until}
                    self._admitted = self._admitted.plus(connection.execute(_ADMITTED, span), until)
                now = connection.execute(_CHANGING, {"until": until})
                self._known = (key, self._admitted.plus(now, until))
            return self._known[1]
