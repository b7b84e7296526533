"""The `datainsight` command: its groups, and what becomes of errors."""

import logging
import sys

import typer

from orchestration.commands import (
    analysts,
    batches,
    dbt,
    keys,
    metrics,
    privacy,
    quarantine,
    run,
    serve,
    sources,
    tenants,
    up,
    users,
    warehouse,
)
from orchestration.commands.output import aside, print_error
from warehouse.errors import DataInsightError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Land, check, build, publish and query. `--debug` anywhere shows the traceback of an error.",
)
app.command()(run.run)
app.command()(up.up)
app.command()(serve.serve)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(dbt.dbt)
app.add_typer(sources.app, name="sources", help="What is configured, whether it can be read, what it holds.")
app.add_typer(batches.app, name="batches", help="The ledger: what was landed and what was decided about it.")
app.add_typer(quarantine.app, name="quarantine", help="Rows that were set aside, and why.")
app.add_typer(metrics.app, name="metrics", help="Ask the published metrics.")
app.add_typer(tenants.app, name="tenants", help="Logins of organizations, each to its own rows.")
app.add_typer(keys.app, name="keys", help="Keys of the HTTP API.")
app.add_typer(users.app, name="users", help="People who log in to the HTTP API.")
app.add_typer(privacy.app, name="privacy", help="Erasing what is held of a person.")
app.add_typer(analysts.app, name="analysts", help="Logins of analysts, to every row.")
app.add_typer(warehouse.app, name="warehouse", help="The PostgreSQL server and how to reach it.")


def main() -> None:
    """Run the command line of this process; errors end it with code 1, usage errors with 2."""
    debug = "--debug" in sys.argv
    # A library that cannot write its log, because the disk is full say, would print a traceback for each line of it.
    logging.raiseExceptions = debug
    try:
        app([argument for argument in sys.argv[1:] if argument != "--debug"])
    except DataInsightError as error:
        if debug:
            raise
        print_error(error)
        sys.exit(1)
    except Exception as error:  # The last resort of a command line: whatever happened, one line.
        if debug:
            raise
        reason = " ".join(str(error).split()) or "no message"
        aside.print(f"error: unexpected {type(error).__name__}: {reason}", style="red", soft_wrap=True)
        aside.print("hint: the same command with --debug shows where it happened")
        sys.exit(1)


if __name__ == "__main__":
    main()
