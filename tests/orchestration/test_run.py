"""`datainsight run` over files that come, change and break."""

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from orchestration.run import _database_stays
from tests.orchestration.conftest import ACCOUNTS, Company, write_events
from tests.support import Platform
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

HEADER = ACCOUNTS.splitlines()[0]
MRR = ["mrr", "--by", "metric_time", "--grain", "month"]


def test_runs_land_what_is_new_and_only_that(ran: Company) -> None:
    first = ran.first
    assert first["rows_landed"] == 2 + 2 + 2 + 1 + 1 + 10
    assert first["snapshot"]["published"] is True
    assert ran.metric(*MRR) == [["2024-01-01", 140], ["2024-02-01", 140], ["2024-03-01", 100]]
    assert ran.metric("user_actions") == [[10]]

    second = ran.run()
    assert (second["rows_landed"], second["models"], second["snapshot"]["published"]) == (0, 0, False)
    assert second["snapshot"]["snapshot_id"] == first["snapshot"]["snapshot_id"]

    write_events(ran.data / "events_2.jsonl.gz", range(8, 15))
    third = ran.run()
    assert [batch["table_name"] for batch in third["batches"]] == ["events"]
    assert third["rows_landed"] == 7
    assert third["snapshot"]["published"] is True
    assert ran.metric("user_actions") == [[15]]
    assert ran.metric(*MRR) == [["2024-01-01", 140], ["2024-02-01", 140], ["2024-03-01", 100]]


def test_a_full_refresh_lands_all_again_and_says_the_same(ran: Company) -> None:
    answer = ran.metric(*MRR)
    again = ran.json("run", "--full-refresh")
    assert again["rows_landed"] == 18
    assert ran.metric(*MRR) == answer
    assert ran.metric("user_actions") == [[10]]
    assert ran.metric("feature_uses") == [[7]]


def test_only_the_named_source_is_landed(platform: Platform) -> None:
    only = platform.json("run", "--source", "github")
    assert {batch["source"] for batch in only["batches"]} == {"github"}
    assert platform.metric("user_actions") == [[10]]


def test_an_unknown_source_is_a_clear_error(platform: Platform) -> None:
    done = platform("run", "--source", "githup", "--json")
    assert json.loads(done.stdout)["error"].startswith("there is no such source")
    assert done.returncode == 1
    assert "no such source: 'githup' is not known; allowed are saas, github" in done.stderr
    assert "saas" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_corrected_row_replaces_the_old_version(ran: Company) -> None:
    (ran.data / "accounts_2.csv").write_text(f"{HEADER}\nA-1,One,FinTech,FR,01-01-2024,ads,Pro,5,FALSE,FALSE\n")
    ran.run()
    rows = ran.metric("active_organizations", "--by", "country", "--since", "2024-01-01", "--until", "2024-01-31")
    assert sorted(rows) == [["DE", 1], ["FR", 1]]


def test_one_organization_sees_its_own_rows_only(ran: Company) -> None:
    january = [*MRR, "--until", "2024-01-31"]
    assert ran.metric(*january, "--organization", "A-1") == [["2024-01-01", 100]]
    assert ran.metric(*january, "--organization", "A-2") == [["2024-01-01", 40]]
    assert ran.metric("mrr", "--organization", "A-2") == [[0]]


def test_a_lost_metric_store_is_published_again(ran: Company) -> None:
    first = ran.first["snapshot"]["snapshot_id"]
    shutil.rmtree(Path(ran.environment["DATAINSIGHT_HOME"]) / "metric_store" / "dim_plans")
    again = ran.run()
    assert again["rows_landed"] == 0
    assert again["snapshot"]["snapshot_id"] > first
    assert ran.metric("mrr", "--by", "plan", "--since", "2024-01-01", "--until", "2024-01-31") == [
        ["Basic", 40],
        ["Pro", 100],
    ]


def test_a_database_that_refuses_something_has_not_gone_away(warehouse: Warehouse) -> None:
    refused = "could not go on during the run: array size exceeds"
    with warehouse.engine().connect() as connection, pytest.raises(DataInsightError, match=refused), _database_stays():
        connection.execute(sa.text("select array_fill(0, array[1000000000])"))
