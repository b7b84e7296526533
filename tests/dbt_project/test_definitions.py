"""The definitions are complete: every model, column and metric is explained, owned, contracted and in the policy."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.dbt_project.project import PROJECT, Project
from tests.dbt_project.semantics import dimensions_by_metric
from warehouse.policy import load_policy

# Of batches, which hold rows of many organizations and belong to none.
INTERNAL_METRICS = [
    "landed_batches",
    "landed_rows",
    "quarantined_rows",
    "quarantined_share",
    "refused_batches",
    "quality_checks",
    "broken_checks",
]
METRICS = [
    "mrr",
    "arr",
    "active_subscriptions",
    "active_organizations",
    "arpa",
    "new_mrr",
    "expansion_mrr",
    "contraction_mrr",
    "churned_mrr",
    "reactivated_mrr",
    "net_new_mrr",
    "churn_events",
    "refunds_usd",
    "invoiced_usd",
    "collected_usd",
    "outstanding_usd",
    "overdue_usd",
    "days_to_pay",
    "won_revenue_usd",
    "win_rate",
    "open_pipeline_usd",
    "weighted_pipeline_usd",
    "feature_uses",
    "usage_hours",
    "tickets_opened",
    "first_response_minutes",
    "satisfaction",
    "user_actions",
    "active_users",
    "actions_per_user",
    "retail_revenue",
    "cancelled_amount",
    "units_sold",
    "retail_invoices",
    "retail_customers",
    "metric_calls",
    "metric_queries",
    "failed_metric_queries",
    "answer_milliseconds",
    "sessions",
    "session_minutes",
    "minutes_per_session",
    *INTERNAL_METRICS,
]
SEMI_ADDITIVE = {"mrr", "active_subscriptions", "active_organizations"}


@pytest.fixture(scope="module")
def models(project: Project) -> dict[str, dict[str, Any]]:
    nodes = project.artifact("manifest.json")["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def semantics(project: Project) -> dict[str, Any]:
    return project.artifact("semantic_manifest.json")


def test_every_model_says_its_grain_and_every_column_what_it_is(models: dict[str, dict[str, Any]]) -> None:
    for name, model in models.items():
        assert model["description"].startswith("One row per "), name
        assert model["columns"], name
        for column, said in model["columns"].items():
            assert len(said["description"]) > 5, f"{name}.{column}"


def test_every_mart_is_contracted_owned_and_in_the_tenant_policy(models: dict[str, dict[str, Any]]) -> None:
    marts = {name: model for name, model in models.items() if model["schema"] in ("marts", "personal")}

    assert set(load_policy().marts) == set(marts)
    for name, model in marts.items():
        assert re.fullmatch(r"(fact|dim)_[a-z_]+s|fact_feature_usage", name)
        assert model["contract"]["enforced"], name
        assert model["config"]["meta"]["owner"], name
        assert [c for c in model["constraints"] if c["type"] == "primary_key"], name
        column = load_policy().mart(name).organization_column
        if column is not None:
            assert {"type": "not_null"}.items() <= model["columns"][column]["constraints"][0].items(), name
        if name.startswith("fact_") and not load_policy().mart(name).internal:
            assert {"organization_id", "organization_key", "admission_seq"} <= set(model["columns"]), name


def test_layers_keep_their_distance(models: dict[str, dict[str, Any]]) -> None:
    prefixes = {
        "staging": ("stg_",),
        "intermediate": ("int_",),
        "marts": ("fact_", "dim_"),
        "personal": ("dim_",),
        "metrics": ("",),
    }
    for name, model in models.items():
        assert name.startswith(prefixes[model["schema"]]), name
        reads_raw = any(parent.startswith("source.") for parent in model["depends_on"]["nodes"])
        assert reads_raw == (model["schema"] == "staging"), name


def test_the_metrics_are_those_we_promise(semantics: dict[str, Any]) -> None:
    assert sorted(metric["name"] for metric in semantics["metrics"]) == sorted(METRICS)

    by_metric = dimensions_by_metric(semantics)
    assert {"organization__industry", "organization__country", "plan__name"} <= by_metric["mrr"] & by_metric["arpa"]
    assert {"feature__name", "plan__name"} <= by_metric["usage_hours"]
    assert "ticket__priority" in by_metric["satisfaction"]
    assert "churn_event__reason" in by_metric["refunds_usd"]
    assert {"invoice__status", "plan__name"} <= by_metric["collected_usd"]
    assert {"account__current_plan", "opportunity__kind"} <= by_metric["win_rate"]
    assert "user_action__action_type" in by_metric["actions_per_user"]
    assert "mrr_movement__movement_type" in by_metric["net_new_mrr"]
    assert {"product__name", "customer__country"} <= by_metric["retail_revenue"]
    assert {"batch__source_name", "batch__table_name"} <= by_metric["quarantined_share"] & by_metric["broken_checks"]
    assert {name for name, said in by_metric.items() if "organization__name" not in said} == set(INTERNAL_METRICS)


def test_over_a_longer_period_the_last_month_of_recurring_revenue_counts(semantics: dict[str, Any]) -> None:
    rules = {
        measure["name"]: (measure["non_additive_dimension"] or {}).get("window_choice")
        for model in semantics["semantic_models"]
        for measure in model["measures"]
    }
    assert {name for name, choice in rules.items() if choice == "max"} == SEMI_ADDITIVE


def test_metricflow_accepts_the_definitions(project: Project) -> None:
    from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
    from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
        PydanticSemanticManifestTransformer,
    )
    from metricflow_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator

    text = (project.folder / "target" / "semantic_manifest.json").read_text(encoding="utf-8")
    manifest = PydanticSemanticManifestTransformer.transform(PydanticSemanticManifest.parse_raw(text))
    results = SemanticManifestValidator[PydanticSemanticManifest]().validate_semantic_manifest(manifest)

    assert [issue.message for issue in [*results.errors, *results.warnings]] == []


def test_every_metric_is_documented_as_it_is_defined(semantics: dict[str, Any]) -> None:
    page = (Path(PROJECT).parent / "docs" / "metrics.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))

    assert set(sections) == {metric["name"] for metric in semantics["metrics"]}
    for metric in semantics["metrics"]:
        section = " ".join(sections[metric["name"]].split())
        assert metric["label"] in section
        assert metric["description"].partition(" Unit - ")[0] in section
        assert f"Unit: {metric['description'].partition(' Unit - ')[2]}" in section
        assert f"Owner: {metric['config']['meta']['owner']}." in section
        said = set(re.findall(r"`(\w+__\w+)`", section))
        assert said == dimensions_by_metric(semantics)[metric["name"]], metric["name"]
