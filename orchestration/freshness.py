"""Tells whether what is published still is what the admitted batches and the definitions say."""

from orchestration.dbt import project_version
from orchestration.pipeline import Pipeline
from orchestration.report import State
from serving.snapshots import latest_snapshot
from serving.store_files import lacking
from warehouse.ledger import newest_admission


def present_state(pipeline: Pipeline) -> State:
    """The state as the ledger and the files of the project are now."""
    with pipeline.warehouse.engine().connect() as connection:
        return State(newest_admission(connection), project_version(pipeline.variables))


def current_snapshot(pipeline: Pipeline, state: State) -> int | None:
    """The id of the published snapshot if it was built from exactly this and is whole; else None."""
    with pipeline.warehouse.engine().connect() as connection:
        latest = latest_snapshot(connection)
    if pipeline.full_refresh or latest is None or latest.fingerprint != state.fingerprint:
        return None
    if lacking(pipeline.settings.metric_store_url, latest.tables, latest.definition_version):
        return None
    return latest.snapshot_id
