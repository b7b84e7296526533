"""`datainsight dbt`: any dbt command over the project and the warehouse, with nothing to set up."""

import shlex
from typing import Annotated

import typer


def dbt(arguments: Annotated[list[str] | None, typer.Argument(help="dbt's own command and options.")] = None) -> None:
    """Run a dbt command on the warehouse: `dbt ls`, `dbt test -s fact_invoices`, `dbt build --vars 'as_of: 12'`."""
    from orchestration.dbt import DbtUsageError, run_command
    from orchestration.pipeline import open_pipeline
    from warehouse.settings import load_settings

    settings = load_settings()
    said = arguments or ["--help"]
    with open_pipeline(settings) as pipeline:
        try:
            done = run_command(pipeline.warehouse, settings.home, said, variables=pipeline.variables)
        except DbtUsageError as error:
            raise typer.BadParameter(error.message, param_hint=f"dbt {shlex.join(said)}") from error
    raise typer.Exit(0 if done else 1)
