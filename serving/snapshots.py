"""The rows of `ops.snapshots`: which version of every table is served, and with which definitions."""

from dataclasses import asdict, dataclass, field
from datetime import datetime

import sqlalchemy as sa


@dataclass(frozen=True)
class TableState:
    """One mart at a snapshot.

    Attributes:
        version: Version of its Delta table.
        rows: Its row count.
        partitions: Fingerprint of each partition.
        storage: The storage of the PostgreSQL table it was read from.
        time_column: The column that splits it into months; None for a table kept whole.
        sources: The landed tables behind it, `source.table`; None when that is not known.
    """

    version: int
    rows: int
    partitions: dict[str, str]
    storage: int | None = None
    time_column: str | None = None
    sources: list[str] | None = None


@dataclass(frozen=True)
class Snapshot:
    """One published state of the metric store."""

    snapshot_id: int
    published_at: datetime
    tables: dict[str, TableState]
    admission_seq: int
    checks: dict[str, int]
    definition_version: str
    fingerprint: str


@dataclass(frozen=True)
class NewSnapshot:
    """A snapshot that is about to be published."""

    tables: dict[str, TableState]
    admission_seq: int
    checks: dict[str, int] = field(default_factory=dict)
    definition_version: str = ""
    fingerprint: str = ""


_COLUMNS = ", ".join(Snapshot.__dataclass_fields__)


def latest_snapshot(connection: sa.Connection) -> Snapshot | None:
    """The snapshot that is served now; None when nothing was published yet."""
    found = connection.execute(
        sa.text(f"select {_COLUMNS} from ops.snapshots order by snapshot_id desc limit 1")
    ).mappings()
    return next((_snapshot(row) for row in found), None)


def kept_snapshots(connection: sa.Connection, retention_hours: int) -> list[Snapshot]:
    """The served snapshot and those it or another has superseded within the retention."""
    found = connection.execute(
        sa.text(
            f"select {_COLUMNS} from (select *,"
            " lead(published_at) over (order by snapshot_id) as superseded_at from ops.snapshots) as snapshot"
            " where superseded_at is null or withdrawn_at is null"
            " and superseded_at > now() - make_interval(hours => :hours)"
            " order by snapshot_id"
        ),
        {"hours": retention_hours},
    ).mappings()
    return [_snapshot(row) for row in found]


def kept_snapshot(connection: sa.Connection, snapshot_id: int, retention_hours: int) -> Snapshot | None:
    """One of them by its number; None when it is none of them."""
    found = connection.execute(
        sa.text(
            f"select {_COLUMNS} from ops.snapshots as snapshot where snapshot_id = :snapshot_id"
            " and withdrawn_at is null and coalesce("
            " (select min(later.published_at) from ops.snapshots as later where later.snapshot_id > :snapshot_id)"
            " > now() - make_interval(hours => :hours), true)"
        ),
        {"snapshot_id": snapshot_id, "hours": retention_hours},
    ).mappings()
    return next((_snapshot(row) for row in found), None)


def withdraw_before(connection: sa.Connection, snapshot_id: int) -> None:
    """Answer from no earlier snapshot any more, whatever the retention says."""
    connection.execute(
        sa.text(
            "update ops.snapshots set withdrawn_at = now() where snapshot_id < :snapshot_id and withdrawn_at is null"
        ),
        {"snapshot_id": snapshot_id},
    )


def withdrawn_up_to(connection: sa.Connection) -> int:
    """The newest snapshot that was withdrawn; every earlier one was, too. 0 for none."""
    found: int = connection.execute(
        sa.text("select coalesce(max(snapshot_id), 0) from ops.snapshots where withdrawn_at is not null")
    ).scalar_one()
    return found


def insert_snapshot(connection: sa.Connection, new: NewSnapshot) -> Snapshot:
    """Write the row; with the commit of the caller's transaction it is what readers get."""
    statement = sa.text(
        "insert into ops.snapshots"
        " (published_at, tables, admission_seq, checks, definition_version, fingerprint)"
        " values (clock_timestamp(), :tables, :admission_seq, :checks, :definition_version, :fingerprint)"
        f" returning {_COLUMNS}"
    ).bindparams(sa.bindparam("tables", type_=sa.JSON), sa.bindparam("checks", type_=sa.JSON))
    return _snapshot(connection.execute(statement, asdict(new)).mappings().one())


def _snapshot(row: sa.RowMapping) -> Snapshot:
    tables = {name: TableState(**state) for name, state in row["tables"].items()}
    return Snapshot(**{**row, "tables": tables})
