"""One pass of the pipeline in this process, as a Dagster run of the persistent instance."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import sqlalchemy as sa

from orchestration.checks import refusal_reason
from orchestration.dbt import prepare_manifest
from orchestration.definitions import build_definitions
from orchestration.instance import open_instance
from orchestration.jobs import DOWNSTREAM_GROUPS, EVERYTHING
from orchestration.pipeline import Pipeline, open_pipeline
from orchestration.report import Report
from warehouse.connect import database_name
from warehouse.errors import DataInsightError
from warehouse.ledger import Batch, list_batches
from warehouse.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

_REFUSALS_TOLD = 3
_REFUSED_HINT = "nothing was published; what stood before keeps serving. `datainsight batches list` shows more"
_OURS = {"datainsight/started_by": "command"}
# Dagster would log every event of the run to the terminal; the command prints its own progress.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_pass(
    settings: Settings,
    *,
    source_names: Sequence[str] = (),
    full_refresh: bool = False,
    progress: Callable[[str], None] | None = None,
    patience_seconds: int = 0,
) -> dict[str, Any]:
    """Land, check, build and publish once.

    Args:
        settings: Whose sources, database and metric store.
        source_names: Land only these sources; everything else goes as always. Empty: all.
        full_refresh: Land every file again and rebuild every model.
        progress: Called with one line when a stage begins.
        patience_seconds: How long to wait for the end of another pass.

    Returns:
        The summary that `datainsight run --json` prints.

    Raises:
        RunFailedError: A stage failed; it says what was done all the same.
        DataInsightError: Nothing was begun.
    """
    started = time.perf_counter()
    report = Report(progress) if progress else Report()
    with open_pipeline(
        settings, full_refresh=full_refresh, report=report, patience_seconds=patience_seconds
    ) as pipeline:
        if pipeline.warehouse.notice:
            report.progress(pipeline.warehouse.notice)
        for name in source_names:
            pipeline.source(name)
        with _database_stays():
            try:
                run_id = _execute(pipeline, source_names)
            except DataInsightError as error:
                seconds = round(time.perf_counter() - started, 2)
                raise RunFailedError(error, {**_summary(pipeline), "seconds": seconds}) from error
            summary = _summary(pipeline)
        return {"run_id": run_id, **summary, "seconds": round(time.perf_counter() - started, 2)}


class RunFailedError(DataInsightError):
    """A pass that failed.

    Attributes:
        summary: What it did all the same, as `run_pass` would have returned it.
    """

    def __init__(self, cause: DataInsightError, summary: dict[str, Any]) -> None:
        super().__init__(cause.message, cause.hint)
        self.summary = summary


@contextmanager
def _database_stays() -> Iterator[None]:
    """Say in one line that the database went away, whichever library noticed it and however it put it."""
    try:
        yield
    except DataInsightError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, (sa.exc.OperationalError, sa.exc.InterfaceError, psycopg2.OperationalError)):
                reason = " ".join(str(getattr(cause, "orig", cause)).split())
                code = getattr(getattr(cause, "orig", cause), "pgcode", None)
                # Of the server's own classes of errors, these two say that it, or the connection to it, is gone.
                what = "went away" if code is None or code[:2] in ("08", "57") else "could not go on"
                raise DataInsightError(
                    f"the database {what} during the run: {reason}",
                    hint="nothing is lost: the next run takes up what this one left",
                ) from error
            cause = cause.__cause__ or cause.__context__
        raise


def _execute(pipeline: Pipeline, source_names: Sequence[str]) -> str:
    from dagster import AssetSelection, ResourceDefinition

    settings = pipeline.settings
    definitions = build_definitions(
        pipeline.sources,
        prepare_manifest(database_name(settings), settings.home, pipeline.variables),
        pipeline=ResourceDefinition.hardcoded_resource(pipeline),
    )
    selection = None
    if source_names:
        chosen: AssetSelection = AssetSelection.key_prefixes(*([f"raw_{name}"] for name in source_names))
        # No model reads what organizations have added: it is landed and judged, and nothing else is touched.
        if any(pipeline.source(name).organization is None for name in source_names):
            chosen = chosen | AssetSelection.groups(*DOWNSTREAM_GROUPS)
        selection = list(chosen.resolve(definitions.resolve_asset_graph()))
    with open_instance(pipeline.warehouse, settings.home) as instance:
        _bury_killed_runs(instance)
        result = definitions.resolve_job_def(EVERYTHING).execute_in_process(
            instance=instance, asset_selection=selection, run_config=_QUIET, tags=_OURS, raise_on_error=False
        )
        if not result.success:
            raise _failure(result, pipeline)
        return str(result.run_id)


def _bury_killed_runs(instance: "DagsterInstance") -> None:
    """End the runs of commands that were killed: this pass holds the lock, so none of them can be alive."""
    from dagster import DagsterRunStatus, RunsFilter

    unfinished = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    for run in instance.get_runs(RunsFilter(statuses=unfinished, tags=_OURS)):
        instance.report_run_failed(run, message="The process of this run was killed.")


def _failure(result: Any, pipeline: Pipeline) -> Exception:
    """Every reason why the pass failed, as the user should read them."""
    refused, errors = _refusals(pipeline), pipeline.report.errors
    if refused or errors:
        told = [*refused[:_REFUSALS_TOLD], *(error.message for error in errors)]
        if len(refused) > _REFUSALS_TOLD:
            told.append(f"and {len(refused) - _REFUSALS_TOLD:,} more were refused")
        hint = next((error.hint for error in errors if error.hint), None) if not refused else _REFUSED_HINT
        return DataInsightError("; ".join(told), hint=hint)
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error.cause is not None:
                error = error.cause
            hint = f"run {result.run_id} in Dagster's web pages (`datainsight up`) has the whole story"
            return DataInsightError(error.message.strip().splitlines()[0], hint=hint)
    return DataInsightError(f"run {result.run_id} failed before any step of it did")


def _refusals(pipeline: Pipeline) -> list[str]:
    with pipeline.warehouse.engine().connect() as connection:
        batches = list_batches(connection, batch_ids=sorted(pipeline.report.batch_ids), status="refused")
    return [f"batch {b.batch_id} of {b.name} was refused: {refusal_reason(b)}" for b in reversed(batches)]


def _summary(pipeline: Pipeline) -> dict[str, Any]:
    report = pipeline.report
    with pipeline.warehouse.engine().connect() as connection:
        batches = list_batches(connection, batch_ids=sorted(report.batch_ids))
        batches.reverse()
        notes = [note for batch in batches for note in _notes(connection, batch)]
    return {
        "rows_landed": sum(batch.row_count for batch in batches),
        "rows_quarantined": sum(batch.quarantined_count for batch in batches),
        "batches": [batch.to_dict() for batch in batches],
        "models": report.build.models if report.build else 0,
        "checks": _checks(batches, report),
        "notes": notes,
        "snapshot": {"snapshot_id": report.snapshot_id, "published": report.published},
        "stages": report.stages,
    }


def _checks(batches: list[Batch], report: Report) -> dict[str, int]:
    """Checks of the batches and of the build; one whose failing rows were set aside has warned."""
    counts = dict(report.build.checks) if report.build else {"passed": 0, "warned": 0, "failed": 0}
    for check in (check for batch in batches for check in batch.checks):
        set_aside = check["status"] == "failed" and check["severity"] == "row"
        counts["warned" if set_aside else check["status"]] += 1
    return counts


def _notes(connection: sa.Connection, batch: Batch) -> list[str]:
    """A line for each reason why rows of a batch were set aside, and for each warning about it."""
    from quality.quarantine import summarize

    what = f"{batch.name}, batch {batch.batch_id}"
    set_aside = summarize(connection, batch_id=batch.batch_id) if batch.quarantined_count else []
    warnings = {check["name"]: check for check in batch.checks if check["status"] == "warned"}
    if "known_columns" in warnings:
        warnings.pop("new_columns", None)  # The suite says the same, and in which file.
    return [
        *(f"{what}: {_rows(row['row_count'])} set aside by {row['rule']}" for row in set_aside),
        *(f"{what}: {check.get('detail') or check['description']}" for check in warnings.values()),
    ]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
