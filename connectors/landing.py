"""Landing: every new file of a source appended to raw in one load, and what happened written into the ledger."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from connectors.append import FrozenTypeError, TableLoad, append
from connectors.files_kind import FilesSource, FileTable
from connectors.listing import NewFile, new_files
from connectors.merge import changed_type, merged_batches, merged_schema
from connectors.source import SourceConfig
from connectors.spool import RefusedFile, SpooledFile, spool
from warehouse.database import LOADER, Warehouse, quote_identifier
from warehouse.errors import DataInsightError
from warehouse.ledger import LandedFile, Landing, record_landing


@dataclass
class _TableRead:
    """A table with its new files, read."""

    name: str
    config: FileTable
    spooled: list[SpooledFile]
    refused: list[RefusedFile]

    @property
    def load(self) -> TableLoad:
        schema = merged_schema(self.name, self.spooled)
        return TableLoad(
            name=self.name,
            schema=schema,
            row_count=sum(file.rows for file in self.spooled),
            batches=lambda: merged_batches(self.spooled, schema),
            key_columns=self.config.key_columns,
        )


def land(source: SourceConfig, warehouse: Warehouse, home: Path, *, full_refresh: bool = False) -> list[int]:
    """Land every file of `source` that has not landed before.

    Two processes that land the same source take turns. A load that is killed, or fails, leaves rows in raw
    that no batch of the ledger names: nobody reads them, and the next call lands the files again.

    Args:
        source: What to land.
        warehouse: Where to.
        home: The platform's home folder; scratch files live under it for the length of the call.
        full_refresh: Land every file again, whether it has landed before or not.

    Returns:
        Ids of the batches recorded: one for each table with rows, one for each file refused.

    Raises:
        DataInsightError: Nothing was recorded; the message says why.
    """
    if not isinstance(source, FilesSource):
        raise DataInsightError(f"source {source.name}: the kind {source.kind} does not land files")
    with _reachable(warehouse), _turn(warehouse, source.name):
        source.prepare()
        found = _new_files(source, warehouse, full_refresh=full_refresh)
        if not any(found.values()):
            return []
        scratch = home / "landing" / source.name
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            read = [_read(name, source.tables[name], files, scratch / name) for name, files in found.items() if files]
            loaded = [table for table in read if table.spooled]
            load_id = _append(source, loaded, warehouse, home) if loaded else None
            return _record(source, read, load_id, warehouse)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _new_files(source: FilesSource, warehouse: Warehouse, *, full_refresh: bool) -> dict[str, list[NewFile]]:
    with warehouse.engine().connect() as connection:
        return {
            name: new_files(connection, source.name, name, table, full_refresh=full_refresh)
            for name, table in source.tables.items()
        }


def _read(name: str, table: FileTable, files: list[NewFile], scratch: Path) -> _TableRead:
    read = _TableRead(name, table, [], [])
    for number, file in enumerate(files):
        match spool(file, table, scratch / str(number)):
            case SpooledFile() as spooled:
                read.spooled.append(spooled)
            case RefusedFile() as refused:
                read.refused.append(refused)
    return read


def _append(source: FilesSource, tables: list[_TableRead], warehouse: Warehouse, home: Path) -> str:
    try:
        load_id = append(source.name, [table.load for table in tables], url=warehouse.url(LOADER), home=home)
    except FrozenTypeError as error:
        spooled = next(table.spooled for table in tables if table.name == error.table)
        raise changed_type(error, spooled) from error
    for table in tables:
        _index_load_ids(warehouse, source.schema_name, table.name)
    return load_id


def _index_load_ids(warehouse: Warehouse, schema: str, table: str) -> None:
    """Let a batch be found without reading the table: rows of a load lie together, so a BRIN index does.

    Whether the index is there is asked first, because even CREATE INDEX IF NOT EXISTS waits a second for
    an autovacuum of the table to give way. New pages are summarized by autovacuum.
    """
    index = f"{table[:45]}_{hashlib.sha256(table.encode()).hexdigest()[:8]}_load"
    with warehouse.engine(LOADER).begin() as connection:
        there: bool = connection.execute(
            sa.text("select exists (select from pg_indexes where schemaname = :schema and indexname = :index)"),
            {"schema": schema, "index": index},
        ).scalar_one()
        if not there:
            connection.execute(
                sa.text(
                    f"create index {quote_identifier(index)} on {quote_identifier(schema)}.{quote_identifier(table)}"
                    " using brin (_dlt_load_id) with (autosummarize = on)"
                )
            )


def _record(source: FilesSource, read: list[_TableRead], load_id: str | None, warehouse: Warehouse) -> list[int]:
    with warehouse.engine().begin() as connection:
        return [
            record_landing(connection, landing)
            for table in read
            for landing in (*_landed(source, table, load_id), *_refused(source, table))
        ]


def _landed(source: FilesSource, table: _TableRead, load_id: str | None) -> Iterator[Landing]:
    if not table.spooled:
        return
    files, unreadable, next_row = [], [], 1
    for spooled in table.spooled:
        first = next_row if spooled.rows else None
        next_row += spooled.rows
        files.append(_ledger_file(spooled.file, spooled.rows + len(spooled.unreadable), first, spooled.columns))
        unreadable += [
            {"file": str(spooled.file.path), "line": line.line, "text": line.text, "reason": line.reason}
            for line in spooled.unreadable
        ]
    types = ",".join(f"{field.name}:{field.type}" for field in table.load.schema)
    yield Landing(
        source=source.name,
        table_name=table.name,
        load_id=load_id,
        row_count=next_row - 1 + len(unreadable),
        schema_version=hashlib.sha256(types.encode()).hexdigest()[:12],
        key_columns=table.config.key_columns,
        files=files,
        unreadable=dict(enumerate(unreadable, start=next_row)),
    )


def _refused(source: FilesSource, table: _TableRead) -> Iterator[Landing]:
    for refused in table.refused:
        yield Landing(
            source=source.name,
            table_name=table.name,
            load_id=None,
            row_count=refused.row_count,
            schema_version=table.config.reading_version,
            key_columns=table.config.key_columns,
            files=[_ledger_file(refused.file, refused.row_count, None, refused.columns)],
            status="refused",
            checks=[
                {
                    "name": "readable_file",
                    "description": "Every file can be read as the table it belongs to.",
                    "severity": "batch",
                    "owner": "data engineering",
                    "status": "failed",
                    "failed_rows": refused.row_count,
                    "detail": f"{refused.file.path.name}: {refused.reason}",
                }
            ],
        )


def _ledger_file(file: NewFile, row_count: int, first_row: int | None, columns: list[str]) -> LandedFile:
    return LandedFile(
        path=str(file.path),
        size_bytes=file.size_bytes,
        modified_at=file.modified_at,
        content_hash=file.content_hash,
        row_count=row_count,
        first_row_number=first_row,
        columns=columns,
    )


@contextmanager
def _turn(warehouse: Warehouse, source: str) -> Iterator[None]:
    """Hold the right to land `source`; PostgreSQL gives it back by itself when this process dies."""
    lock = {"name": f"connectors.landing.{source}"}
    engine = warehouse.engine().execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("select pg_advisory_lock(hashtextextended(:name, 0))"), lock)
        try:
            yield
        finally:
            connection.execute(sa.text("select pg_advisory_unlock(hashtextextended(:name, 0))"), lock)


@contextmanager
def _reachable(warehouse: Warehouse) -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        where = warehouse.url_object.render_as_string(hide_password=True).replace("+psycopg2", "")
        reason = str(error.orig).strip().splitlines()[0]
        what = "cannot be reached" if error.statement is None else "failed"
        raise DataInsightError(
            f"the database {where} {what}: {reason}",
            hint="is the server up? Nothing is lost: the files are landed by the next run",
        ) from error
