"""The jobs: one pass over everything, and one for each source that keeps its own time."""

from typing import TYPE_CHECKING

from dagster import AssetSelection, define_asset_job, in_process_executor

from connectors.source import SourceConfig
from orchestration.assets.keys import landed_key
from orchestration.assets.landed import landed_tables

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

EVERYTHING = "refresh_everything"
DOWNSTREAM_GROUPS = ("staging", "intermediate", "marts", "metrics", "serving")


def build_jobs(sources: list[SourceConfig]) -> dict[str, "UnresolvedAssetJobDefinition"]:
    """Jobs by name; every job ends in the metric store."""
    jobs = {
        EVERYTHING: define_asset_job(
            EVERYTHING,
            selection=AssetSelection.all(),
            executor_def=in_process_executor,
            description="Land what is new in every source, check it, build the star, publish the metric store.",
        )
    }
    for source in sources:
        if source.schedule:
            landed = AssetSelection.assets(*(landed_key(source.name, table) for table in landed_tables(source)))
            jobs[source.name] = define_asset_job(
                f"refresh_{source.name}",
                selection=landed | AssetSelection.groups(*DOWNSTREAM_GROUPS),
                executor_def=in_process_executor,
                description=f"Land what is new in {source.name}, check it, build the star, publish the metric store.",
            )
    return jobs
