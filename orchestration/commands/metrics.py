"""`datainsight metrics`: the published metrics, with what each answer stands on."""

import re
from contextlib import closing
from typing import Annotated, Any

import typer

from orchestration.commands.output import AsJson, print_json, print_table, screen
from warehouse.connect import open_warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True)

_OPERATORS = {"!=": "ne", ">=": "gte", "<=": "lte", "=": "eq", ">": "gt", "<": "lt"}


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the metrics and what they can be grouped by."""
    from serving.metrics import Metrics

    settings = load_settings()
    with open_warehouse(settings) as warehouse, closing(Metrics(settings, warehouse)) as metrics:
        found = metrics.list()
    if as_json:
        print_json({"metrics": found})
    else:
        print_table(found, ["name", "description", "dimensions"], empty="no metrics")


@app.command()
def query(
    names: Annotated[list[str], typer.Argument(metavar="METRIC...", help="One metric or more.")],
    by: Annotated[list[str] | None, typer.Option(help="Group by this dimension; may be repeated.")] = None,
    grain: Annotated[str | None, typer.Option(help="day, week, month, quarter or year.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Keep rows where dimension=value (also != > >= < <=; a,b,c: any of them)."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="First day, as 2024-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, inclusive.")] = None,
    order_by: Annotated[list[str] | None, typer.Option(help="Column to sort by; -column for descending.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows.")] = None,
    compare: Annotated[str | None, typer.Option(help="previous_period or previous_year: also how it was then.")] = None,
    totals: Annotated[bool, typer.Option("--totals", help="Also what each metric comes to in all.")] = False,
    fill: Annotated[str | None, typer.Option(help="null or zero: every period, also those without rows.")] = None,
    top: Annotated[
        str | None,
        typer.Option(help="The largest values only: dimension:metric:5; with :other all others together, too."),
    ] = None,
    organization: Annotated[str | None, typer.Option(help="Only what this organization may see.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask for metrics; the answer says which snapshot it stands on and how far it can be trusted."""
    from serving.metrics import Metrics, parse_query
    from serving.query import parse_top

    asked: dict[str, Any] = {
        "metrics": names,
        "group_by": by or [],
        "grain": grain,
        "time_range": {"start": since, "end": until} if since or until else None,
        "filters": [_filter(text) for text in where or []],
        "order_by": order_by or [],
        "limit": limit,
        "compare": compare,
        "totals": totals,
        "fill": fill,
        "top": None if top is None else parse_top(top),
    }
    settings = load_settings()
    with open_warehouse(settings) as warehouse, closing(Metrics(settings, warehouse)) as metrics:
        answer = metrics.query(
            parse_query({name: value for name, value in asked.items() if value is not None}), organization
        )
    if as_json:
        print_json(answer.to_dict())
    else:
        _print_answer(answer.to_dict())


def _filter(text: str) -> dict[str, Any]:
    """`country=US,DE` as a filter of the query."""
    found = re.fullmatch(r"\s*(\w+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*", text, flags=re.DOTALL)
    if found is None:
        raise DataInsightError(
            f"--where {text!r} is not a condition",
            hint="write dimension=value, for example --where country=US,DE",
        )
    dimension, sign, value = found.groups()
    values = [part.strip() for part in value.split(",")]
    operator = _OPERATORS[sign]
    if sign in ("=", "!="):
        operator = "in" if sign == "=" else "not_in"
    return {"dimension": dimension, "op": operator, "values": values}


def _print_answer(answer: dict[str, Any]) -> None:
    names = [column["name"] for column in answer["columns"]]
    print_table([dict(zip(names, row, strict=True)) for row in answer["rows"]], names, empty="no rows")
    if "totals" in answer:
        screen.print("\nin all")
        print_table([answer["totals"]], answer["totals"], empty="no totals")
    trust = answer["trust"]
    checks = trust["checks"]
    screen.print(
        f"\nsnapshot {trust['snapshot_id']} · as of {trust['as_of']} · {checks['passed']} checks passed,"
        f" {checks['warned']} warned, {checks['failed']} failed · {trust['quarantined_rows']} rows in quarantine ·"
        f" {trust['refused_batches']} batches refused",
        soft_wrap=True,
    )
