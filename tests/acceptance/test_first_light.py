"""The whole way of the data, with real files: what they say is what the metrics answer."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from serving.metrics import Metrics, parse_query
from tests.conftest import NewDatabase
from tests.support import Platform
from warehouse.connect import open_warehouse
from warehouse.settings import Settings

BY_TIME = {"group_by": ["metric_time"]}


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


@pytest.fixture
def metrics(platform: Platform) -> Iterator[Metrics]:
    """What the run has published, asked without a process for each question."""
    settings = Settings(
        database_url=platform.environment["DATAINSIGHT_DATABASE_URL"],  # type: ignore[arg-type]
        home=platform.folder / "home",
    )
    with open_warehouse(settings) as warehouse, closing(Metrics(settings, warehouse)) as opened:
        yield opened


def rows(metrics: Metrics, question: dict[str, Any], organization: str | None = None) -> list[list[Any]]:
    answer: list[list[Any]] = metrics.query(parse_query(question), organization).to_dict()["rows"]
    return answer


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

    def test_the_command_answers(self, platform: Platform) -> None:
        december = ["--by", "metric_time", "--grain", "month", "--since", "2024-12-01"]
        assert platform.metric("mrr", *december) == [["2024-12-01", 10_159_608]]

    @pytest.mark.parametrize(
        ("question", "answer"),
        [
            (
                {"metrics": ["mrr"], **BY_TIME, "grain": "year", "time_range": {"start": "2024-01-01"}},
                [["2024-01-01", 10_159_608]],
            ),
            ({"metrics": ["mrr"]}, [[10_159_608]]),
            ({"metrics": ["active_subscriptions"]}, [[4514]]),
            ({"metrics": ["churn_events"]}, [[600]]),
            ({"metrics": ["refunds_usd"]}, [[8652.25]]),
            ({"metrics": ["user_actions"]}, [[15_129]]),
            ({"metrics": ["user_actions"], **BY_TIME, "grain": "day"}, [["2015-01-01", 15_129]]),
            ({"metrics": ["active_users"]}, [[6208]]),
            ({"metrics": ["tickets_opened"]}, [[2000]]),
        ],
    )
    def test_a_metric_is_what_the_files_say(
        self, metrics: Metrics, question: dict[str, Any], answer: list[list[Any]]
    ) -> None:
        assert rows(metrics, question) == answer

    def test_the_whole_is_the_sum_over_organizations(self, metrics: Metrics) -> None:
        for metric in ("mrr", "user_actions", "feature_uses"):
            by_organization = rows(metrics, {"metrics": [metric], "group_by": ["organization"]})
            whole = rows(metrics, {"metrics": [metric]})[0][0]
            assert round(sum(row[1] or 0 for row in by_organization), 2) == whole
            name, value = max(by_organization, key=lambda row: row[1] or 0)
            assert rows(metrics, {"metrics": [metric]}, name) == [[value]]

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
