"""The dbt project as assets: every model, and every data test as a check on its model."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    Output,
)
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test, get_subset_selection_for_context

from orchestration.dbt import build
from orchestration.freshness import current_snapshot, present_state
from orchestration.outcome import BuildOutcome
from orchestration.pipeline import Pipeline
from warehouse.errors import DataInsightError

_OTHER_COLUMNS = ("schemas on this incremental model are out of sync", "each EXCEPT query must have the same number")


class Translator(DagsterDbtTranslator):
    """Gives dbt's sources the keys of the landed tables, and its models the group of their layer."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=False))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """`<schema>/<table>` for a source, as landed tables are called, the bare model name for a model."""
        if dbt_resource_props["resource_type"] == "source":
            return AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])
        return AssetKey(dbt_resource_props["name"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer: staging, where seeds are too, intermediate, marts or metrics."""
        return "staging" if dbt_resource_props["resource_type"] == "seed" else str(dbt_resource_props["fqn"][1])


def build_model_assets(manifest_path: Path) -> AssetsDefinition:
    """Assets for every model of the project whose manifest lies there."""
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    translator = Translator()

    @dbt_assets(
        manifest=manifest,
        name="build_models",
        dagster_dbt_translator=translator,
        required_resource_keys={"pipeline"},
    )
    def build_models(context: AssetExecutionContext) -> Iterator[Output[None] | AssetCheckResult]:
        pipeline: Pipeline = context.resources.pipeline
        selection, _ = get_subset_selection_for_context(
            context, manifest, None, None, None, translator, current_dbt_indirect_selection_env=None
        )
        whole = "--select" not in selection
        state = present_state(pipeline)
        current = current_snapshot(pipeline, state) if whole else None
        if current is not None:
            pipeline.report.progress("nothing new: models and metric store are up to date")
            pipeline.report.snapshot_id = current
            return
        with pipeline.report.stage("build models", "building models"):
            outcome = build(
                pipeline.warehouse,
                pipeline.settings.home,
                full_refresh=pipeline.full_refresh,
                selection=[] if whole else selection,
                variables=pipeline.variables,
            )
            pipeline.report.build, pipeline.report.built = outcome, state if whole else None
            yield from _events(outcome, manifest, translator)
            if outcome.failed():
                raise DataInsightError(_complaint(outcome), hint=_hint(outcome))

    return build_models


def _events(
    outcome: BuildOutcome, manifest: Mapping[str, Any], translator: Translator
) -> Iterator[Output[None] | AssetCheckResult]:
    for node in outcome.nodes:
        metadata: dict[str, Any] = {"status": node.status, "seconds": node.seconds, "message": node.message}
        if node.kind in ("model", "seed") and node.status == "success":
            key = translator.get_asset_key(manifest["nodes"][node.unique_id])
            yield Output(None, output_name=key.to_python_identifier(), metadata=metadata)
        elif node.kind == "test" and node.status != "skipped":
            check = get_asset_check_key_for_test(manifest, translator, node.unique_id, None)
            if check is not None:
                yield AssetCheckResult(
                    asset_key=check.asset_key,
                    check_name=check.name,
                    passed=node.status == "pass",
                    severity=AssetCheckSeverity.WARN if node.status == "warn" else AssetCheckSeverity.ERROR,
                    metadata={**metadata, "failing_rows": node.failures or 0},
                )


def _hint(outcome: BuildOutcome) -> str:
    """What to do about it. A table that an older version of its model built does not fit what the new one makes."""
    if any(sign in node.message for node in outcome.failed() for sign in _OTHER_COLUMNS):
        return "a model has other columns than its table: `datainsight run --full-refresh` makes all of them anew"
    return "nothing was published; what stood before keeps serving"


def _complaint(outcome: BuildOutcome) -> str:
    failed = outcome.failed()
    first = failed[0]
    name = first.unique_id.split(".")[2]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"dbt {first.kind} {name} failed: {' '.join(first.message.split())}{more}"
