"""`datainsight tenants`: which organizations can log in to PostgreSQL, each to its own rows."""

from typing import Annotated

import typer

from orchestration.commands import logins
from orchestration.commands.output import AsJson
from warehouse.doors.logins import TENANTS

app = typer.Typer(no_args_is_help=True)

Organization = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id, as the marts have it.")]


@app.command()
def add(organization: Organization, as_json: AsJson = False) -> None:
    """Give an organization a login that sees its own rows; print its URL, which holds the password."""
    logins.add(TENANTS, organization, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the organizations that have a login."""
    logins.show(TENANTS, as_json=as_json)


@app.command()
def remove(organization: Organization, as_json: AsJson = False) -> None:
    """Take an organization's login away and end its sessions; its rows stay."""
    logins.remove(TENANTS, organization, as_json=as_json)
