"""`datainsight warehouse`: keep the embedded server up, reach it, stop it."""

import os
import subprocess
from typing import Annotated

import typer

from orchestration.commands.output import AsJson, print_json, screen
from warehouse.connect import open_warehouse
from warehouse.database import libpq_environment
from warehouse.embedded import EmbeddedServer
from warehouse.embedded.binaries import find_binaries
from warehouse.errors import DataInsightError
from warehouse.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True)


def _embedded(settings: Settings) -> EmbeddedServer:
    if settings.database_url is not None:
        raise DataInsightError(
            "DATAINSIGHT_DATABASE_URL is set: that server is not ours to start or stop",
            hint="unset it to use the embedded server",
        )
    return EmbeddedServer(settings.home, settings.server_user)


@app.command()
def start(as_json: AsJson = False) -> None:
    """Start the embedded server and keep it up until `warehouse stop`."""
    settings = load_settings()
    _embedded(settings).start_kept()
    with open_warehouse(settings) as warehouse:
        _print_url(warehouse.url(), as_json=as_json)


@app.command()
def stop() -> None:
    """Stop the embedded server, unless somebody uses it."""
    stopped = _embedded(load_settings()).stop()
    screen.print("stopped" if stopped else "it was not running")


@app.command()
def url(as_json: AsJson = False) -> None:
    """Print the URL of the database, for psql or a BI tool; it holds the password."""
    with open_warehouse(load_settings()) as warehouse:
        _print_url(warehouse.url(), as_json=as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql.")] = None) -> None:
    """Open psql on the database."""
    with open_warehouse(load_settings()) as warehouse:
        # The URL goes by the environment: a command line is visible to every user of the machine.
        environment = {**os.environ, **libpq_environment(warehouse.url_object)}
        done = subprocess.run([find_binaries().program("psql"), *(arguments or [])], env=environment, check=False)
    raise typer.Exit(done.returncode)


def _print_url(address: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": address})
    else:
        screen.print(address, soft_wrap=True, highlight=False)
