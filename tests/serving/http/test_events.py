"""Events that are answered are stored, once each, for whoever's key they came with; a bad one refuses its batch."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.http.conftest import Server, running
from tests.serving.http.reporting import PATH, acme, door, event, report, stored
from warehouse.database import Warehouse
from warehouse.settings import Settings

__all__ = ["acme", "door"]


def test_what_is_answered_is_stored_with_everything_it_said(door: Server, acme: httpx.Client) -> None:
    said = {
        "dashboard_id": "d-1",
        "feature": "export",
        "object": "Bericht 9",
        "properties": {"format": "csv", "n": [1]},
    }
    taken = report(acme, event("e-1", **said), event("e-2", occurred_at="2026-01-31T19:30:00.25+02:00"))
    assert (taken.status_code, taken.json()) == (202, {"accepted": 2, "duplicates": 0})
    assert stored(
        door.warehouse, "organization_id, event_id, user_id, action, dashboard_id, feature, object, properties"
    ) == [
        ("acme", "e-1", "u-1", "dashboard_viewed", *said.values()),
        ("acme", "e-2", "u-1", "dashboard_viewed", None, None, None, {}),
    ]
    moments = [datetime(2026, 1, 31, 18, tzinfo=UTC), datetime(2026, 1, 31, 17, 30, 0, 250_000, tzinfo=UTC)]
    assert [at for (at,) in stored(door.warehouse, "occurred_at")] == moments


def test_a_moment_without_a_zone_is_taken_in_utc(door: Server, acme: httpx.Client) -> None:
    tomorrow = datetime.now(UTC) + timedelta(hours=23)
    assert report(acme, event("e-1", occurred_at=f"{tomorrow:%Y-%m-%dT%H:%M:%S}")).status_code == 202
    assert stored(door.warehouse, "occurred_at") == [(tomorrow.replace(microsecond=0),)]


def test_an_event_counts_once_however_often_it_comes(door: Server, acme: httpx.Client) -> None:
    assert report(acme, event("e-1"), event("e-1", action="another")).json() == {"accepted": 1, "duplicates": 1}
    assert report(acme, event("e-1"), event("e-2")).json() == {"accepted": 1, "duplicates": 1}
    assert stored(door.warehouse, "event_id, action") == [("e-1", "dashboard_viewed"), ("e-2", "dashboard_viewed")]


def test_the_same_batch_sent_by_many_at_once_is_stored_once(door: Server, acme: httpx.Client) -> None:
    events = [event(f"e-{number}") for number in range(300)]
    answers: list[httpx.Response] = []

    def send(turn: int) -> None:
        # Each in another order: whoever waits for somebody who waits for them would never end.
        shift = turn * 37
        answers.append(report(acme, *events[shift:], *events[:shift]))

    threads = [threading.Thread(target=send, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert sum(answer.json()["accepted"] for answer in answers) == 300
    assert sum(answer.json()["duplicates"] for answer in answers) == 7 * 300
    assert len(stored(door.warehouse)) == 300


@pytest.mark.parametrize(
    ("given", "where", "why"),
    [
        ({"event_id": ""}, "event_id", "at least 1 character"),
        ({"event_id": "e" * 201}, "event_id", "at most 200 characters"),
        ({"event_id": " e"}, "event_id", "no blanks around it"),
        ({"user_id": "u\u0000"}, "user_id", "no control characters"),
        ({"user_id": None}, "user_id", "valid string"),
        ({"action": 5}, "action", "valid string"),
        ({"action": "a" * 101}, "action", "at most 100 characters"),
        ({"occurred_at": "yesterday"}, "occurred_at", "must be a moment such as"),
        ({"occurred_at": 1_760_000_000}, "occurred_at", "must be a moment such as"),
        ({"occurred_at": "2026-02-31T10:00:00Z"}, "occurred_at", "valid datetime"),
        ({"occurred_at": "1989-12-31T23:59:59Z"}, "occurred_at", "must not be before 1990-01-01"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "must be a day of the calendar"),
        (
            {"occurred_at": (datetime.now(UTC) + timedelta(hours=25)).isoformat()},
            "occurred_at",
            "must not be more than a day in the future",
        ),
        ({"properties": {"text": "x" * 8192}}, "properties", "at most 8,192 bytes"),
        ({"properties": {"text": "a\u0000b"}}, "properties", "no NUL character"),
        ({"properties": {"number": 10**40}}, "properties", "JSON that can be stored"),
        ({"properties": []}, "properties", "valid dictionary"),
        ({"organization_id": "bolt"}, "organization_id", "Extra inputs are not permitted"),
    ],
)
def test_one_bad_event_refuses_all_and_says_which(
    door: Server, acme: httpx.Client, given: dict[str, Any], where: str, why: str
) -> None:
    refused = report(acme, event("e-1"), event("e-2", **given))
    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["detail"].startswith(f"body.events.1.{where}: ")
    assert why in refused.json()["detail"]
    assert stored(door.warehouse) == []


def test_a_backslash_before_a_u_is_no_nul_character(door: Server, acme: httpx.Client) -> None:
    assert report(acme, event("e-1", properties={"path": "C:\\u0000"})).status_code == 202
    assert stored(door.warehouse, "properties") == [({"path": "C:\\u0000"},)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"events": []}', "at least 1 item"),
        ("{}", "body.events: Field required"),
        ("no JSON", "JSON decode error"),
        (
            '{"events": [{"event_id": "\\ud800", "user_id": "u", "action": "a", "occurred_at": "2026-01-31"}]}',
            "unicode",
        ),
    ],
)
def test_what_is_no_batch_is_refused(door: Server, acme: httpx.Client, content: str, why: str) -> None:
    refused = acme.post(PATH, content=content, headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")
    assert why in refused.json()["detail"]
    assert stored(door.warehouse) == []


def test_a_batch_has_a_thousand_events_at_most(door: Server, acme: httpx.Client) -> None:
    assert report(acme, *(event(f"e-{number}") for number in range(1_001))).status_code == 400
    assert report(acme, *(event(f"e-{number}") for number in range(1_000))).json()["accepted"] == 1_000
    assert len(stored(door.warehouse)) == 1_000


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(
    settings: Settings, warehouse: Warehouse
) -> None:
    body = b'{"events": [' + b" " * 4_000 + b"]}"
    with running(create_app(settings.model_copy(update={"body_bytes": 2_048}))) as address:
        door = Server(address, warehouse)
        with door.client(door.key("acme", Role.EDITOR)) as client:
            for content in (body, iter([body[:1_500], body[1_500:]])):
                refused = client.http.post(PATH, content=content, headers={"Content-Type": "application/json"})
                assert (refused.status_code, refused.headers["Content-Type"]) == (413, "application/problem+json")
                assert refused.json()["detail"] == "the body has more than 2,048 bytes; nothing of it was taken"
                assert refused.headers["X-Content-Type-Options"] == "nosniff"
            assert report(client.http, event("e-1")).status_code == 202


def test_only_who_may_reports_and_only_of_their_own_organization(door: Server, acme: httpx.Client) -> None:
    assert report(httpx.Client(base_url=door.address), event("e-1")).status_code == 401
    with door.client(door.key("acme", Role.VIEWER)) as viewer:
        assert report(viewer.http, event("e-1")).status_code == 403
    other = report(acme, event("e-1"), params={"organization": "bolt"})
    nobody = report(acme, event("e-1"), params={"organization": "no such"})
    assert other.status_code == nobody.status_code == 403
    assert other.json()["detail"] == nobody.json()["detail"]
    assert stored(door.warehouse) == []
    assert report(acme, event("e-1"), params={"organization": "acme"}).status_code == 202
    with door.client(door.key("bolt", Role.EDITOR)) as bolt:
        # Another organization's event of the same name is another event, and nobody learns that there is one.
        assert report(bolt.http, event("e-1")).json() == {"accepted": 1, "duplicates": 0}
    assert stored(door.warehouse) == [("acme", "e-1"), ("bolt", "e-1")]


def test_an_operator_says_whose_it_is_and_that_is_written_down(door: Server) -> None:
    with door.client(door.key(None, Role.OPERATOR)) as operator:
        unsaid = report(operator.http, event("e-1"))
        assert (unsaid.status_code, unsaid.json()["hint"]) == (400, "add ?organization=ORG")
        assert report(operator.http, event("e-1"), params={"organization": "a\nb"}).status_code == 400
        assert report(operator.http, event("e-1"), params={"organization": "acme"}).status_code == 202
    assert stored(door.warehouse) == [("acme", "e-1")]
    with door.warehouse.engine().connect() as connection:
        (row,) = connection.execute(
            sa.text("select organization_id, details from app.audit_log where action = 'events.write'")
        )
    assert tuple(row) == ("acme", {"events": 1})


def test_the_description_of_the_api_says_what_an_event_is(door: Server) -> None:
    described = httpx.get(f"{door.address}/api/v1/openapi.json").json()
    operation = described["paths"]["/api/v1/analytics/events"]["post"]
    assert {"202", "400", "401", "403", "413", "429", "503"} == operation["responses"].keys()
    properties = described["components"]["schemas"]["Event"]["properties"]
    assert all(said["description"] and said["examples"] for said in properties.values())
