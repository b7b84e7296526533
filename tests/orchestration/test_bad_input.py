"""Bad input: one clear line, what was good stays served, every input row is accounted for."""

import os
import signal
from pathlib import Path

from tests.orchestration.conftest import ACCOUNTS, SUBSCRIPTIONS, TICKETS, USAGE, Company
from tests.support import Platform

USAGE_HEADER = USAGE.splitlines()[0]
MRR = ["mrr", "--by", "metric_time", "--grain", "month"]

# By table: the file, what is in it, how many rows that is, and a text that mends it.
REFUSED = {
    "accounts": (
        "accounts_2.csv",
        # A missing column.
        "\n".join(",".join(line.split(",")[:3]) for line in ACCOUNTS.splitlines()) + "\n",
        2,
        ACCOUNTS.replace("A-", "A-2"),
    ),
    "subscriptions": ("subscriptions_2.csv", "this is\nno table\n", 1, SUBSCRIPTIONS.replace("S-", "S-2")),
    "support_tickets": ("tickets_2.csv", "", 0, TICKETS.replace("T-", "T-2")),
}
# A question that stands on all of these tables.
QUESTION = ["mrr", "tickets_opened", "--by", "industry"]
ADMITTED = {
    "another delimiter": (
        "usage_2.csv",
        f"{USAGE_HEADER}\nU-20,S-1,02-01-2024,export,3,60,0,FALSE\n".replace(",", ";"),
        1,
        0,
    ),
    "a file cut off in the middle of a row": (
        "usage_3.csv",
        f"{USAGE_HEADER}\nU-30,S-1,02-01-2024,export,3,3600,0,FALSE\nU-31,S-1,02-0",
        2,
        1,
    ),
    "a text in a number column": (
        "usage_4.csv",
        f"{USAGE_HEADER}\nU-40,S-1,02-01-2024,export,three,3600,0,FALSE\nU-41,S-1,02-01-2024,export,3,60,0,FALSE\n"
        "U-42,S-1,03-01-2024,export,3,60,0,FALSE\n",
        3,
        1,
    ),
    "an extra column": ("usage_5.csv", f"{USAGE_HEADER},mood\nU-50,S-1,02-01-2024,export,3,3600,0,FALSE,fine\n", 1, 0),
}


def test_bad_files_are_refused_and_nothing_is_published(ran: Company) -> None:
    snapshot = ran.first["snapshot"]["snapshot_id"]
    answer = ran.metric(*MRR)
    for file, text, _, _ in REFUSED.values():
        (ran.data / file).write_text(text)

    done = ran("run")
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    told = errors[0].split("; batch ")
    for table, (file, _, _, _) in REFUSED.items():
        (one,) = [refusal for refusal in told if f"saas.{table} was refused" in refusal]
        assert file in one
    assert "Traceback" not in done.stderr

    refused = ran.json("batches", "list", "--status", "refused")["batches"]
    assert len(refused) == len(REFUSED)
    counted = {batch["table_name"]: batch["row_count"] for batch in refused}
    assert counted == {table: rows for table, (_, _, rows, _) in REFUSED.items()}
    trust = ran.json("metrics", "query", *QUESTION)["trust"]
    assert (trust["snapshot_id"], trust["refused_batches"], trust["checks"]["failed"]) == (snapshot, 3, 3)
    assert ran.metric(*MRR) == answer

    # A file is not judged again until it changes; mended, it is admitted and the complaint is gone.
    assert ran.run()["batches"] == []
    for file, _, _, mended in REFUSED.values():
        (ran.data / file).write_text(mended)
    batches = ran.run()["batches"]
    assert {batch["table_name"]: batch["status"] for batch in batches} == dict.fromkeys(REFUSED, "admitted")
    trust = ran.json("metrics", "query", *QUESTION)["trust"]
    assert (trust["refused_batches"], trust["checks"]["failed"]) == (0, 0)


def test_bad_rows_are_set_aside_and_the_rest_is_served(ran: Company) -> None:
    before = ran.first
    for file, text, _, _ in ADMITTED.values():
        (ran.data / file).write_text(text)

    after = ran.run()
    rows, bad = (sum(numbers) for numbers in zip(*((r, b) for _, _, r, b in ADMITTED.values()), strict=True))
    assert (after["rows_landed"], after["rows_quarantined"]) == (rows, bad)
    assert after["notes"]
    assert all("saas.feature_usage" in note for note in after["notes"])
    assert after["snapshot"]["snapshot_id"] > before["snapshot"]["snapshot_id"]
    assert ran.metric("feature_uses") == [[7 + 3 * (rows - bad)]]
    set_aside = ran.json("quarantine", "show")["quarantine"]
    assert len(set_aside) == bad
    assert all(row["failed_rules"] for row in set_aside)


def test_a_table_that_no_suite_covers_is_admitted_with_a_warning(ran: Company) -> None:
    (ran.data / "pets_1.csv").write_text("pet_id,name\n1,Rex\n")
    sources = ran.folder / "sources.yaml"
    sources.write_text(
        sources.read_text() + "  zoo:\n    kind: files\n    tables:\n      pets: {path: data/pets_*.csv}\n"
    )
    summary = ran.run()
    pets = [batch for batch in summary["batches"] if batch["table_name"] == "pets"]
    assert [batch["status"] for batch in pets] == ["admitted"]
    assert "warned" in {check["status"] for check in pets[0]["checks"]}
    assert [note for note in summary["notes"] if "no suite covers zoo.pets" in note]


def test_an_unreachable_database_is_one_clear_line(platform: Platform) -> None:
    platform.environment["DATAINSIGHT_DATABASE_URL"] = "postgresql://me:secret@127.0.0.1:1/nowhere"
    done = platform("run")
    assert done.returncode == 1
    assert "127.0.0.1:1/nowhere cannot be reached" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_one_clear_line_and_the_old_snapshot_is_served(ran: Company) -> None:
    snapshot = ran.first["snapshot"]["snapshot_id"]
    (ran.data / "usage_2.csv").write_text(f"{USAGE_HEADER}\nU-8,S-1,02-01-2024,export,3,3600,0,FALSE\n")
    # No file may grow beyond a few blocks, as on a disk that is full; what PostgreSQL writes is not ours.
    full = ran.start("run", preexec_fn=_small_files)
    _, stderr = full.communicate()
    assert full.returncode == 1
    assert len([line for line in stderr.splitlines() if line.startswith("error:")]) == 1
    assert "File too large" in stderr
    assert "Traceback" not in stderr
    answer = ran.json("metrics", "query", "feature_uses")
    assert (answer["trust"]["snapshot_id"], answer["rows"]) == (snapshot, [[7]])
    assert ran.run()["snapshot"]["published"] is True
    assert ran.metric("feature_uses") == [[10]]


def _small_files() -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))


def test_a_failing_model_publishes_nothing(platform: Platform, database: object) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(database)  # type: ignore[call-overload]
    with engine.begin() as connection:
        # Somebody's own table stands where a model wants to be.
        connection.execute(sa.text("create table marts.dim_plans_guard (id int)"))
        connection.execute(sa.text("create view marts.dim_plans as select * from marts.dim_plans_guard"))
    engine.dispose()
    done = platform("run")
    assert done.returncode == 1
    assert "error: dbt model dim_plans failed" in done.stderr
    assert platform("metrics", "query", "mrr").returncode == 1


def test_a_server_that_dies_during_the_run_is_one_clear_line_and_the_next_run_goes_on(platform: Platform) -> None:
    del platform.environment["DATAINSIGHT_DATABASE_URL"]
    victim = platform.start("run")
    assert victim.stderr is not None
    for line in victim.stderr:
        if "checking saas" in line:
            break
    data = Path(platform.environment["DATAINSIGHT_HOME"]) / "postgres" / "data"
    os.kill(int((data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    _, stderr = victim.communicate()
    assert victim.returncode == 1
    assert len([line for line in stderr.splitlines() if line.startswith("error:")]) == 1
    assert "Traceback" not in stderr
    assert "error: unexpected" not in stderr
    assert platform.run()["snapshot"]["published"] is True
    assert platform.metric("user_actions") == [[10]]
