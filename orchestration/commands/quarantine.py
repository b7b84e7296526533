"""`datainsight quarantine`: the rows that were set aside, and why."""

from typing import Annotated

import typer

from orchestration.commands.output import AsJson, print_json, print_table
from warehouse.connect import open_warehouse
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Count the rows in quarantine by table and rule."""
    from quality.quarantine import summarize

    with open_warehouse(load_settings()) as warehouse, warehouse.engine().connect() as connection:
        counts = summarize(connection)
    if as_json:
        print_json({"quarantine": counts})
    else:
        print_table(counts, ["source", "table_name", "rule", "row_count"], empty="quarantine is empty")


@app.command()
def show(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    table: Annotated[str | None, typer.Option(help="Only this table.")] = None,
    batch: Annotated[int | None, typer.Option(help="Only this batch.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the rows themselves, with the rules each one broke."""
    from quality.quarantine import list_quarantine

    with open_warehouse(load_settings()) as warehouse, warehouse.engine().connect() as connection:
        rows = list_quarantine(connection, source=source, table=table, batch_id=batch, limit=limit)
    if as_json:
        print_json({"quarantine": rows})
    else:
        print_table(rows, ["batch_id", "row_id", "failed_rules", "payload"], empty="no such rows")
