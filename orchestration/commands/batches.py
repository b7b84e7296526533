"""`datainsight batches`: the ledger of what was landed."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from connectors.config import find_source, load_sources
from orchestration.commands.output import AsJson, print_json, print_table, screen
from warehouse.connect import open_warehouse
from warehouse.ledger import Batch, files_of, get_batch, list_batches
from warehouse.portions import Portion
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)

_COLUMNS = ["batch_id", "source", "table_name", "status", "row_count", "quarantined_count", "landed_at"]
_ACCOUNTS = ["rows_in", "rows_landed", "set_aside", "deleted_count", "size_bytes", "seconds", "rows_per_second",
             "schema_version", "pruned_count"]  # fmt: skip


@app.command("list")
def list_(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    status: Annotated[str | None, typer.Option(help="Only landed, admitted or refused ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List batches, newest first."""
    with open_warehouse(load_settings()) as warehouse, warehouse.engine().connect() as connection:
        found = list_batches(connection, source=source, status=status, portion=Portion(limit=limit))
    batches = [batch.to_dict() for batch in found]
    if as_json:
        print_json({"batches": batches})
    else:
        print_table(({**b, "landed_at": b["landed_at"][:19]} for b in batches), _COLUMNS, empty="no batches")


@app.command()
def show(batch_id: Annotated[int, typer.Argument(help="As `batches list` gives it.")], as_json: AsJson = False) -> None:
    """Show one batch: where it came from, what it cost, its checks, what was decided."""
    with open_warehouse(load_settings()) as warehouse, warehouse.engine().connect() as connection:
        found = get_batch(connection, batch_id)
        batch: dict[str, Any] = {**found.to_dict(), **accounts(found)}
        batch["files"] = files_of(connection, batch_id)
    if as_json:
        print_json(batch)
        return
    print_table([batch], [*_COLUMNS, "admission_seq"], empty="")
    screen.print()
    print_table([batch], _ACCOUNTS, empty="")
    screen.print()
    for origin in batch["origin"] if not batch["files"] else []:
        told = sorted(origin.items(), key=lambda item: item[0] == "rows")
        screen.print("from " + ", ".join(f"{name} {value}" for name, value in told), soft_wrap=True)
    if batch["files"]:
        readings = {origin.get("file"): origin.get("reading") for origin in batch["origin"]}
        rows = [{**file, "read_as": _reading(readings.get(file["path"]))} for file in batch["files"]]
        print_table(rows, ["path", "row_count", "size_bytes", "modified_at", "read_as"], empty="")
    screen.print()
    checks = [{"failed_rows": None, "detail": None, **check} for check in batch["checks"]]
    print_table(checks, ["name", "severity", "status", "failed_rows", "detail"], empty="no checks")


@app.command()
def prune(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove from raw what never counted, and versions replaced longer ago than their `retention`."""
    from connectors.landing.retention import prune as prune_source

    settings = load_settings()
    sources = load_sources(settings.sources, settings.home)
    chosen = [find_source(sources, source)] if source else sources
    with open_warehouse(settings) as warehouse:
        pruned = [{**asdict(p), "rows": p.rows} for s in chosen for p in prune_source(s, warehouse, dry_run=dry_run)]
    if as_json:
        print_json({"pruned": pruned, "dry_run": dry_run})
        return
    columns = ["source", "table_name", "unfinished_rows", "replaced_rows", "refused_rows", "rows"]
    print_table(pruned, columns, empty="no landed tables")
    if dry_run:
        screen.print("nothing was removed: --dry-run")


def _reading(found: dict[str, Any] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in (found or {}).items())


def accounts(batch: Batch) -> dict[str, Any]:
    """Rows that came, those that stand in raw and count, those set aside, and how fast it went."""
    refused = batch.status == "refused"
    return {
        "rows_in": batch.row_count,
        "rows_landed": 0 if refused else batch.row_count - batch.quarantined_count,
        "set_aside": batch.quarantined_count,
        "rows_per_second": round(batch.row_count / batch.seconds) if batch.seconds else None,
    }
