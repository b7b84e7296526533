"""The whole way of the data, with real files: what they say is what the metrics answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import NewDatabase
from tests.support import Platform


@pytest.fixture(scope="module")
def platform(server_url: sa.URL, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("acceptance")
    with NewDatabase(server_url) as name:
        url = server_url.set(database=name, drivername="postgresql")
        yield Platform(
            folder,
            {
                "DATAINSIGHT_DATABASE_URL": url.render_as_string(hide_password=False),
                "DATAINSIGHT_HOME": str(folder / "home"),
                "DATAINSIGHT_SOURCES": str(Path(__file__).parent / "sources.yaml"),
                "SHARED_DATA": str(shared_data),
            },
        )


@pytest.fixture(scope="module")
def first(platform: Platform) -> dict[str, Any]:
    return platform.run()


@pytest.mark.usefixtures("first")
class TestFirstLight:
    def test_every_row_lands_and_only_conflicting_ones_are_set_aside(self, first: dict[str, Any]) -> None:
        assert first["rows_landed"] == 33_100 + 15_129
        assert first["rows_quarantined"] == 42
        quarantined = {batch["table_name"]: batch["quarantined_count"] for batch in first["batches"]}
        assert {table: count for table, count in quarantined.items() if count} == {"feature_usage": 42}
        assert {batch["status"] for batch in first["batches"]} == {"admitted"}
        assert first["snapshot"]["published"] is True

    def test_the_quarantined_rows_are_those_of_the_conflicting_ids(self, platform: Platform) -> None:
        rows = platform.json("quarantine", "show", "--limit", "100")["quarantine"]
        assert len(rows) == 42
        assert len({row["payload"]["usage_id"] for row in rows}) == 21

    @pytest.mark.parametrize(
        ("question", "answer"),
        [
            (["mrr", "--by", "metric_time", "--grain", "month", "--since", "2024-12-01"], [["2024-12-01", 10_159_608]]),
            (["mrr", "--by", "metric_time", "--grain", "year", "--since", "2024-01-01"], [["2024-01-01", 10_159_608]]),
            (["mrr"], [[10_159_608]]),
            (["active_subscriptions"], [[4514]]),
            (["churn_events"], [[600]]),
            (["refunds_usd"], [[8652.25]]),
            (["user_actions"], [[15_129]]),
            (["user_actions", "--by", "metric_time", "--grain", "day"], [["2015-01-01", 15_129]]),
            (["active_users"], [[6208]]),
            (["tickets_opened"], [[2000]]),
        ],
    )
    def test_a_metric_is_what_the_files_say(
        self, platform: Platform, question: list[str], answer: list[list[Any]]
    ) -> None:
        assert platform.metric(*question) == answer

    def test_the_whole_is_the_sum_over_organizations(self, platform: Platform) -> None:
        for metric in ("mrr", "user_actions", "feature_uses"):
            by_organization = platform.metric(metric, "--by", "organization")
            whole = platform.metric(metric)[0][0]
            assert round(sum(row[1] or 0 for row in by_organization), 2) == whole
            name, value = max(by_organization, key=lambda row: row[1] or 0)
            assert platform.metric(metric, "--organization", name) == [[value]]

    def test_an_answer_says_what_it_stands_on(self, platform: Platform, first: dict[str, Any]) -> None:
        answer = platform.json("metrics", "query", "feature_uses")
        assert list(answer) == ["columns", "rows", "trust", "timing"]
        trust = answer["trust"]
        assert trust["snapshot_id"] == first["snapshot"]["snapshot_id"]
        assert trust["quarantined_rows"] == 42
        assert trust["refused_batches"] == 0
        assert trust["checks"]["failed"] == 0
        assert trust["checks"]["passed"] > 0

    def test_a_second_run_changes_nothing(self, platform: Platform, first: dict[str, Any]) -> None:
        before = store_state(platform)
        second = platform.run()
        assert second["rows_landed"] == 0
        assert second["batches"] == []
        assert second["models"] == 0
        assert second["snapshot"] == {"snapshot_id": first["snapshot"]["snapshot_id"], "published": False}
        assert store_state(platform) == before


def store_state(platform: Platform) -> dict[str, int]:
    """Every file of the metric store and when it was written."""
    store = Path(platform.environment["DATAINSIGHT_HOME"]) / "metric_store"
    return {str(path): path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
