"""The last asset: the metric store, published as one snapshot when every model and check is green."""

from collections.abc import Sequence
from pathlib import Path

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, MaterializeResult, asset

from orchestration.assets.keys import METRIC_STORE
from orchestration.assets.landed import OWNER
from orchestration.pipeline import Pipeline
from warehouse.errors import DataInsightError


def build_metric_store(marts: Sequence[AssetKey], manifest_folder: Path) -> AssetsDefinition:
    """The metric store over these marts, with the definitions of this manifest."""

    @asset(
        key=METRIC_STORE,
        deps=list(marts),
        group_name="serving",
        owners=[OWNER],
        kinds={"deltalake"},
        required_resource_keys={"pipeline"},
        description="The marts as Delta tables; readers see one snapshot over all of them.",
    )
    def metric_store(context: AssetExecutionContext) -> MaterializeResult[None]:
        from serving.store import publish

        pipeline: Pipeline = context.resources.pipeline
        build, built = pipeline.report.build, pipeline.report.built
        with pipeline.report.stage("publish", "publishing the metric store"):
            if build is None or built is None:
                raise DataInsightError(
                    "only what this run has built and tested whole is published, and it has not built every model",
                    hint="materialize all models together with metric_store, or launch the job",
                )
            snapshot = publish(
                pipeline.warehouse,
                pipeline.settings,
                semantic_manifest=manifest_folder / "semantic_manifest.json",
                fingerprint=built.fingerprint,
                admission_seq=built.admission_seq,
                checks=build.checks,
            )
        pipeline.report.snapshot_id, pipeline.report.published = snapshot.snapshot_id, snapshot.published
        return MaterializeResult(metadata={"snapshot_id": snapshot.snapshot_id, "published": snapshot.published})

    return metric_store
