"""`datainsight tenants`: which organizations can log in to PostgreSQL, each to its own rows."""

from typing import Annotated

import typer

from orchestration.commands import logins
from orchestration.commands.output import AsJson, print_json, screen
from warehouse.connect import open_warehouse
from warehouse.doors.logins import TENANTS
from warehouse.settings import load_settings

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


@app.command()
def plan(
    organization: Organization,
    name: Annotated[str, typer.Argument(metavar="PLAN", help="A plan of DATAINSIGHT_RATE_LIMITS.")],
    as_json: AsJson = False,
) -> None:
    """Give an organization a plan, which says how much it may ask of the HTTP API."""
    from serving.identity.plans import set_plan

    settings = load_settings()
    with open_warehouse(settings) as warehouse:
        set_plan(warehouse, settings, organization, name, actor="command")
    if as_json:
        print_json({"organization_id": organization, "plan": name})
    else:
        screen.print(f"{organization} has the plan {name}", soft_wrap=True)
