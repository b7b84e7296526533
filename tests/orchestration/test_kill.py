"""`kill -9` at any moment costs nothing: after one clean run the metrics are those of an undisturbed one."""

import random
import subprocess
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import NewDatabase
from tests.orchestration.conftest import FILES, SOURCES, write_events
from tests.support import Platform

ROUNDS = 6
QUESTIONS = [
    ["mrr", "active_subscriptions", "--by", "metric_time", "--by", "organization", "--grain", "month"],
    ["user_actions", "active_users", "--by", "metric_time", "--grain", "day"],
    ["feature_uses", "usage_hours", "--by", "feature"],
    ["refunds_usd", "--by", "organization"],
]


def arrive(data: Path, round_number: int) -> None:
    """What is new in a round: another event file, and a new version of each saas file's rows."""
    write_events(data / f"events_{round_number}.jsonl.gz", range(round_number * 8, round_number * 8 + 12))
    for name, text in FILES.items():
        header, *rows = text.splitlines()
        fresh = [row.replace("-1,", f"-{round_number}1,", 1).replace("A-1", f"A-{round_number}1") for row in rows]
        (data / name.replace("_1", f"_{round_number}")).write_text("\n".join([header, *fresh]) + "\n")


def a_platform(folder: Path, data: Path, url: str) -> Platform:
    folder.mkdir()
    sources = folder / "sources.yaml"
    sources.write_text(SOURCES.replace("data/", f"{data}/"))
    return Platform(
        folder,
        {
            "DATAINSIGHT_DATABASE_URL": url,
            "DATAINSIGHT_HOME": str(folder / "home"),
            "DATAINSIGHT_SOURCES": str(sources),
        },
    )


@pytest.mark.timeout(1200)
def test_kills_leave_no_trace(server_url: sa.URL, database: sa.URL, tmp_path: Path, data: Path) -> None:
    url = database.set(drivername="postgresql").render_as_string(hide_password=False)
    platform = a_platform(tmp_path / "killed", data, url)
    started = time.monotonic()
    platform.run()
    usual = time.monotonic() - started
    moments = random.Random(20240229)
    for round_number in range(2, 2 + ROUNDS):
        arrive(data, round_number)
        victim = platform.start("run")
        moment = moments.uniform(0.1, 1.0) * usual
        try:
            victim.wait(moment)
        except subprocess.TimeoutExpired:
            victim.kill()
        victim.communicate()
    platform.run()
    engine = sa.create_engine(database)
    with engine.connect() as connection:
        statuses = connection.execute(sa.text("select distinct status from dagster.runs")).scalars().all()
    engine.dispose()
    assert set(statuses) <= {"SUCCESS", "FAILURE"}, "no killed run looks alive"

    with NewDatabase(server_url) as name:
        other = server_url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
        undisturbed = a_platform(tmp_path / "undisturbed", data, other)
        undisturbed.run()
        for question in QUESTIONS:
            assert sorted(platform.metric(*question), key=str) == sorted(undisturbed.metric(*question), key=str)
