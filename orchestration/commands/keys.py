"""`datainsight keys`: keys of the HTTP API, each to one organization's rows or, for operators, to everybody's."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from orchestration.commands.choices import one_of
from orchestration.commands.output import AsJson, aside, print_json, print_table, screen
from warehouse.connect import open_warehouse
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)

_ACTOR = "command"


@app.command()
def add(
    organization: Annotated[
        str | None, typer.Option(metavar="ORG", help="The organization's id, as the marts have it.")
    ] = None,
    role: Annotated[str, typer.Option(help="viewer, editor, admin; operator: across organizations.")] = "viewer",
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="PERMISSION", help="Which of the role's permissions; repeated; default: all."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="It ends after so many days.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, for `Authorization: Bearer`; it is shown only now."""
    from serving.identity.keys import add_key
    from serving.identity.roles import Permission, Role

    wanted = one_of(Role, role, "--role")
    carried = [one_of(Permission, scope, "--scope") for scope in scopes] if scopes else None
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with open_warehouse(load_settings()) as warehouse:
        key = add_key(warehouse, wanted, organization, name=name, scopes=carried, expires_at=expires_at, actor=_ACTOR)
    if as_json:
        print_json({"key": key})
    else:
        whose = "every organization" if organization is None else organization
        aside.print(f"a key with the role {role} for {whose}, shown only now:", soft_wrap=True)
        screen.print(key, soft_wrap=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the keys, without what is secret of them."""
    from serving.identity.keys import list_keys

    with open_warehouse(load_settings()) as warehouse:
        keys = [key.to_dict() for key in list_keys(warehouse)]
    if as_json:
        print_json({"keys": keys})
    else:
        print_table(keys, list(keys[0]) if keys else [], empty="no keys")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key, or its id.")], as_json: AsJson = False
) -> None:
    """End a key; a few seconds later nobody comes in by it."""
    from serving.identity.keys import revoke_key

    with open_warehouse(load_settings()) as warehouse:
        revoked = revoke_key(warehouse, key, actor=_ACTOR)
    if as_json:
        print_json(revoked.to_dict())
    else:
        screen.print(f"{revoked.key_id} is revoked", soft_wrap=True)
