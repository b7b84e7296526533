"""What readers get while a publication runs, after one that did not come to its end, and with a full disk."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from deltalake import DeltaTable

from serving import store as store_module
from serving.store_files import table_url
from tests.serving.conftest import Asking, Store
from warehouse.errors import DataInsightError

NEW_ROW = "insert into marts.fact_user_actions values ('{0}', 'acme', 'u1', 'k1', 'PushEvent', '{1}', '{1}', {2})"


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def killed_before_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The process ends when every table is written and the snapshot's row is not."""

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(store_module, "insert_snapshot", die)
    return monkeypatch


def test_a_crash_before_the_snapshot_is_healed_by_the_next_publication(
    store: Store, ask: Asking, killed_before_the_snapshot: pytest.MonkeyPatch
) -> None:
    killed_before_the_snapshot.undo()
    first = store.publish()
    with killed_before_the_snapshot.context() as patch:
        patch.setattr(store_module, "insert_snapshot", lambda *_: (_ for _ in ()).throw(Killed))
        store.sql(NEW_ROW.format("new", "2024-02-10", 2))
        with pytest.raises(Killed):
            store.publish()

    assert store.latest().snapshot_id == first.snapshot_id
    assert ask.rows("user_actions") == [[360]]
    # What the crash has written is not believed, although it is what the mart holds.
    healed = store.publish()
    assert healed.rewritten == {"fact_user_actions": ["2024-02"]}
    assert ask.rows("user_actions") == [[361]]


def test_what_a_crash_left_is_taken_back_when_the_mart_is_as_before(
    store: Store, ask: Asking, killed_before_the_snapshot: pytest.MonkeyPatch
) -> None:
    killed_before_the_snapshot.undo()
    store.publish()
    with killed_before_the_snapshot.context() as patch:
        patch.setattr(store_module, "insert_snapshot", lambda *_: (_ for _ in ()).throw(Killed))
        store.sql(NEW_ROW.format("new", "2024-05-10", 2))
        with pytest.raises(Killed):
            store.publish()
    store.sql("delete from marts.fact_user_actions where user_action_id = 'new'")

    store.publish("another build")

    assert ask.rows("user_actions") == [[360]]
    url = table_url(store.settings.metric_store_url, "fact_user_actions")
    assert DeltaTable(url).to_pyarrow_dataset().count_rows() == 360


def test_a_crash_of_the_very_first_publication(
    store: Store, ask: Asking, killed_before_the_snapshot: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Killed):
        store.publish()
    killed_before_the_snapshot.undo()
    with pytest.raises(DataInsightError, match="nothing was published yet"):
        ask.rows("user_actions")

    assert store.publish().published
    assert ask.rows("user_actions") == [[360]]


def test_readers_see_the_old_snapshot_whole_until_the_new_one_is_there(
    store: Store, ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish()
    store.sql(NEW_ROW.format("new", "2024-02-10", 2))
    store.sql("update marts.dim_organizations set country = 'FR'")
    seen: list[Any] = []
    insert = store_module.insert_snapshot

    def look_first(*given: Any) -> Any:
        seen.append(ask.rows("user_actions", group_by=["country"]))
        return insert(*given)

    monkeypatch.setattr(store_module, "insert_snapshot", look_first)
    store.publish()

    assert seen == [[["DE", 120], ["US", 240]]]
    assert ask.rows("user_actions", group_by=["country"]) == [["FR", 361]]


def test_two_publications_at_once_wait_for_each_other(store: Store, ask: Asking) -> None:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(store.publish())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(result.published for result in results) == [False, False, True]
    assert len({result.snapshot_id for result in results}) == 1
    assert ask.rows("user_actions") == [[360]]


def test_a_store_that_cannot_be_written_is_one_line_and_the_old_snapshot_stays(
    store: Store, ask: Asking, tmp_path: Path
) -> None:
    before = store.publish()
    store.sql(
        "insert into marts.fact_user_actions select md5(n::text), md5(n::text), 'u', 'k', 'PushEvent',"
        " '2024-02-10', '2024-02-10', 2 from generate_series(1, 20000) as n"
    )
    program = tmp_path / "publish.py"
    program.write_text(
        "import resource, sys\n"
        "from pathlib import Path\n"
        "import sqlalchemy as sa\n"
        "from serving.store import publish\n"
        "from warehouse.database import Warehouse\n"
        "from warehouse.errors import DataInsightError\n"
        "from warehouse.settings import Settings\n"
        "url, home, manifest = sys.argv[1:]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    publish(Warehouse(sa.make_url(url)), Settings(home=Path(home)), semantic_manifest=Path(manifest),\n"
        "            fingerprint='a build', checks={})\n"
        "except DataInsightError as error:\n"
        "    print(error.message)\n"
    )
    url = store.warehouse.url_object.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, str(program), url, str(store.settings.home), str(store.semantic_manifest)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the metric store ")
    assert done.stdout.count("\n") == 1
    assert store.latest().snapshot_id == before.snapshot_id
    assert ask.rows("user_actions") == [[360]]
    store.publish()
    assert ask.rows("user_actions") == [[20360]]


def test_versions_that_nothing_names_any_more_are_deleted(store: Store, ask: Asking) -> None:
    store.publish()
    first_files = set(Path(store.settings.metric_store_url).glob("fact_user_actions/*/*.parquet"))
    aged = "update ops.snapshots set published_at = published_at - interval '2 hours'"
    store.settings = store.settings.model_copy(update={"snapshot_retention_hours": 1})
    for n, admission in enumerate((2, 3, 4)):
        store.sql(NEW_ROW.format(f"new{n}", "2024-02-10", admission))
        with store.warehouse.engine().begin() as connection:
            connection.execute(sa.text(aged))
        for file in Path(store.settings.metric_store_url).glob("*/*/*.parquet"):
            os.utime(file, (file.stat().st_mtime - 7200,) * 2)
        _age_tombstones(store)
        store.publish()

    left = set(Path(store.settings.metric_store_url).glob("fact_user_actions/*/*.parquet"))
    february = {file for file in first_files if file.parent.name.endswith("2024-02")}
    assert not february & left
    assert first_files - february <= left
    assert ask.rows("user_actions") == [[363]]
    # The vacuum's own versions are no reason to write anything again.
    assert not store.publish().published


def test_old_versions_that_cannot_be_deleted_fail_no_publication(
    store: Store, ask: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> int:
        raise OSError("the disk is sulking")

    tried: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "vacuum", fail)
        first = store.publish()
    monkeypatch.setattr(store_module, "vacuum", lambda url, *_: tried.append(url))

    assert first.published
    assert ask.answer("user_actions")["trust"]["snapshot_id"] == first.snapshot_id
    (warning,) = [record for record in caplog.records if record.name == "serving.store"]
    assert warning.levelname == "WARNING"
    assert "the disk is sulking" in warning.getMessage()
    store.publish("another build")
    assert tried


def _age_tombstones(store: Store) -> None:
    """Delta reckons the age of a removed file by its log, so the log is made to say that it is older."""
    import json

    for log in Path(store.settings.metric_store_url).glob("*/_delta_log/*.json"):
        actions = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        for action in actions:
            if "remove" in action:
                action["remove"]["deletionTimestamp"] -= 7_200_000
        log.write_text("\n".join(json.dumps(action) for action in actions), encoding="utf-8")
