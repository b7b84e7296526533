"""Events that the API took in land once each and none is lost, whatever the order in which they are committed."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.inspection import check, discover
from connectors.landing.land import land
from connectors.platform import settled
from connectors.source import SourceConfig
from serving.events import Event, store
from tests.connectors.conftest import Shop
from warehouse.database import API, LOADER, Warehouse


@pytest.fixture
def platform(warehouse: Warehouse, tmp_path: Path) -> Shop:
    path = tmp_path / "sources.yaml"
    path.write_text("sources:\n  platform: {kind: platform}\n")
    (source,) = load_sources(path, tmp_path / "home")
    return Shop(source, warehouse, tmp_path / "home")


def report(warehouse: Warehouse, *names: str, organization: str = "acme", **given: Any) -> None:
    said = {"user_id": "u-1", "action": "dashboard_viewed", "occurred_at": "2026-01-31T18:00:00Z", **given}
    store(warehouse, organization, [Event(event_id=name, **said) for name in names])


def landed(platform: Shop) -> list[str]:
    return platform.column("select event_id from raw_platform.events order by event_id")


@pytest.fixture
def writing(warehouse: Warehouse) -> Iterator[sa.Connection]:
    """Somebody who has written an event and not committed it yet."""
    with warehouse.engine(API).connect() as connection:
        connection.execute(
            sa.text(
                "insert into app.events (organization_id, event_id, user_id, action, occurred_at)"
                " values ('acme', 'late', 'u-1', 'dashboard_viewed', now())"
            )
        )
        yield connection


def test_while_nothing_was_reported_nothing_lands(platform: Shop) -> None:
    assert platform.land() == []
    assert platform.land(full_refresh=True) == []
    assert platform.column("select to_regnamespace('raw_platform')") == [None]


def test_what_is_reported_lands_once(platform: Shop) -> None:
    report(platform.warehouse, "e-1", dashboard_id="d-1", properties={"format": "csv"})
    assert len(platform.land()) == 1
    assert platform.land() == []
    report(platform.warehouse, "e-1", "e-2")
    report(platform.warehouse, "e-1", organization="bolt")
    platform.land()

    said = (
        "organization_id, event_id, user_id, action, occurred_at = '2026-01-31T18:00:00Z' as at, dashboard_id, feature"
    )
    events = platform.all(f"select {said}, properties from raw_platform.events order by received_seq")
    common = {"user_id": "u-1", "action": "dashboard_viewed", "at": True, "feature": None}
    assert events == [
        {
            **common,
            "organization_id": "acme",
            "event_id": "e-1",
            "dashboard_id": "d-1",
            "properties": '{"format": "csv"}',
        },
        {**common, "organization_id": "acme", "event_id": "e-2", "dashboard_id": None, "properties": "{}"},
        {**common, "organization_id": "bolt", "event_id": "e-1", "dashboard_id": None, "properties": "{}"},
    ]
    assert [batch["row_count"] for batch in platform.batches()] == [1, 2]
    assert {batch["key_columns"][1] for batch in platform.batches()} == {"event_id"}


def test_an_event_that_is_committed_late_delays_the_others_and_is_not_lost(
    platform: Shop, writing: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(platform.warehouse, "e-1")
    monkeypatch.setattr(settled, "PATIENCE_SECONDS", 0.05)
    said: list[str] = []
    assert land(platform.source, platform.warehouse, platform.home, say=said.append) == []
    assert any("the next run takes them" in line for line in said)

    writing.commit()
    platform.land()
    assert landed(platform) == ["e-1", "late"]


def test_a_run_waits_for_who_is_writing_and_for_nobody_who_begins_later(platform: Shop, writing: sa.Connection) -> None:
    report(platform.warehouse, "e-1")
    found: list[int | None] = []
    looking = threading.Thread(target=lambda: found.append(settled.newest_settled(platform.warehouse, 60)))
    looking.start()
    until(lambda: looks_for_writers(platform.warehouse))
    with platform.warehouse.engine(API).connect() as another:
        another.execute(
            sa.text(
                "insert into app.events (organization_id, event_id, user_id, action, occurred_at)"
                " values ('acme', 'later', 'u-1', 'dashboard_viewed', now())"
            )
        )
        assert found == []
        writing.commit()
        looking.join(60)
        # The other one is still at it; what it writes has a higher number.
        assert found == [2]
        another.commit()
    platform.land()
    assert landed(platform) == ["e-1", "late", "later"]


def looks_for_writers(warehouse: Warehouse) -> bool:
    """Whether somebody has asked twice who is writing: the first time counts."""
    with warehouse.engine().connect() as connection:
        return bool(
            connection.execute(
                sa.text(
                    "select exists (select from pg_stat_activity where query like 'select virtualtransaction%'"
                    " and state = 'idle' and datname = current_database())"
                )
            ).scalar_one()
        )


def until(holds: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def test_many_who_write_at_once_lose_nothing(platform: Shop) -> None:
    def write(writer: int) -> None:
        for batch in range(20):
            report(platform.warehouse, *(f"{writer}-{batch}-{number}" for number in range(10)))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        platform.land()
    platform.land()
    assert platform.column("select count(*) from raw_platform.events") == [800]
    assert platform.column("select count(distinct event_id) from raw_platform.events") == [800]


def test_a_full_refresh_lands_all_again_and_tells_what_is_gone(platform: Shop) -> None:
    report(platform.warehouse, "e-1", "e-2")
    platform.land()
    platform.execute("delete from app.events where event_id = 'e-1'")
    assert platform.land() == []
    platform.land(full_refresh=True)
    assert [(batch["row_count"], batch["deleted_count"]) for batch in platform.batches()] == [(2, 0), (1, 1)]
    platform.execute("delete from app.events")
    platform.land(full_refresh=True)
    assert [(batch["row_count"], batch["deleted_count"]) for batch in platform.batches()][2:] == [(0, 1)]


def test_it_can_be_looked_at_like_any_source(platform: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    url = platform.warehouse.url_object.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("DATAINSIGHT_DATABASE_URL", url)
    source: SourceConfig = platform.source
    assert check(source) == [{"table_name": "events", "ok": True, "problem": None, "rows": None}]
    (found,) = discover(source)
    assert (found["table_name"], found["key"], found["cursor"], found["configured"], found["settings"]) == (
        "events",
        ["organization_id", "event_id"],
        "received_seq",
        True,
        {},
    )


@pytest.mark.parametrize(
    ("role", "statement", "may"),
    [
        (API, "insert into app.events values ('a', 'e', 'u', 'did', now())", True),
        (API, "select from app.events", False),
        (API, "update app.events set action = 'other'", False),
        (API, "delete from app.events", False),
        (LOADER, "select from app.events", True),
        (LOADER, "delete from app.events", False),
        (LOADER, "select from app.api_keys", False),
        ("transformer", "select from app.events", False),
        ("analyst", "select from app.events", False),
        ("tenant", "select from app.events", False),
    ],
)
def test_who_may_touch_the_events(warehouse: Warehouse, role: str, statement: str, *, may: bool) -> None:
    with warehouse.engine(role).begin() as connection:
        if may:
            connection.execute(sa.text(statement))
        else:
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), connection.begin_nested():
                connection.execute(sa.text(statement))
