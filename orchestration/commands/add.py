"""`datainsight sources add`: asks for what a kind needs, tries it, and writes it down."""

import re
import sys
from typing import Annotated, Any

import typer
import yaml

from orchestration.commands.output import AsJson, aside, print_json, print_table, screen
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings

# What each kind cannot do without: the setting, and how to ask for it.
_NEEDED = {
    "files": {"path": "Path, glob or folder of the files, or a URL such as s3://bucket/folder/"},
    "database": {"url": "URL of the database, such as ${SHOP_URL} or postgresql://reader:${PASSWORD}@host/shop"},
    "rest": {"catalog": "Name of the API in the catalogue"},
    "singer": {"tap": "Name of the tap, such as tap-csv"},
    "python": {"module": "Path of the module"},
    "demo": {"dataset": "saas_subscriptions or github_events"},
    "platform": {},
}
_CREDENTIAL = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def add(
    name: Annotated[str, typer.Argument(help="What to call the source.")],
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(_NEEDED)}.")] = None,
    url: Annotated[str | None, typer.Option(help="Of a database; say a password as ${NAME}.")] = None,
    path: Annotated[str | None, typer.Option(help="Of files: a path, glob, folder or URL.")] = None,
    catalog: Annotated[str | None, typer.Option(help="Of an API: its name in the catalogue.")] = None,
    tap: Annotated[str | None, typer.Option(help="Of a Singer tap: its name.")] = None,
    package: Annotated[str | None, typer.Option(help="Of a Singer tap: what to install, if not its name.")] = None,
    module: Annotated[str | None, typer.Option(help="Of a Python source: its file.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, KEY=VALUE, as in sources.yaml: parameters.api_key=${KEY}."),
    ] = None,
    table: Annotated[list[str] | None, typer.Option(help="Land only this table; may be repeated.")] = None,
    schedule: Annotated[str | None, typer.Option(help="A cron line, when it is to run by itself.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a source: ask what is missing, test it, find its tables, propose keys and cursors, write sources.yaml."""
    said = {
        "url": url, "path": path, "catalog": catalog, "tap": tap, "package": package, "module": module,
    }  # fmt: skip
    given = {key: value for key, value in said.items() if value is not None}
    chosen = kind or _kind_of(given)
    values = {"kind": chosen, **_asked(chosen, given)}
    if chosen == "files":
        where = values.pop("path")
        if where.endswith("/") or (load_settings().sources.parent / where).is_dir():
            values["root"] = where
        else:
            # One table, called as the source is unless it is said otherwise.
            values["tables"] = {(table or [name])[0]: {"path": where}}
    if schedule is not None:
        values["schedule"] = schedule
    for setting in settings or []:
        _put(values, setting)
    if chosen == "rest" and _interactive():
        _ask_parameters(values)
    _add(name, values, table or [], as_json=as_json)


def _add(name: str, values: dict[str, Any], wanted: list[str], *, as_json: bool) -> None:
    from connectors.adding import choose, look_at, write

    settings = load_settings()
    with aside.status(f"looking at {name}"):
        found = look_at(settings.sources, settings.home, name, values)
    tables = choose(found, wanted)
    if not wanted and len(tables) > 1 and _interactive() and not as_json:
        _show(tables)
        answer = typer.prompt("Tables to land, separated by commas", default="all")
        tables = choose(found, [] if answer == "all" else [part.strip() for part in answer.split(",")])
    written = write(found, tables, settings.home)
    if as_json:
        print_json({"source": name, "kind": values["kind"], "path": str(found.path), "tables": tables})
        return
    _show(tables)
    screen.print(f"\nwritten to {found.path}:\n")
    screen.print(written.rstrip())
    screen.print(
        f"\n`datainsight run --source {name}` lands it; a table without a key lands, but its rows are not told apart"
    )


def _show(tables: list[Any]) -> None:
    rows = [{**table, "columns": len(table["columns"])} for table in tables]
    print_table(rows, ["table_name", "key", "cursor", "columns"], empty="no tables")


def _kind_of(given: dict[str, str]) -> str:
    for kind, needed in _NEEDED.items():
        if any(name in given for name in needed):
            return kind
    if not _interactive():
        raise typer.BadParameter(f"say which: one of {', '.join(_NEEDED)}", param_hint="--kind")
    return str(typer.prompt(f"Kind ({', '.join(_NEEDED)})"))


def _asked(kind: str, given: dict[str, str]) -> dict[str, Any]:
    """What was given, and the answers to what a kind needs besides."""
    if kind not in _NEEDED:
        raise typer.BadParameter(f"{kind!r} is not known; allowed are {', '.join(_NEEDED)}", param_hint="--kind")
    values: dict[str, Any] = dict(given)
    for key, question in _NEEDED[kind].items():
        if key not in values:
            if not _interactive():
                raise typer.BadParameter(f"the kind {kind} needs it", param_hint=f"--{key}")
            values[key] = typer.prompt(question)
    return values


def _ask_parameters(values: dict[str, Any]) -> None:
    """Ask for what the definition of an API cannot do without."""
    from connectors.rest.definition import load_catalog

    given = values.setdefault("parameters", {})
    for name, parameter in load_catalog(str(values["catalog"])).parameters.items():
        if parameter.required and name not in given:
            how = ", as ${NAME} of a variable that holds it" if parameter.secret else ""
            given[name] = typer.prompt(f"{name}: {parameter.description}{how}")


def _put(values: dict[str, Any], setting: str) -> None:
    """Set `a.b=value` in nested mappings; the value is read as YAML."""
    key, sign, text = setting.partition("=")
    if not sign or not key:
        raise typer.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="--set")
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise typer.BadParameter(f"{parent} has a value of its own, so there is no {key}", param_hint="--set")
    try:
        values[last] = text if _CREDENTIAL.search(text) else yaml.safe_load(text)
    except yaml.YAMLError as error:
        # The value, which may be a secret, is not repeated.
        problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else "it has a character that is not allowed"
        raise DataInsightError(f"--set {key}: the value is no YAML: {problem}") from None


def _interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
