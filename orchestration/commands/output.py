"""How the command speaks: tables and JSON on standard output, progress and errors on standard error."""

import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from warehouse.errors import DataInsightError

# A pipe has no width; what is read by a program or a log should not be folded at 80 columns.
screen = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 180)
aside = Console(stderr=True, markup=False, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(value: Any) -> None:
    """Print one JSON document and nothing else."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")


def print_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[str], *, empty: str) -> None:
    """Print rows as a table with these columns, or the line `empty` when there are none."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    names = list(columns)
    rows = list(rows)
    for name in names:
        is_number = all(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in names))
    if rows:
        screen.print(table)
    else:
        screen.print(empty)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case list():
            return ", ".join(_cell(item) for item in value)
        case _:
            return str(value)


def print_error(error: DataInsightError) -> None:
    """One line, and a hint where there is one."""
    aside.print(f"error: {error.message}", style="red", soft_wrap=True)
    if error.hint:
        aside.print(f"hint: {error.hint}", soft_wrap=True)
