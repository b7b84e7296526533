"""`datainsight run`: one pass over everything, with progress and a summary."""

from typing import Annotated, Any

import typer
from rich.text import Text

from orchestration.commands.output import AsJson, aside, print_json, print_table, screen
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings


def run(
    source: Annotated[list[str] | None, typer.Option(help="Land only this source; may be repeated.")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Land everything again and rebuild every model.")
    ] = False,
    wait: Annotated[int, typer.Option(help="Seconds to wait for the end of another run.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Land what is new, check it, build the star, publish the metric store."""
    settings = load_settings()
    with aside.status("starting") as status:

        def progress(line: str) -> None:
            aside.print(f"  {line} …", style="dim")
            status.update(Text(line))

        progress("starting")
        from orchestration.run import RunFailedError, run_pass

        try:
            summary = run_pass(
                settings,
                source_names=source or [],
                full_refresh=full_refresh,
                progress=progress,
                patience_seconds=wait,
            )
        except DataInsightError as error:
            done = error.summary if isinstance(error, RunFailedError) else {}
            if as_json:
                print_json({"error": error.message, "hint": error.hint, **done})
            elif done.get("batches"):
                _print_summary(done)
            raise
    if as_json:
        print_json(summary)
    else:
        _print_summary(summary)


def _print_summary(summary: dict[str, Any]) -> None:
    print_table(
        [
            {**batch, "table": f"{batch['source']}.{batch['table_name']}", "batch": batch["batch_id"]}
            for batch in summary["batches"]
        ],
        ["batch", "table", "status", "row_count", "quarantined_count"],
        empty="no new data",
    )
    if summary["notes"]:
        screen.print()
    for note in summary["notes"]:
        screen.print(f"! {note}", soft_wrap=True)
    checks, snapshot = summary["checks"], summary["snapshot"]
    stages = ", ".join(f"{stage['stage']} {stage['seconds']} s" for stage in summary["stages"])
    screen.print(f"\nrows landed {summary['rows_landed']:,}, quarantined {summary['rows_quarantined']:,}")
    screen.print(
        f"models built {summary['models']}, checks passed {checks['passed']}, warned {checks['warned']},"
        f" failed {checks['failed']}"
    )
    if snapshot["snapshot_id"] is not None:
        screen.print(f"snapshot {snapshot['snapshot_id']} {'published' if snapshot['published'] else 'still current'}")
    screen.print(f"{summary['seconds']} s in all: {stages}", soft_wrap=True)
