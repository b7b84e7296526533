"""`datainsight sources`: what is configured, whether it can be read, what it holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from connectors.config import load_sources
from connectors.datasources import load_source
from orchestration.commands.add import add
from orchestration.commands.output import AsJson, print_json, print_table
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)
app.command()(add)
Name = Annotated[str, typer.Argument(help="Name of the source in sources.yaml, or id of a datasource.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the configured sources and their tables."""
    settings = load_settings()
    sources: list[dict[str, Any]] = [
        {"source": s.name, "kind": s.kind, "tables": list(s.tables), "schedule": s.schedule}
        for s in load_sources(settings.sources, settings.home)
    ]
    if as_json:
        print_json({"sources": sources})
    else:
        print_table(sources, ["source", "kind", "tables", "schedule"], empty="no sources")


@app.command()
def check(name: Name, as_json: AsJson = False) -> None:
    """Tell whether each table of a source can be read."""
    from connectors.inspection import check as check_source

    with _told(as_json=as_json):
        findings = check_source(load_source(load_settings(), name))
    if as_json:
        print_json({"tables": findings})
    else:
        known = [name for name in ("files", "rows", "size_bytes") if any(name in finding for finding in findings)]
        rows = [{**dict.fromkeys(known), **finding} for finding in findings]
        print_table(rows, ["table_name", *known, "problem"], empty="no tables")
    if any(finding["problem"] for finding in findings):
        raise typer.Exit(1)


@app.command()
def discover(name: Name, as_json: AsJson = False) -> None:
    """Tell which tables and columns a source has."""
    from connectors.inspection import discover as discover_source

    with _told(as_json=as_json):
        tables = discover_source(load_source(load_settings(), name, draft=True))
    if as_json:
        print_json({"tables": tables})
    else:
        print_table(tables, ["table_name", "configured", "key", "cursor", "columns"], empty="no tables")


@contextmanager
def _told(*, as_json: bool) -> Iterator[None]:
    """Tell what went wrong in the form that was asked for, besides the line that every command ends with."""
    try:
        yield
    except DataInsightError as error:
        if as_json:
            print_json({"error": error.message, "hint": error.hint})
        raise
