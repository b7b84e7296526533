"""`datainsight users`: people who log in to the HTTP API, each into their organizations or, operators, across them."""

from typing import Annotated

import typer

from orchestration.commands.choices import one_of
from orchestration.commands.output import AsJson, aside, print_json, print_table, screen
from warehouse.connect import open_warehouse
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)

_ACTOR = "command"

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their e-mail address.")]


@app.command()
def add(
    email: Email,
    organization: Annotated[
        str | None, typer.Option(metavar="ORG", help="The organization's id, as the marts have it.")
    ] = None,
    role: Annotated[str, typer.Option(help="viewer, editor, admin; operator: across organizations.")] = "viewer",
    name: Annotated[str, typer.Option(help="What they are called.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let somebody in; a newcomer's password is made and shown only now, whoever is known keeps theirs."""
    from serving.identity.people import add_person
    from serving.identity.roles import Role

    wanted = one_of(Role, role, "--role")
    with open_warehouse(load_settings()) as warehouse:
        added = add_person(warehouse, email, wanted, organization, name=name, actor=_ACTOR)
    if as_json:
        print_json(added.to_dict())
        return
    where = "every organization" if organization is None else organization
    aside.print(f"{added.email} is {wanted} of {where}", soft_wrap=True)
    if added.password is not None:
        aside.print("the password, shown only now:", soft_wrap=True)
        screen.print(added.password, soft_wrap=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the people, and what they are in which organization."""
    from serving.identity.people import list_people

    with open_warehouse(load_settings()) as warehouse:
        people = list_people(warehouse)
    if as_json:
        print_json({"users": people})
    else:
        rows = [
            {**one, "memberships": [f"{of['organization_id']}: {of['role']}" for of in one["memberships"]]}
            for one in people
        ]
        print_table(rows, list(rows[0]) if rows else [], empty="no users")


@app.command()
def disable(email: Email, as_json: AsJson = False) -> None:
    """Let somebody in no more; an access token they have is good until its hour is over."""
    from serving.identity.people import disable_person

    with open_warehouse(load_settings()) as warehouse:
        disabled = disable_person(warehouse, email, actor=_ACTOR)
    if as_json:
        print_json({"email": disabled})
    else:
        screen.print(f"{disabled} is let in no more", soft_wrap=True)


@app.command("password")
def password(email: Email, as_json: AsJson = False) -> None:
    """Make a text by which somebody sets a new password, once; it is shown only now."""
    from serving.identity.password_changes import reset_of_person

    with open_warehouse(load_settings()) as warehouse:
        made = reset_of_person(warehouse, email, actor=_ACTOR)
    if as_json:
        print_json({"reset": made.text, "expires_at": made.expires_at.isoformat()})
        return
    aside.print("for POST /api/v1/auth/password/reset, shown only now:", soft_wrap=True)
    screen.print(made.text, soft_wrap=True)
