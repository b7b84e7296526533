"""Landing: what is new in a source, appended to raw in one load, and what happened written into the ledger."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from connectors.extraction.request import Progress, Request
from connectors.extraction.spool import Portion, Spool
from connectors.landing.append import TableLoad, append
from connectors.landing.deletions import append_deletions
from connectors.landing.drift import raw_columns, refuse_changed_types
from connectors.landing.extracted import ExtractedTable
from connectors.landing.recording import landings
from connectors.landing.turn import reachable, turn
from connectors.secrets import redacted_json, redacting, secret_texts
from connectors.source import SourceConfig
from warehouse.database import LOADER, Warehouse
from warehouse.errors import DataInsightError
from warehouse.ledger import Landing, loads_that_count, record_landing, table_histories

if TYPE_CHECKING:
    import pyarrow as pa


def land(
    source: SourceConfig,
    warehouse: Warehouse,
    home: Path,
    *,
    full_refresh: bool = False,
    say: Callable[[str], None] | None = None,
) -> list[int]:
    """Land what is new in `source`.

    Two processes that land the same source take turns. A load that is killed, or fails, leaves rows in raw
    that no batch of the ledger names: nobody reads them, and the next call extracts the same again.

    Args:
        source: What to land.
        warehouse: Where to.
        home: The platform's home folder; scratch files live under it for the length of the call.
        full_refresh: Land everything again, whether it has landed before or not.
        say: Told a line now and then: rows, rate, time left, what a source says of itself.

    Returns:
        Ids of the batches recorded: one for each table with something new, one for each part of it refused.

    Raises:
        DataInsightError: Nothing was recorded; the message says why.
    """
    progress = Progress(say) if say else Progress()
    with redacting(source), reachable(warehouse), turn(warehouse, source.name) as holder:
        source.prepare()
        scratch = scratch_of(source.name, warehouse, home)
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            scratch.mkdir(parents=True)
            tables = _extract(source, warehouse, home, scratch, progress, full_refresh=full_refresh)
            load_id = _append(source, [table for table in tables if table.sound], warehouse, home, progress)
            return _record(source, tables, load_id, holder)
        except FileNotFoundError as error:
            if str(scratch) not in str(error):
                raise
            raise DataInsightError(
                f"the rows that source {source.name} gave were removed from {scratch} before they were loaded",
                hint="nothing of this load counts; run again, and keep other programs out of that folder",
            ) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def scratch_of(name: str, warehouse: Warehouse, home: Path) -> Path:
    """Where the rows of a source wait while it lands.

    The name tells databases apart, too: a home may serve several, and the turn is one database's.
    """
    url = warehouse.url_object
    place = hashlib.sha256(f"{url.host}:{url.port}/{url.database}".encode()).hexdigest()[:8]
    return home / "landing" / f"{name}-{place}"


def _extract(
    source: SourceConfig, warehouse: Warehouse, home: Path, scratch: Path, progress: Progress, *, full_refresh: bool
) -> list[ExtractedTable]:
    """The tables that have something new; portions that do not fit raw are refused."""
    with warehouse.engine().connect() as connection:
        histories = table_histories(connection, source.name)
    states = {name: history.state for name, history in histories.items() if history.state is not None}
    spool = Spool(scratch / "spool", progress)
    kind_scratch = scratch / "kind"
    kind_scratch.mkdir()
    source.extract(Request(warehouse, home, kind_scratch, full_refresh, progress, states), spool)
    by_table: dict[str, list[Portion]] = {}
    for portion in spool.portions:
        by_table.setdefault(portion.table, []).append(portion)
    tables = []
    with warehouse.engine().connect() as connection:
        for name, portions in by_table.items():
            known = raw_columns(connection, source.schema_name, name)
            refuse_changed_types(portions, known)
            tables.append(ExtractedTable(name, portions, known, histories.get(name)))
    return [table for table in tables if table.says_something_new(full_refresh=full_refresh)]


def _append(
    source: SourceConfig, tables: list[ExtractedTable], warehouse: Warehouse, home: Path, progress: Progress
) -> str | None:
    if not tables:
        return None
    started = time.monotonic()
    loads = [_counted(table.load, progress) for table in tables]
    load_id = append(source.name, loads, url=warehouse.url(LOADER), home=home)
    seconds = time.monotonic() - started
    total = sum(table.load.row_count for table in tables)
    for table in tables:
        table.append_seconds = seconds * (table.load.row_count / total if total else 1 / len(tables))
        _find_deletions(source, table, warehouse, load_id)
    return load_id


def _counted(load: TableLoad, progress: Progress) -> TableLoad:
    """The load, whose rows are told as they go into the warehouse."""
    stage = f"{load.name} into the warehouse"
    progress.expect(stage, rows=load.row_count)

    def batches() -> Iterator["pa.RecordBatch"]:
        for batch in load.batches():
            progress.add(stage, batch.num_rows)
            yield batch

    return replace(load, batches=batches)


def _find_deletions(source: SourceConfig, table: ExtractedTable, warehouse: Warehouse, load_id: str) -> None:
    if not (table.key and table.is_complete and table.history) or table.unreadable_count:
        return  # What was set aside may be the very rows that would seem to be gone.
    with warehouse.engine().connect() as connection:
        earlier = loads_that_count(connection, source.name, table.name)
    table.deleted_count = append_deletions(
        warehouse,
        (source.schema_name, table.name),
        key=table.key,
        load_id=load_id,
        earlier=earlier,
        rows_before=table.rows + table.unreadable_count,
    )


def _record(
    source: SourceConfig, tables: list[ExtractedTable], load_id: str | None, holder: sa.Connection
) -> list[int]:
    """Write the ledger through the connection that holds the turn: if the turn is lost, this fails."""
    secrets = secret_texts(source)
    with holder.begin():
        return [
            record_landing(holder, _without_secrets(landing, secrets))
            for table in tables
            for landing in landings(source.name, table, load_id)
        ]


def _without_secrets(landing: Landing, secrets: set[str]) -> Landing:
    """The entry with nothing in it that the settings hold back: a query may have a variable in it."""
    checks = [{**check, "detail": redacted_json(check.get("detail"), secrets)} for check in landing.checks]
    return replace(landing, origin=redacted_json(landing.origin, secrets), checks=checks)
