"""Blocking asset checks: what quality decided about each batch of this pass. No rule lives here."""

from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    multi_asset_check,
)

from connectors.source import SourceConfig
from orchestration.assets.keys import landed_key
from orchestration.assets.landed import FIRST, batches_of, landed_tables
from orchestration.pipeline import Pipeline
from warehouse.ledger import Batch, list_batches

CHECK = "batches_admitted"


def build_landed_checks(source: SourceConfig) -> AssetChecksDefinition:
    """One check per table of a source: it fails, and stops what is downstream, when a batch was refused."""
    specs = [
        AssetCheckSpec(
            CHECK,
            asset=landed_key(source.name, table),
            blocking=True,
            description="Every new batch was judged and admitted; rows that broke a rule are in quarantine.",
        )
        for table in landed_tables(source)
    ]

    @multi_asset_check(
        name=f"validate_{source.name}",
        specs=specs,
        required_resource_keys={"pipeline"},
        op_tags=FIRST,
        description=f"Judges the batches of source {source.name} that nobody has judged yet.",
    )
    def validate_source(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        from quality.validate import validate_landed

        pipeline: Pipeline = context.resources.pipeline
        with pipeline.report.stage(f"check {source.name}", f"checking {source.name}"):
            pipeline.report.batch_ids.update(validate_landed(pipeline.warehouse, source.name))
        with pipeline.warehouse.engine().connect() as connection:
            batches = list_batches(connection, source=source.name, batch_ids=sorted(pipeline.report.batch_ids))
        for table in landed_tables(source):
            yield _verdict(source.name, table, batches_of(source, table, batches))

    return validate_source


def _verdict(source: str, table: str, batches: list[Batch]) -> AssetCheckResult:
    refused = [batch for batch in batches if batch.status == "refused"]
    warned = [check["name"] for batch in batches for check in batch.checks if check["status"] == "warned"]
    quarantined = sum(batch.quarantined_count for batch in batches)
    metadata: dict[str, Any] = {
        "batches": [batch.batch_id for batch in batches],
        "refused": {str(batch.batch_id): refusal_reason(batch) for batch in refused},
        "quarantined_rows": quarantined,
        "warnings": warned,
    }
    return AssetCheckResult(
        asset_key=landed_key(source, table),
        check_name=CHECK,
        passed=not refused and not warned and not quarantined,
        severity=AssetCheckSeverity.ERROR if refused else AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def refusal_reason(batch: Batch) -> str:
    """Why a batch was refused, in one line."""
    failed = [check for check in batch.checks if check["status"] == "failed" and check["severity"] == "batch"]
    return "; ".join(check.get("detail") or check["description"] for check in failed)
