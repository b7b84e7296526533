"""Taps that die, hang, or write nonsense; and what must not be seen of them or left behind."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from connectors.singer.process import Command
from tests.connectors.singer.conftest import TapRun
from warehouse.errors import DataInsightError

_ONE = 'schema("orders", id=INT)\nrecord("orders", id=1)\n'


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('log("starting"); raise ValueError("no such account")', "ended with exit code 1: ValueError: no such account"),
        ("sys.exit(3)", "ended with exit code 3: it said nothing"),
        ("os.kill(os.getpid(), 9)", "was killed by signal 9: it said nothing"),
        ("""print('{"type": "REC', end="", flush=True); os.kill(os.getpid(), 9)""", "was killed by signal 9"),
        ("""print('{"type": "RECORD", "stre', end="", flush=True)""", "no Singer message, but no JSON"),
        ("""print('x{"type": "RECORD", "stream": "orders"}')""", "no Singer message, but no JSON: x{"),
        ("""print('{"stream": "orders"}')""", "JSON without a type"),
        ("""say("RECORD", stream="orders")""", "a RECORD without record"),
        ("""say("RECORD", stream="orders", record=[1])""", "a record of orders that is no object"),
        (
            """say("BATCH", stream="orders", encoding={"format": "parquet"}, manifest=["s3://a/b"])""",
            "a BATCH of parquet  at s3://",
        ),
    ],
)
def test_nothing_counts_of_a_tap_that_fails(lone_tap: TapRun, script: str, said: str):
    lone_tap.write(_ONE + script)
    with pytest.raises(DataInsightError) as error:
        lone_tap.extract()
    assert said in error.value.message
    assert "\n" not in error.value.message


def test_after_a_death_the_next_run_starts_from_the_same_state(tap: TapRun):
    tap.write(_ONE + 'say("STATE", value={"bookmarks": {"orders": {"n": 1}}})\nsys.exit(1)')
    with pytest.raises(DataInsightError):
        tap.land()
    assert tap.query("select count(*) from ops.batches") == [(0,)]
    tap.write(_ONE + 'json.dump(state, open("given.json", "w"))')
    tap.land()
    assert tap.given("given.json") == {}
    assert tap.query("select id from raw_shop.orders") == [(1,)]


def test_a_record_before_its_schema(lone_tap: TapRun):
    lone_tap.write('record("orders", id=1)')
    with pytest.raises(DataInsightError, match="a record of orders before its SCHEMA"):
        lone_tap.extract()


def test_noise_beside_messages_is_shown_and_noise_alone_is_no_tap(lone_tap: TapRun):
    lone_tap.write("print('Hello!')\nprint()\n" + _ONE)
    assert lone_tap.extract()["orders"].rows == 1
    assert "the tap tap-shop wrote what is no message: Hello!" in lone_tap.said
    lone_tap.write("print('Hello!')\nprint('Bye!')")
    with pytest.raises(DataInsightError, match="wrote 2 lines, none of them a Singer message"):
        lone_tap.extract()


def test_no_catalog(lone_tap: TapRun):
    lone_tap.write("")
    path = lone_tap.folder / "tap-shop"
    path.write_text(f"#!{sys.executable}\nprint('usage: none')\n")
    with pytest.raises(DataInsightError, match="--discover wrote no catalog, but usage: none"):
        lone_tap.extract()
    path.unlink()
    with pytest.raises(DataInsightError, match="tap-shop is no executable file"):
        lone_tap.extract()


def test_a_tap_that_is_silent_for_too_long_is_stopped_with_all_it_started(lone_tap: TapRun):
    lone_tap.write(
        _ONE + "import subprocess\n"
        'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])\n'
        'json.dump([os.getpid(), child.pid], open("pids.json", "w"))\ntime.sleep(600)'
    )
    with pytest.raises(DataInsightError, match="wrote nothing for 3 seconds and was stopped"):
        lone_tap.extract(patience="3 seconds")
    pids = lone_tap.given("pids.json")
    _until(lambda: not any(map(_is_running, pids)))


def test_what_a_tap_leaves_running_holds_nobody_up(lone_tap: TapRun):
    lone_tap.write(
        _ONE + "import subprocess\n"
        'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])\n'
        'json.dump([child.pid], open("pids.json", "w"))'
    )
    assert lone_tap.extract()["orders"].rows == 1
    [pid] = lone_tap.given("pids.json")
    _until(lambda: not _is_running(pid))


def test_a_tap_does_not_outlive_us(lone_tap: TapRun):
    lone_tap.write(_ONE + 'json.dump([os.getpid()], open("pids.json", "w"))\nlog("ready")\ntime.sleep(600)')
    program = (
        "import sys; from pathlib import Path; from tests.connectors.singer.conftest import TapRun\n"
        f"TapRun(None, Path({str(lone_tap.folder)!r})).extract(discovery=False)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    pids = lone_tap.folder / "pids.json"
    _until(lambda: pids.exists() and pids.read_text().endswith("]"))
    owner.kill()
    owner.wait()
    [pid] = lone_tap.given("pids.json")
    _until(lambda: not _is_running(pid))


def test_secrets_are_neither_shown_nor_left(tap: TapRun):
    tap.write(
        _ONE + 'assert oct(os.stat(told.config).st_mode & 0o777) == "0o600"\n'
        'log("using " + config["api_token"] + " for " + config["region"])\n'
        'assert "DATAINSIGHT_SECRET_KEY" not in os.environ\n'
        'if config.get("fail"): sys.exit("bad token " + config["api_token"] + config["logins"][0]["password"])'
    )
    os.environ["DATAINSIGHT_SECRET_KEY"] = "x"
    config = {"api_token": "hunter2hunter2", "region": "eu", "logins": [{"password": "swordfish"}]}
    try:
        tap.land(config=config)
        with pytest.raises(DataInsightError, match=r"exit code 1: bad token \*\*\*"):
            tap.land(config={**config, "fail": True})
    finally:
        del os.environ["DATAINSIGHT_SECRET_KEY"]
    assert "the tap tap-shop: using *** for eu" in tap.said
    assert "hunter2" not in repr(tap.source(config=config))
    holding = [path for path in tap.home.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert holding == []


def test_metrics_are_summed_up_and_go_to_the_batch(lone_tap: TapRun):
    lone_tap.write(
        _ONE
        + """
for seconds in (0.25, 0.5):
    log('INFO METRIC: {"type": "timer", "metric": "http_request_duration", "value": %s, "tags": {}}' % seconds)
log("INFO METRIC: {broken}")
log("DEBUG nobody wants this")
"""
    )
    portion = lone_tap.extract()["orders"]
    assert portion.origin["metrics"] == {"http_request_duration": {"count": 2, "sum": 0.75}}
    assert portion.origin["tap"] == "./tap-shop"
    assert lone_tap.said == ["the tap tap-shop: INFO METRIC: {broken}"]


def test_memory_stays_bounded_and_the_pipe_holds_the_tap_back(lone_tap: TapRun):
    lone_tap.write('schema("orders", id=INT, note=TEXT)\nfor n in range(35000): record("orders", id=n, note="x" * 100)')
    portion = lone_tap.extract()["orders"]
    assert [batch.num_rows for batch in portion.read()] == [10_000, 10_000, 10_000, 5_000]


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("connectors.singer.process._LONGEST_LINE_BYTES", 1000)
    arguments = [sys.executable, "-c", "print('x' * 5000)"]
    with (
        Command("the tap", arguments, folder=tmp_path, patience_seconds=60) as command,
        pytest.raises(DataInsightError, match="the tap wrote a line of more than"),
    ):
        list(command.lines())


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _until(condition) -> None:
    """Wait for a condition; the test's own time limit ends it when it never comes."""
    while not condition():
        threading.Event().wait(0.02)
