"""The models of the saved queries are as MetricFlow makes them now, and each organization's rows stay its own."""

from typing import Any

import pytest

from orchestration.saved_queries.models import FOLDER, RENEW, make_models
from tests.dbt_project.project import Project


@pytest.fixture(scope="module")
def manifest(project: Project) -> dict[str, Any]:
    return project.artifact("manifest.json")


def test_the_committed_models_are_as_the_saved_queries_are_now(manifest: dict[str, Any], project: Project) -> None:
    semantic_manifest = (project.folder / "target" / "semantic_manifest.json").read_text(encoding="utf-8")
    made = make_models(manifest, semantic_manifest)
    committed = {
        str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*")
        if path.suffix == ".sql" or path.name.endswith("__metrics_models.yml")
    }

    assert committed == made, f"models/metrics is stale: renew it with `{RENEW}`"
    # Whatever else MetricFlow made in this process before, the names in its statements are the same.
    assert make_models(manifest, semantic_manifest) == made


def test_every_saved_query_tells_organizations_apart_and_reads_no_personal_mart(manifest: dict[str, Any]) -> None:
    models = {node["name"]: node for node in manifest["nodes"].values() if node["schema"] == "metrics"}

    assert models.keys() == {query["name"] for query in manifest["saved_queries"].values()}
    for name, model in models.items():
        assert next(iter(model["columns"])) == "organization_id", name
        assert model["config"]["materialized"] == "view", name
        read = [manifest["nodes"][parent] for parent in model["depends_on"]["nodes"]]
        assert {parent["schema"] for parent in read} == {"marts"}, name
