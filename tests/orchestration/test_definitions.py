"""What Dagster is told: asset keys, jobs and cron lines."""

from pathlib import Path

import pytest
from dagster import Definitions

from connectors.config import load_sources
from orchestration.dbt import prepare_manifest
from orchestration.definitions import build_definitions
from tests.orchestration.conftest import SOURCES

MARTS = {
    "dim_accounts", "dim_dashboards", "dim_dates", "dim_features", "dim_organizations", "dim_plans", "dim_users",
    "fact_churn_events", "fact_feature_usage", "fact_invoices", "fact_opportunities", "fact_organization_months",
    "fact_subscription_months", "fact_subscriptions", "fact_support_tickets", "fact_user_actions",
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    folder = tmp_path_factory.mktemp("definitions")
    scheduled = SOURCES.replace(
        "  github:\n    kind: files\n", '  github:\n    kind: files\n    schedule: "*/15 * * * *"\n'
    )
    (folder / "sources.yaml").write_text(scheduled)
    sources = load_sources(folder / "sources.yaml", folder / "home")
    return build_definitions(sources, prepare_manifest("datainsight", folder / "home"))


def test_the_graph_reaches_from_source_files_to_the_metric_store(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    tables = {"saas/accounts", "saas/subscriptions", "saas/feature_usage", "saas/support_tickets", "saas/churn_events"}
    landed = {*tables, "github/events"}
    assert {f"files/{table}" for table in landed} <= keys
    assert {f"raw_{table}" for table in landed} <= keys
    assert keys >= MARTS
    from dagster import AssetKey

    upstream = {AssetKey("metric_store")}
    seen = set()
    while upstream:
        key = upstream.pop()
        seen.add(key.to_user_string())
        upstream |= graph.get(key).parent_keys
    assert {"files/saas/accounts", "files/github/events", "raw_saas/feature_usage", "dim_organizations"} <= seen


def test_every_asset_has_a_group_and_a_description(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    ours = [node for node in nodes if node.is_materializable]
    assert not [node.key for node in ours if not node.description or node.group_name == "default"]


def test_landed_tables_have_blocking_checks(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    blocking = {
        key.asset_key.to_user_string()
        for key in graph.asset_check_keys
        if key.name == "batches_admitted" and graph.get(key).blocking
    }
    assert blocking == {
        "raw_saas/accounts", "raw_saas/subscriptions", "raw_saas/feature_usage", "raw_saas/support_tickets",
        "raw_saas/churn_events", "raw_github/events",
    }  # fmt: skip


def test_jobs_and_schedules(definitions: Definitions) -> None:
    schedules = {schedule.name: schedule for schedule in definitions.schedules}
    assert {name: (s.job_name, s.cron_schedule, s.execution_timezone) for name, s in schedules.items()} == {
        "refresh_everything_schedule": ("refresh_everything", "0 5 * * *", "UTC"),
        "refresh_github_schedule": ("refresh_github", "*/15 * * * *", "UTC"),
    }
    assert all(job.description for job in definitions.jobs)


def test_the_project_is_parsed_once_for_each_state_of_its_files(tmp_path: Path) -> None:
    folder = prepare_manifest("datainsight", tmp_path)
    written = (folder / "manifest.json").stat().st_mtime_ns
    assert prepare_manifest("datainsight", tmp_path) == folder
    assert (folder / "manifest.json").stat().st_mtime_ns == written
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        "partial_parse.msgpack",
        "semantic_manifest.json",
    }
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
