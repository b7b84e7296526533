"""`datainsight dbt`: any dbt command over the project and the warehouse, with nothing to set up."""

from typing import Annotated

import typer


def dbt(arguments: Annotated[list[str] | None, typer.Argument(help="dbt's own command and options.")] = None) -> None:
    """Run a dbt command on the warehouse: `dbt ls`, `dbt test -s fact_invoices`, `dbt build --vars 'as_of: 12'`."""
    from orchestration.dbt import run_command
    from orchestration.pipeline import open_pipeline
    from warehouse.settings import load_settings

    settings = load_settings()
    with open_pipeline(settings) as pipeline:
        done = run_command(pipeline.warehouse, settings.home, arguments or ["--help"], variables=pipeline.variables)
    raise typer.Exit(0 if done else 1)
