"""One pass at a time, and only whole builds are published."""

import threading
from pathlib import Path

import pytest
from dagster import DagsterInstance, ResourceDefinition

from orchestration.dbt import prepare_manifest
from orchestration.definitions import build_definitions
from orchestration.jobs import EVERYTHING
from orchestration.pipeline import open_pipeline
from tests.orchestration.conftest import SOURCES
from warehouse.connect import database_name
from warehouse.errors import DataInsightError
from warehouse.settings import Settings


@pytest.fixture
def ready(settings: Settings, data: Path) -> Settings:
    sources = data.parent / "sources.yaml"
    sources.write_text(SOURCES)
    return settings.model_copy(update={"sources": sources})


def test_a_second_pass_at_the_same_time_is_told(ready: Settings) -> None:
    with (
        open_pipeline(ready),
        pytest.raises(DataInsightError, match="another run is going on"),
        open_pipeline(ready),
    ):
        pass


def test_a_patient_pass_goes_on_when_the_first_has_ended(ready: Settings) -> None:
    holds, entered = threading.Event(), threading.Event()

    def wait() -> None:
        holds.wait(30)
        with open_pipeline(ready, patience_seconds=60):
            entered.set()

    thread = threading.Thread(target=wait)
    thread.start()
    with open_pipeline(ready):
        holds.set()
        assert not entered.wait(1)
    assert entered.wait(30)
    thread.join()


def test_the_metric_store_alone_is_not_published(ready: Settings) -> None:
    with open_pipeline(ready) as pipeline, DagsterInstance.ephemeral() as instance:
        definitions = build_definitions(
            pipeline.sources,
            prepare_manifest(database_name(ready), ready.home),
            pipeline=ResourceDefinition.hardcoded_resource(pipeline),
        )
        store = next(
            key for key in definitions.resolve_asset_graph().get_all_asset_keys() if key.path[-1] == "metric_store"
        )
        result = definitions.resolve_job_def(EVERYTHING).execute_in_process(
            instance=instance, asset_selection=[store], raise_on_error=False
        )
        assert not result.success
        assert "only what this run has built" in str(pipeline.report.errors[0])
