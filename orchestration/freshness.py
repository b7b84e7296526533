"""Tells whether what is published still is what the admitted batches and the definitions say."""

import hashlib
from dataclasses import dataclass

from orchestration.dbt import project_version
from orchestration.pipeline import Pipeline
from serving.snapshots import latest_snapshot
from serving.store_files import lacking
from warehouse.ledger import newest_admission


@dataclass(frozen=True)
class State:
    """All that a published snapshot depends on.

    Attributes:
        admission_seq: The newest admission.
        project_version: A hash of the dbt project.
    """

    admission_seq: int
    project_version: str

    @property
    def fingerprint(self) -> str:
        """One short text for it."""
        return hashlib.sha256(f"{self.admission_seq} {self.project_version}".encode()).hexdigest()[:16]


def present_state(pipeline: Pipeline) -> State:
    """The state as the ledger and the files of the project are now."""
    with pipeline.warehouse.engine().connect() as connection:
        return State(newest_admission(connection), project_version())


def current_snapshot(pipeline: Pipeline, state: State) -> int | None:
    """The id of the published snapshot if it was built from exactly this and is whole; else None."""
    with pipeline.warehouse.engine().connect() as connection:
        latest = latest_snapshot(connection)
    if pipeline.full_refresh or latest is None or latest.fingerprint != state.fingerprint:
        return None
    if lacking(pipeline.settings.metric_store_url, latest.tables, latest.definition_version):
        return None
    return latest.snapshot_id
