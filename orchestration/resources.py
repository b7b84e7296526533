"""Dagster resources: the pipeline, opened for as long as a run lasts."""

from collections.abc import Iterator

from dagster import InitResourceContext, resource

from orchestration.pipeline import Pipeline, open_pipeline
from warehouse.settings import load_settings

# A scheduled run that meets one started by hand does its work after it.
_PATIENCE_SECONDS = 3600


@resource(description="Settings, warehouse and sources of one pass; a second pass waits for the first.")
def pipeline_resource(_context: InitResourceContext) -> Iterator[Pipeline]:
    """The pipeline with the settings of the environment."""
    with open_pipeline(load_settings(), patience_seconds=_PATIENCE_SECONDS) as pipeline:
        yield pipeline
