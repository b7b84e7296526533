"""`kill -9` at any moment costs nothing: after one clean run the metrics are those of an undisturbed one."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.orchestration.conftest import FILES, Company, write_events

ROUNDS = 5
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


@pytest.mark.timeout(1200)
def test_kills_leave_no_trace(platform: Company, ran: Company) -> None:
    usual = ran.first["seconds"]
    moments = random.Random(20240229)
    for round_number in range(1, 1 + ROUNDS):
        if round_number > 1:
            arrive(platform.data, round_number)
        # No moment is spent on imports, neither of the victim nor of the run that says how long one usually takes.
        victim = platform.fork("run")
        moment = moments.uniform(0.1, 1.0) * usual
        try:
            victim.wait(moment)
        except subprocess.TimeoutExpired:
            victim.kill()
        victim.communicate()
    platform.run()
    engine = sa.create_engine(platform.environment["DATAINSIGHT_DATABASE_URL"].replace("sql:", "sql+psycopg2:"))
    with engine.connect() as connection:
        statuses = connection.execute(sa.text("select distinct status from dagster.runs")).scalars().all()
    engine.dispose()
    assert set(statuses) <= {"SUCCESS", "FAILURE"}, "no killed run looks alive"

    shutil.copytree(platform.data, ran.data, dirs_exist_ok=True)
    ran.run()
    for question in QUESTIONS:
        assert sorted(platform.metric(*question), key=str) == sorted(ran.metric(*question), key=str)
