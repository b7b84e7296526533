"""One mart as a Delta table: its files by partition, and how partitions are replaced in one commit."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serving.marts import NO_MONTH, PARTITION_COLUMN, WHOLE
from serving.parquet import write_partitions
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

# Delta may forget versions after its log retention; ours must outlive every snapshot that is kept.
_LOG_RETENTION_MARGIN_HOURS = 24 * 30


@dataclass(frozen=True)
class StoredFile:
    """A data file of one version: its path under the table's folder, its partition and its size."""

    path: str
    partition: str
    size_bytes: int


@contextmanager
def store_errors(url: str) -> Iterator[None]:
    """Turn what goes wrong with files and Delta logs into one line.

    Raises:
        DataInsightError: The store cannot be written or read.
    """
    import duckdb
    import pyarrow as pa
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (OSError, DeltaError, pa.ArrowException, duckdb.Error) as error:
        raise DataInsightError(
            f"the metric store {url} cannot be used: {' '.join(str(error).split())}",
            hint="free some space or correct DATAINSIGHT_METRIC_STORE; the last snapshot is still served",
        ) from error


class MartTable:
    """The Delta table of one mart.

    Args:
        url: Its folder or object store URL.
        schema: Columns of its files.
        partitioned: Whether it is split by month.
    """

    def __init__(self, url: str, schema: "pa.Schema", *, partitioned: bool) -> None:
        from deltalake import DeltaTable

        self.url = url
        self._schema = schema
        self._partitioned = partitioned
        self._table: DeltaTable | None = DeltaTable(url) if DeltaTable.is_deltatable(url) else None

    @property
    def version(self) -> int | None:
        """The newest version, whether a snapshot names it or not; None when there is no table yet."""
        return None if self._table is None else self._table.version()

    @property
    def has_schema(self) -> bool:
        """Whether the newest version has exactly the wanted columns and partitioning."""
        from deltalake import Schema

        if self._table is None:
            return False
        wanted = Schema.from_arrow(self._delta_schema)
        partitioned = self._table.metadata().partition_columns
        return self._table.schema().to_json() == wanted.to_json() and partitioned == self._partition_by

    def files(self, version: int | None = None) -> dict[str, set[StoredFile]]:
        """The files of a version by partition; nothing when that version cannot be read any more."""
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        table = self._table
        if table is not None and version is not None and version != table.version():
            try:
                table = DeltaTable(self.url, version=version)
            except DeltaError:
                return {}
        found: dict[str, set[StoredFile]] = {}
        for file in () if table is None else files_of(table):
            found.setdefault(file.partition, set()).add(file)
        return found

    def replace(
        self, rows: "Iterable[tuple[str, pa.RecordBatch]]", gone: Iterable[StoredFile], retention_hours: int
    ) -> int:
        """Write partitions and drop the files they replace, in one commit.

        Args:
            rows: Batches of the new partitions, one partition after the other.
            gone: Files of the newest version that no longer belong to it.
            retention_hours: For how long a version must stay readable.

        Returns:
            The new version.
        """
        from deltalake import DeltaTable
        from deltalake.transaction import AddAction, RemoveAction

        if self._table is None:
            log_hours = retention_hours + _LOG_RETENTION_MARGIN_HOURS
            self._table = DeltaTable.create(
                self.url,
                schema=self._delta_schema,
                partition_by=self._partition_by,
                configuration={"delta.logRetentionDuration": f"interval {log_hours} hours"},
            )
        added = [
            AddAction(
                path=file.path,
                size=file.size_bytes,
                partition_values=self._values(partition),
                modification_time=int(time.time() * 1000),
                data_change=True,
                stats=json.dumps({"numRecords": file.row_count}),
            )
            for partition, file in write_partitions(self.url, self._schema, self._folder, rows)
        ]
        now = int(time.time() * 1000)
        removed = [
            RemoveAction(
                path=file.path,
                data_change=True,
                deletion_timestamp=now,
                size=file.size_bytes,
                partition_values=self._values(file.partition),
            )
            for file in gone
        ]
        # An overwrite takes the new schema and removes every file by itself.
        same = self.has_schema
        self._table.create_write_transaction(
            [*added, *(removed if same else [])],
            mode="append" if same else "overwrite",
            schema=self._delta_schema,
            partition_by=self._partition_by,
        )
        self._table = DeltaTable(self.url)
        return self._table.version()

    @property
    def _partition_by(self) -> list[str]:
        return [PARTITION_COLUMN] if self._partitioned else []

    @property
    def _delta_schema(self) -> "pa.Schema":
        import pyarrow as pa

        partition = [pa.field(PARTITION_COLUMN, pa.string())] if self._partitioned else []
        return pa.schema([*self._schema, *partition])

    def _folder(self, partition: str) -> str:
        return f"{PARTITION_COLUMN}={partition}/" if self._partitioned else ""

    def _values(self, partition: str) -> dict[str, str | None]:
        return {PARTITION_COLUMN: None if partition == NO_MONTH else partition} if self._partitioned else {}


def files_of(table: "DeltaTable") -> list[StoredFile]:
    """The data files of an opened version."""
    import pyarrow as pa

    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    column = f"partition.{PARTITION_COLUMN}"
    return [
        StoredFile(
            path=action["path"],
            partition=(action[column] or NO_MONTH) if column in action else WHOLE,
            size_bytes=action["size_bytes"],
        )
        for action in actions
    ]


def changed_files(now: Mapping[str, set[StoredFile]], served: Mapping[str, set[StoredFile]]) -> set[str]:
    """The partitions in which two versions differ."""
    return {name for name in now.keys() | served.keys() if now.get(name) != served.get(name)}


def vacuum(url: str, retention_hours: int, keep_versions: list[int]) -> int:
    """Delete a table's files that are older than the retention and in no kept version; returns how many."""
    from deltalake import DeltaTable

    table = DeltaTable(url)
    options: dict[str, Any] = {
        "retention_hours": retention_hours,
        "enforce_retention_duration": False,
        "full": True,
        "keep_versions": [version for version in keep_versions if version <= table.version()],
    }
    # A vacuum writes two versions of its own, so it is only done when there is something to delete.
    doomed = table.vacuum(dry_run=True, **options)
    return len(table.vacuum(dry_run=False, **options)) if doomed else 0
