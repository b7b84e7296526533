"""`datainsight privacy`: erasing what is held of a person."""

from typing import Annotated

import typer

from orchestration.commands.output import AsJson, aside, print_json, print_table, screen
from warehouse.connect import open_warehouse
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)

_COLUMNS = ["erasure_id", "organization_id", "requested_at", "state", "done_at", "trouble"]


@app.command()
def request(
    user_id: Annotated[str | None, typer.Option(metavar="ID", help="What they are called.")] = None,
    email: Annotated[str | None, typer.Option(metavar="EMAIL", help="Their e-mail address, in place of an id.")] = None,
    organization: Annotated[
        str | None, typer.Option(metavar="ORG", help="Within which organization; left out: everywhere.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="The source alone that calls them so; left out: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Order the erasure of a person's data; `privacy erase` carries it out."""
    from serving.privacy.erasures import request_erasure
    from serving.privacy.person import find_person

    settings = load_settings()
    with open_warehouse(settings) as warehouse, warehouse.engine().begin() as connection:
        person = find_person(connection, user_id=user_id, email=email, organization_id=organization, source=source)
        ordered = request_erasure(connection, settings, person, actor="command")
    if as_json:
        print_json(ordered.to_dict())
    else:
        screen.print(f"{ordered.erasure_id} is ordered; `datainsight privacy erase` carries it out", soft_wrap=True)


@app.command()
def erase(as_json: AsJson = False) -> None:
    """Carry out every erasure that was ordered and is not done."""
    from orchestration.erasing import erase_ordered

    done = erase_ordered(load_settings(), lambda line: aside.print(f"  {line} …", style="dim"))
    if as_json:
        print_json({"erasures": [one.to_dict() for one in done]})
        return
    for one in done:
        rows = one.touched.get("rows", {})
        told = ", ".join(f"{table} {count:,}" for table, count in sorted(rows.items())) or "nothing was held"
        screen.print(f"{one.erasure_id} is done: {told}", soft_wrap=True)
    undeclared = sorted({table for one in done for table in one.touched.get("undeclared", ())})
    if undeclared:
        screen.print(f"! nobody looked into {', '.join(undeclared)}: warehouse/personal_data.yaml lacks them")
    if not done:
        screen.print("nothing to erase")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the erasures: what was ordered, and how far it is."""
    from serving.privacy.erasures import list_erasures

    with open_warehouse(load_settings()) as warehouse, warehouse.engine().connect() as connection:
        found = [one.to_dict() for one in list_erasures(connection, None)]
    if as_json:
        print_json({"erasures": found})
    else:
        print_table(found, _COLUMNS, empty="no erasures")
