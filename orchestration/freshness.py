"""Tells whether what is published still is what the admitted batches and the definitions say."""

import hashlib

from orchestration.dbt import project_version
from orchestration.pipeline import Pipeline
from warehouse.ledger import newest_admission


def fingerprint(pipeline: Pipeline) -> str:
    """A hash of all that a published snapshot depends on: the admitted batches and the dbt project."""
    with pipeline.warehouse.engine().connect() as connection:
        admitted = newest_admission(connection)
    return hashlib.sha256(f"{admitted} {project_version()}".encode()).hexdigest()[:16]


def current_snapshot(pipeline: Pipeline) -> int | None:
    """The id of the published snapshot if it was built from exactly this; then there is nothing to build."""
    from serving.snapshots import latest_snapshot

    if pipeline.full_refresh:
        return None
    with pipeline.warehouse.engine().connect() as connection:
        latest = latest_snapshot(connection)
    return latest.snapshot_id if latest is not None and latest.fingerprint == fingerprint(pipeline) else None
