"""The batch ledger: what was landed, when, from which files, and what was decided about it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.errors import DataInsightError
from warehouse.portions import ALL, Portion


@dataclass(frozen=True)
class LandedFile:
    """One file of a batch, as it was when it was read.

    Attributes:
        path: Absolute path or URL.
        row_count: Its input rows, lines that could not be read included.
        first_row_number: `_row_number` of its first row in raw; None when none of it is there.
        columns: Column names as they are in raw.
    """

    path: str
    size_bytes: int
    modified_at: datetime
    content_hash: str
    row_count: int
    first_row_number: int | None
    columns: list[str]


@dataclass(frozen=True)
class Landing:
    """What a load brought to one table, ready to be written into the ledger.

    Attributes:
        load_id: dlt's load id; None when nothing could be landed.
        status: `landed`, or `refused` for files that cannot be read as this table at all.
        row_count: All input rows, `unreadable` ones included.
        unreadable: By row id, payload and rule of each line or record that could not be read.
        checks: Reasons, for a batch that is refused at landing; warnings, for one whose columns changed.
        origin: Where the rows came from, as JSON; see `ops.batches`.
        columns: Every column with its type in raw.
        state: Where the next extraction starts.
    """

    source: str
    table_name: str
    load_id: str | None
    row_count: int
    schema_version: str | None
    key_columns: list[str]
    files: list[LandedFile]
    status: str = "landed"
    unreadable: dict[int, tuple[Mapping[str, Any], str]] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    origin: list[dict[str, Any]] = field(default_factory=list)
    size_bytes: int | None = None
    seconds: float | None = None
    columns: dict[str, str] = field(default_factory=dict)
    content_hash: str | None = None
    is_complete: bool = False
    is_changelog: bool = False
    deleted_count: int = 0
    state: dict[str, Any] | None = None


@dataclass(frozen=True)
class Batch:
    """A row of `ops.batches`."""

    batch_id: int
    source: str
    table_name: str
    load_id: str | None
    landed_at: datetime
    row_count: int
    quarantined_count: int
    status: str
    checks: list[dict[str, Any]]
    schema_version: str | None
    key_columns: list[str]
    admission_seq: int | None
    columns: dict[str, str]
    origin: list[dict[str, Any]]
    size_bytes: int | None
    seconds: float | None
    is_complete: bool
    is_changelog: bool
    deleted_count: int
    pruned_count: int

    @property
    def name(self) -> str:
        """`source.table`, as users write it."""
        return f"{self.source}.{self.table_name}"

    def to_dict(self) -> dict[str, Any]:
        """The row with the ledger's column names, ready for JSON."""
        return {**asdict(self), "landed_at": self.landed_at.isoformat()}


_JSON = ("checks", "origin", "columns", "state")
_BATCH_COLUMNS = ", ".join(f"batch.{name}" for name in Batch.__dataclass_fields__)


def record_landing(connection: sa.Connection, landing: Landing) -> int:
    """Write one landing: the batch, its files and its unreadable lines; the caller's transaction makes it count.

    Returns:
        The new batch's id.
    """
    names = [name for name in Landing.__dataclass_fields__ if name not in {"files", "unreadable"}]
    batch_id: int = connection.execute(
        sa.text(
            f"insert into ops.batches ({', '.join(names)}, quarantined_count)"
            f" values ({', '.join(f':{name}' for name in names)}, :quarantined_count) returning batch_id"
        ).bindparams(*(sa.bindparam(name, type_=JSONB(none_as_null=True)) for name in _JSON)),
        {name: getattr(landing, name) for name in names} | {"quarantined_count": len(landing.unreadable)},
    ).scalar_one()
    if landing.files:
        connection.execute(
            sa.text(
                "insert into ops.files (batch_id, path, size_bytes, modified_at, content_hash, row_count,"
                " first_row_number, columns) values (:batch_id, :path, :size_bytes, :modified_at, :content_hash,"
                " :row_count, :first_row_number, :columns)"
            ),
            [{"batch_id": batch_id, **asdict(file)} for file in landing.files],
        )
    if landing.unreadable:
        connection.execute(
            sa.text(
                "insert into ops.quarantine (batch_id, row_id, payload, failed_rules)"
                " values (:batch_id, :row_id, :payload, array[:rule])"
            ).bindparams(sa.bindparam("payload", type_=JSONB)),
            [
                {"batch_id": batch_id, "row_id": row_id, "payload": dict(payload), "rule": rule}
                for row_id, (payload, rule) in landing.unreadable.items()
            ],
        )
    return batch_id


@dataclass(frozen=True)
class TableHistory:
    """What earlier batches of a table leave for the next one.

    Attributes:
        columns: Of the newest batch that was not refused; None when there is none.
        had_rows: Whether that batch had any.
        state: Of the newest batch that was not refused and left one.
        content_hash: Of the newest batch, when landing the same content again would change nothing.
        refused_version: `schema_version` of the newest batch, if it was refused at landing.
    """

    columns: dict[str, str] | None
    had_rows: bool | None
    state: dict[str, Any] | None
    content_hash: str | None
    refused_version: str | None


def table_histories(connection: sa.Connection, source: str) -> dict[str, TableHistory]:
    """The history of every table of `source` that has one."""
    rows = connection.execute(
        sa.text(
            "select newest.table_name, kept.columns, kept.row_count > 0 as had_rows, left_over.state,"
            " case when newest.is_complete or newest.is_changelog or newest.status = 'refused'"
            " then newest.content_hash end as content_hash,"
            " case when newest.status = 'refused' and newest.load_id is null then newest.schema_version end"
            " as refused_version"
            " from (select distinct on (table_name) * from ops.batches where source = :source"
            " order by table_name, batch_id desc) as newest"
            " left join lateral (select columns, row_count from ops.batches where source = :source"
            " and table_name = newest.table_name and status <> 'refused'"
            " order by batch_id desc limit 1) as kept on true"
            " left join lateral (select state from ops.batches where source = :source"
            " and table_name = newest.table_name and status <> 'refused' and state is not null"
            " order by batch_id desc limit 1) as left_over on true"
        ),
        {"source": source},
    )
    return {
        row["table_name"]: TableHistory(**{name: row[name] for name in TableHistory.__dataclass_fields__})
        for row in rows.mappings()
    }


def loads_that_count(connection: sa.Connection, source: str, table: str) -> list[str]:
    """Load ids of the table's batches that were not refused, oldest first."""
    rows = connection.execute(
        sa.text(
            "select load_id from ops.batches where source = :source and table_name = :name"
            " and status <> 'refused' and load_id is not null order by batch_id"
        ),
        {"source": source, "name": table},
    )
    return list(rows.scalars())


def list_batches(
    connection: sa.Connection,
    *,
    source: str | None = None,
    status: str | None = None,
    batch_ids: Sequence[int] | None = None,
    portion: Portion = ALL,
) -> list[Batch]:
    """Batches, newest first, narrowed by whatever is given."""
    wanted = {"source": source, "status": status}
    where = [f"batch.{name} = :{name}" for name, value in wanted.items() if value is not None]
    if batch_ids is not None:
        where.append("batch.batch_id = any(:batch_ids)")
    rows = portion.rows(
        connection,
        f"select {_BATCH_COLUMNS} from ops.batches as batch" + (f" where {' and '.join(where)}" if where else ""),
        {**wanted, "batch_ids": list(batch_ids or ())},
        by=("batch_id",),
        is_descending=True,
    )
    return [Batch(**row) for row in rows]


def get_batch(connection: sa.Connection, batch_id: int) -> Batch:
    """One batch.

    Raises:
        DataInsightError: There is no such batch.
    """
    found = list_batches(connection, batch_ids=[batch_id])
    if not found:
        raise DataInsightError(f"there is no batch {batch_id}", hint="`datainsight batches list` shows them")
    return found[0]


def files_of(connection: sa.Connection, batch_id: int) -> list[dict[str, Any]]:
    """The files that a batch stands on, in the order they were read."""
    rows = connection.execute(
        sa.text(
            "select path, size_bytes, modified_at, content_hash, row_count, first_row_number, columns"
            " from ops.files where batch_id = :batch_id order by file_id"
        ),
        {"batch_id": batch_id},
    )
    return [{**row, "modified_at": row["modified_at"].isoformat()} for row in rows.mappings()]


def newest_admission(connection: sa.Connection) -> int:
    """The highest `admission_seq` so far; 0 when nothing was ever admitted."""
    return int(connection.execute(sa.text("select coalesce(max(admission_seq), 0) from ops.batches")).scalar_one())
