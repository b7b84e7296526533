"""Publishes the marts: every table becomes a Delta table, one row names the versions that belong together.

Readers follow `ops.snapshots` and nothing else, so what a crash leaves behind in the store is seen by nobody.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from serving.definitions import Definitions, read_definitions, read_lineage
from serving.delta import MartTable, changed_files, store_errors, vacuum
from serving.mart_reader import MartReader, open_marts
from serving.marts import Mart
from serving.snapshots import (
    NewSnapshot,
    Snapshot,
    TableState,
    insert_snapshot,
    kept_snapshots,
    latest_snapshot,
    withdraw_before,
)
from serving.store_files import ensure_folder, save_definitions, table_url
from warehouse.database import Warehouse
from warehouse.doors.limits import end_lock_holders
from warehouse.errors import DataInsightError
from warehouse.ledger import newest_admission
from warehouse.settings import Settings

_log = logging.getLogger(__name__)

# Any constant does, as long as every process of the platform uses the same one.
_PUBLISH_LOCK = 0x5075626C  # "Publ"


@dataclass(frozen=True)
class PublishedSnapshot:
    """What a publication ended with.

    Attributes:
        published: False when nothing had changed and the last snapshot stays.
        rewritten: The partitions that were written, by table; tables without any are left out.
    """

    snapshot_id: int
    published_at: datetime
    published: bool
    tables: dict[str, TableState]
    rewritten: dict[str, list[str]]
    admission_seq: int
    definition_version: str
    fingerprint: str


def publish(
    warehouse: Warehouse,
    settings: Settings,
    *,
    semantic_manifest: Path,
    fingerprint: str,
    checks: dict[str, int],
    admission_seq: int | None = None,
    anew: bool = False,
) -> PublishedSnapshot:
    """Publish the marts as they are now, writing only the partitions that changed.

    Two publications at once wait for each other.

    Args:
        warehouse: Where the marts are.
        settings: Where the metric store is and how long old versions stay.
        semantic_manifest: dbt's `semantic_manifest.json`; the lineage is read from `manifest.json` beside it.
        fingerprint: Names the build; another one publishes a snapshot even when no row differs.
        checks: How many of the build's checks `passed`, `warned` and `failed`.
        admission_seq: The newest admission the marts were built from; None: the newest of the ledger.
        anew: Publish a snapshot even when nothing differs from the last one, and withdraw all before it at the same
            moment, so that no server sees the one without the other. Their files stay until `delete_withdrawn`.

    Raises:
        DataInsightError: The marts cannot be read or the store cannot be written; the last snapshot stays.
    """
    definitions = read_definitions(semantic_manifest)
    lineage = read_lineage(semantic_manifest.with_name("manifest.json"))
    with warehouse.engine().begin() as connection:
        end_lock_holders(connection)
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _PUBLISH_LOCK})
        last = latest_snapshot(connection)
        seen = newest_admission(connection) if admission_seq is None else admission_seq
        with store_errors(settings.metric_store_url):
            ensure_folder(settings.metric_store_url)
            tables, rewritten = _write_tables(warehouse, settings, definitions, last, lineage)
            new = NewSnapshot(tables, seen, checks, definitions.version, fingerprint)
            save_definitions(settings.metric_store_url, definitions)
        if last is not None and not anew and not rewritten and _is_served(last, new):
            return _published(last, published=False, rewritten={})
        snapshot = insert_snapshot(connection, new)
        if anew:
            withdraw_before(connection, snapshot.snapshot_id)
    if anew:
        # Statements that run read what was withdrawn to their end: its files are deleted by another call, after that.
        return _published(snapshot, published=True, rewritten=rewritten)
    try:
        _vacuum(warehouse, settings, settings.snapshot_retention_hours)
    except (DataInsightError, sa.exc.SQLAlchemyError) as error:
        # The snapshot is served: what could not be deleted takes space until the next publication tries again.
        _log.warning("snapshot %s is published, but old versions were not deleted: %s", snapshot.snapshot_id, error)
    return _published(snapshot, published=True, rewritten=rewritten)


def _write_tables(
    warehouse: Warehouse,
    settings: Settings,
    definitions: Definitions,
    last: Snapshot | None,
    lineage: dict[str, list[str]],
) -> tuple[dict[str, TableState], dict[str, list[str]]]:
    """Bring every table of the store to what its mart holds now."""
    tables: dict[str, TableState] = {}
    rewritten: dict[str, list[str]] = {}
    with open_marts(warehouse) as reader:
        for mart in reader.marts(definitions.time_columns):
            table = MartTable(
                table_url(settings.metric_store_url, mart.name),
                mart.schema,
                partitioned=mart.time_column is not None,
            )
            before = None if last is None else last.tables.get(mart.name)
            held = reader.fingerprints(mart, before.partitions if before else {}, before.storage if before else None)
            version, written = _write_table(
                reader, mart, table, held, before, retention_hours=settings.snapshot_retention_hours
            )
            if written:
                rewritten[mart.name] = written
            tables[mart.name] = TableState(
                version=version,
                rows=sum(int(found.partition(":")[0]) for found in held.values()),
                partitions=held,
                storage=mart.storage,
                time_column=mart.time_column,
                sources=lineage.get(mart.name),
            )
    return tables, rewritten


def _write_table(
    reader: MartReader,
    mart: Mart,
    table: MartTable,
    held: dict[str, str],
    before: TableState | None,
    *,
    retention_hours: int,
) -> tuple[int, list[str]]:
    """Replace the partitions that are not what the last snapshot serves; returns the version and their names.

    The newest version may be one that a crash left without a snapshot: wherever it differs from the version
    the last snapshot names, it is not trusted and written again.
    """
    now = table.files()
    clean: set[str] = set()
    if before is not None and table.has_schema and before.time_column == mart.time_column:
        untrusted = changed_files(now, table.files(before.version))
        clean = {name for name in held if before.partitions.get(name) == held[name]} - untrusted
        if clean == held.keys() == now.keys() or (not held and not now):
            return before.version, []
    stale = held.keys() - clean
    gone = [file for name, files in now.items() if name not in clean for file in files]
    version = table.replace(reader.stream(mart, stale) if stale else (), gone, retention_hours)
    return version, sorted(stale | (now.keys() - held.keys()))


def _is_served(last: Snapshot, new: NewSnapshot) -> bool:
    """Whether the last snapshot already says all of this, wherever PostgreSQL stores the tables."""
    return (
        last.fingerprint == new.fingerprint
        and last.definition_version == new.definition_version
        and {name: (state.version, state.partitions) for name, state in last.tables.items()}
        == {name: (state.version, state.partitions) for name, state in new.tables.items()}
    )


def delete_withdrawn(warehouse: Warehouse, settings: Settings) -> None:
    """Delete at once the files that only withdrawn snapshots name; whoever still reads them is told to ask again.

    Raises:
        DataInsightError: The store cannot be written.
    """
    _vacuum(warehouse, settings, 0)


def _vacuum(warehouse: Warehouse, settings: Settings, hours: int) -> None:
    """Delete the files of versions that are older than that, and that no kept snapshot names."""
    with warehouse.engine().begin() as connection:
        end_lock_holders(connection)
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _PUBLISH_LOCK})
        kept = kept_snapshots(connection, settings.snapshot_retention_hours)
        with store_errors(settings.metric_store_url):
            for name in kept[-1].tables:
                versions = sorted({old.tables[name].version for old in kept if name in old.tables})
                vacuum(table_url(settings.metric_store_url, name), hours, versions)


def _published(snapshot: Snapshot, *, published: bool, rewritten: dict[str, list[str]]) -> PublishedSnapshot:
    return PublishedSnapshot(
        snapshot_id=snapshot.snapshot_id,
        published_at=snapshot.published_at,
        published=published,
        tables=snapshot.tables,
        rewritten=rewritten,
        admission_seq=snapshot.admission_seq,
        definition_version=snapshot.definition_version,
        fingerprint=snapshot.fingerprint,
    )
