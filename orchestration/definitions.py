"""Everything Dagster knows of the platform, assembled in one place; tests override its parts here."""

from pathlib import Path

from dagster import Definitions, ResourceDefinition, definitions, in_process_executor

from connectors.config import load_sources
from connectors.datasources import load_datasources
from connectors.source import SourceConfig
from orchestration.assets.landed import build_landed_assets, build_origin_specs
from orchestration.assets.models import build_model_assets
from orchestration.assets.store import build_metric_store
from orchestration.checks import build_landed_checks
from orchestration.dbt import prepare_manifest, project_variables
from orchestration.jobs import build_jobs
from orchestration.resources import pipeline_resource
from orchestration.schedules import build_schedules
from warehouse.connect import database_name, open_warehouse
from warehouse.settings import load_settings


def build_definitions(
    sources: list[SourceConfig], manifest_folder: Path, *, pipeline: ResourceDefinition = pipeline_resource
) -> Definitions:
    """Assets, checks, jobs and schedules over these sources and the dbt project parsed into `manifest_folder`.

    Args:
        pipeline: What the assets are handed; a `Pipeline` opened elsewhere may take its place.
    """
    models = build_model_assets(manifest_folder / "manifest.json")
    marts = [key for key, group in models.group_names_by_key.items() if group == "marts"]
    jobs = build_jobs(sources)
    return Definitions(
        assets=[
            *(spec for source in sources for spec in build_origin_specs(source)),
            *(build_landed_assets(source) for source in sources),
            models,
            build_metric_store(marts, manifest_folder),
        ],
        asset_checks=[build_landed_checks(source) for source in sources],
        jobs=list(jobs.values()),
        schedules=build_schedules(sources, jobs),
        resources={"pipeline": pipeline},
        # The assets of a run share one open pipeline, and a process per step would cost seconds each.
        executor=in_process_executor,
    )


@definitions
def datainsight() -> Definitions:
    """The code location that `workspace.yaml` names, with the settings of the environment."""
    settings = load_settings()
    sources = load_sources(settings.sources, settings.home)
    variables = project_variables(settings, (source.name for source in sources))
    manifest = prepare_manifest(database_name(settings), settings.home, variables)
    with open_warehouse(settings) as warehouse:
        added, _ = load_datasources(settings, warehouse)
    return build_definitions([*sources, *added], manifest)
