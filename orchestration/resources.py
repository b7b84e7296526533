"""Dagster resources: the pipeline, opened for as long as a run lasts."""

from collections.abc import Iterator

from dagster import InitResourceContext, resource

from orchestration.pipeline import Pipeline, open_pipeline
from warehouse.settings import load_settings


@resource(description="Settings, warehouse and sources of one pass; a second pass at the same time is refused.")
def pipeline_resource(_context: InitResourceContext) -> Iterator[Pipeline]:
    """The pipeline with the settings of the environment."""
    with open_pipeline(load_settings()) as pipeline:
        yield pipeline
