"""Answers that are kept: within their bytes, and shared through a real Redis that may go away."""

import itertools
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import redis
from pydantic import SecretStr

from serving.kept_answers import AnswerKey, KeptAnswer, KeptAnswers
from serving.metrics import Metrics
from serving.query import parse_query
from serving.shared_answers import SharedAnswers
from serving.snapshots import Snapshot
from tests.serving.conftest import Asking, Store
from tests.serving.http.conftest import until

SNAPSHOT = Snapshot(7, datetime(2024, 1, 1, tzinfo=UTC), {}, 1, {}, "definitions", "fingerprint")


def key(limit: int, organization: str | None = "acme", snapshot: Snapshot = SNAPSHOT, policy: str = "p") -> AnswerKey:
    return AnswerKey(
        snapshot, snapshot.snapshot_id, policy, organization, parse_query({"metrics": ["mrr"], "limit": limit})
    )


def answer(rows: int = 1) -> KeptAnswer:
    table = pa.table({"day": pa.array([date(2024, 1, 1)] * rows), "mrr": pa.array([Decimal("1.50")] * rows)})
    return KeptAnswer(table, frozenset({"fact_a", "dim_b"}), table.select(["mrr"]).slice(0, 1))


@contextmanager
def redis_server(port: int, folder: Path) -> Iterator[None]:
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is not installed; the README says what tests need"
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                with suppress(redis.ConnectionError):
                    client.ping()
                    break
                time.sleep(0.02)
        yield
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


@pytest.fixture
def redis_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_answers_are_kept_within_their_bytes_and_the_oldest_make_room() -> None:
    each = answer().bytes
    kept = KeptAnswers(10 * each)
    for number in range(1, 101):
        kept.put(key(number), answer())
        assert kept.near(key(1)) is not None
        assert kept.bytes <= 10 * each
    assert kept.near(key(100)) is not None
    assert kept.near(key(50)) is None
    before = kept.bytes
    kept.put(key(1_000), answer(rows=1_000_000))
    assert (kept.near(key(1_000)), kept.bytes) == (None, before)


def test_an_answer_of_many_pages_takes_what_its_rows_take() -> None:
    large = answer(rows=1_000_000)
    kept = KeptAnswers(5 * large.table.nbytes)
    kept.put(key(1), large)
    assert kept.near(key(1)) is large


def test_an_answer_is_for_one_organization_one_policy_and_one_question() -> None:
    kept = KeptAnswers(1_000_000)
    kept.put(key(1), answer())
    others = [
        key(2),
        key(1, "bolt"),
        key(1, None),
        key(1, policy="q"),
        key(1, snapshot=replace(SNAPSHOT, snapshot_id=8)),
    ]
    assert [kept.near(other) for other in others] == [None] * len(others)
    assert len({one.digest for one in (key(1), *others)}) == len(others) + 1
    assert key(1).digest != key(1, snapshot=replace(SNAPSHOT, fingerprint="of another installation")).digest


def test_true_and_one_are_two_questions() -> None:
    one, true = (
        AnswerKey(
            SNAPSHOT,
            7,
            "p",
            None,
            parse_query({"metrics": ["mrr"], "filters": [{"dimension": "d", "op": "eq", "values": [value]}]}),
        )
        for value in (1, True)
    )
    assert one != true


def test_replicas_share_answers_and_go_on_without_redis(redis_port: int, tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{redis_port}/0"
    here, there = (KeptAnswers(1_000_000, SharedAnswers(url, 100_000)) for _ in range(2))
    with redis_server(redis_port, tmp_path):
        here.put(key(1), answer(3))
        assert there.near(key(1)) is None
        found = there.far(key(1))
        assert found is not None
        assert found.table.equals(answer(3).table)
        assert found.marts == answer().marts
        assert found.totals is not None
        assert found.totals.equals(answer().totals)
        assert there.near(key(1)) is found
        assert there.far(key(1, "bolt")) is None
        here.put(key(2), answer(100_000))
        assert there.far(key(2)) is None
    started = time.monotonic()
    here.put(key(3), answer())
    for number in range(4, 200):
        assert there.far(key(number)) is None
    # Once it is known to be away, nobody waits for it.
    assert time.monotonic() - started < 5
    assert here.near(key(3)) is not None


def test_half_an_answer_in_redis_is_none(redis_port: int, tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{redis_port}/0"
    shared = SharedAnswers(url, 100_000)
    with redis_server(redis_port, tmp_path), redis.Redis.from_url(url) as client:
        shared.put(key(1), answer(3))
        (name,) = client.keys()
        whole = client.get(name)
        assert isinstance(whole, bytes)
        for size in range(len(whole) - 16):
            client.set(name, whole[:size])
            assert shared.get(key(1)) is None, size
        client.set(name, whole)
        assert shared.get(key(1)) is not None
    shared.close()


def test_metrics_are_answered_from_redis_and_without_it(store: Store, redis_port: int, tmp_path: Path) -> None:
    store.publish()
    settings = store.settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{redis_port}/0")})
    first, second = (Metrics(settings, store.warehouse) for _ in range(2))
    try:
        with redis_server(redis_port, tmp_path):
            computed = Asking(first).answer("mrr", organization="acme", group_by=["metric_time"])
            shared = Asking(second).answer("mrr", organization="acme", group_by=["metric_time"])
            assert (computed["timing"]["cache"], shared["timing"]["cache"]) == ("miss", "hit")
            assert shared["rows"] == computed["rows"]
            assert shared["trust"]["checks"] == computed["trust"]["checks"]
            assert (
                Asking(second).answer("mrr", organization="bolt", group_by=["metric_time"])["timing"]["cache"] == "miss"
            )
            assert "cache_unreachable_since" not in shared["trust"]
        alone = Asking(second).answer("mrr", organization="acme", grain="year")
        assert (alone["timing"]["cache"], alone["rows"] != []) == ("miss", True)
        since = alone["trust"]["cache_unreachable_since"]
        assert datetime.fromisoformat(since).tzinfo is not None
        again = Asking(second).answer("mrr", organization="acme", group_by=["metric_time"])
        assert (again["timing"]["cache"], again["trust"]["cache_unreachable_since"]) == ("hit", since)
        with redis_server(redis_port, tmp_path):
            numbers = itertools.count(1)

            def is_back() -> bool:
                told = Asking(second).answer("mrr", organization="acme", limit=next(numbers))
                return "cache_unreachable_since" not in told["trust"]

            until(is_back)
    finally:
        first.close()
        second.close()
