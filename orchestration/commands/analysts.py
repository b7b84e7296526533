"""`datainsight analysts`: who can log in to PostgreSQL and read every organization's rows."""

from typing import Annotated

import typer

from orchestration.commands import logins
from orchestration.commands.output import AsJson
from warehouse.doors.logins import ANALYSTS

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whom the login is for, a person or a program.")]


@app.command()
def add(name: Name, as_json: AsJson = False) -> None:
    """Give somebody a login that sees every row, with masks for personal columns; print its URL with the password."""
    logins.add(ANALYSTS, name, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the analysts that have a login."""
    logins.show(ANALYSTS, as_json=as_json)


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Take an analyst's login away and end its sessions."""
    logins.remove(ANALYSTS, name, as_json=as_json)
