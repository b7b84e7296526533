"""`datainsight batches`: the ledger of what was landed."""

from typing import Annotated, Any

import typer

from orchestration.commands.output import AsJson, print_json, print_table, screen
from warehouse.connect import open_warehouse
from warehouse.ledger import files_of, get_batch, list_batches
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)

_COLUMNS = ["batch_id", "source", "table_name", "status", "row_count", "quarantined_count", "landed_at"]


@app.command("list")
def list_(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    status: Annotated[str | None, typer.Option(help="Only landed, admitted or refused ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List batches, newest first."""
    with open_warehouse(load_settings()) as warehouse, warehouse.engine().connect() as connection:
        batches = [b.to_dict() for b in list_batches(connection, source=source, status=status, limit=limit)]
    if as_json:
        print_json({"batches": batches})
    else:
        print_table(({**b, "landed_at": b["landed_at"][:19]} for b in batches), _COLUMNS, empty="no batches")


@app.command()
def show(batch_id: Annotated[int, typer.Argument(help="As `batches list` gives it.")], as_json: AsJson = False) -> None:
    """Show one batch: its files, its checks, what was decided."""
    with open_warehouse(load_settings()) as warehouse, warehouse.engine().connect() as connection:
        batch: dict[str, Any] = get_batch(connection, batch_id).to_dict()
        batch["files"] = files_of(connection, batch_id)
    if as_json:
        print_json(batch)
        return
    print_table([batch], [*_COLUMNS, "admission_seq"], empty="")
    screen.print()
    print_table(batch["files"], ["path", "row_count", "size_bytes", "modified_at"], empty="no files")
    screen.print()
    checks = [{"failed_rows": None, "detail": None, **check} for check in batch["checks"]]
    print_table(checks, ["name", "severity", "status", "failed_rows", "detail"], empty="no checks")
