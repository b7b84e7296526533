"""What is given out of a person: everything of theirs, nothing of anybody else's, and no transaction for ever."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.http.exporting import MOST_EXPORTS, Exporting
from serving.http.state import open_state
from serving.identity.people import add_person
from serving.identity.refusals import TooManyAttemptsError
from serving.identity.roles import Role
from serving.privacy.exports import exported as exported_parts
from serving.privacy.person import find_person
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running, until
from tests.serving.http.people import added, audited, new_email, post
from warehouse.database import LOADER


@pytest.fixture(scope="module")
def server(published: Store) -> Iterator[Server]:
    """A server over a warehouse in which events have landed."""
    with published.warehouse.engine(LOADER).begin() as connection:
        connection.exec_driver_sql("create schema raw_platform")
        connection.exec_driver_sql(
            "create table raw_platform.events (organization_id text, event_id text, user_id text, properties text)"
        )
        connection.exec_driver_sql(
            "insert into raw_platform.events values ('acme', 'e-1', 'u-17', '{}'), ('bolt', 'e-2', 'u-17', '{}')"
        )
    with running(create_app(published.settings)) as address:
        yield Server(address, published.warehouse)


def exported(server: Server, person: dict[str, Any], token: str) -> dict[str, Any]:
    answer = post(server, "/privacy/exports", person, token)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def report(server: Server, organization: str, *users: str) -> None:
    events = [
        {"event_id": f"{user}-1", "user_id": user, "action": "looked", "occurred_at": "2024-03-05T10:00:00Z"}
        for user in users
    ]
    answer = post(server, "/analytics/events", {"events": events}, server.key(organization, Role.EDITOR))
    assert answer.status_code == 202, answer.text


def test_an_export_has_everything_of_the_person_and_nothing_that_lets_somebody_in(server: Server) -> None:
    admin = added(server, "acme", Role.ADMIN)
    bea = added(server, "acme", Role.ADMIN)
    made = post(server, "/keys", {"name": "a notebook of Bea's"}, bea.tokens["access_token"]).json()
    report(server, "acme", bea.email, "somebody else")
    given = {"email": bea.email.upper()}
    answer = post(server, "/privacy/exports", given, admin.tokens["access_token"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found = answer.json()
    assert [(one["user_id"], one["email"]) for one in found["account"]] == [(bea.user_id, bea.email)]
    assert [(one["organization_id"], one["role"]) for one in found["memberships"]] == [("acme", "admin")]
    assert [one["key_id"] for one in found["keys"]] == [made["key_id"]]
    assert {"auth.login", "keys.add"} <= {one["action"] for one in found["audit"]}
    assert [one["user_id"] for one in found["events"]] == [bea.email]
    for secret in (made["key"][16:], "password_hash", "secret_hash", "argon2"):
        assert secret not in answer.text
    # By the id of the account it is the same.
    again = exported(server, {"user_id": bea.user_id}, admin.tokens["access_token"])
    assert (again["account"], again["events"]) == (found["account"], found["events"])
    actor = f"user:{admin.user_id}"
    assert audited(server.warehouse, actor)[-1] == ("privacy.export", {"user_id": bea.user_id})


def test_what_sources_and_marts_tell_of_somebody_is_in_it(server: Server) -> None:
    key = server.key("acme", Role.ADMIN)
    landed = exported(server, {"user_id": "u-17"}, key)["landed"]["platform.events"]
    assert [(one["organization_id"], one["event_id"]) for one in landed] == [("acme", "e-1")]
    mart = exported(server, {"user_id": "login3"}, key)["marts"]["dim_users"]
    assert [(one["organization_id"], one["login"]) for one in mart] == [("acme", "login3")]
    # Another organization's is not theirs, and that there is one is not told.
    assert exported(server, {"user_id": "login1"}, key)["marts"]["dim_users"] == []
    everywhere = exported(server, {"user_id": "u-17"}, server.key(None, Role.OPERATOR))
    assert len(everywhere["landed"]["platform.events"]) == 2
    one_source = exported(server, {"user_id": "u-17", "source": "github"}, key)
    assert (one_source["landed"], one_source["events"]) == ({}, [])


def quarantine(server: Server, *payloads: dict[str, Any]) -> None:
    """Set rows of the events aside."""
    with server.warehouse.engine().begin() as connection:
        batch = connection.execute(
            sa.text(
                "insert into ops.batches (source, table_name, row_count) values ('platform', 'events', :rows)"
                " returning batch_id"
            ),
            {"rows": len(payloads)},
        ).scalar_one()
        for number, payload in enumerate(payloads):
            connection.execute(
                sa.text(
                    "insert into ops.quarantine (batch_id, row_id, payload, failed_rules)"
                    " values (:batch, :number, cast(:payload as jsonb), '{a_rule}')"
                ),
                {"batch": batch, "number": number, "payload": json.dumps(payload)},
            )


def test_what_was_set_aside_of_somebody_is_in_it_and_no_line_that_may_be_somebody_elses(server: Server) -> None:
    person = {"user_id": "u-set-aside"}
    mine, theirs = ({"organization_id": name, **person, "action": "looked"} for name in ("acme", "bolt"))
    unread = {"file": "f", "line": "bolt,u-set-aside,spoke of acme", "reason": "cut short"}
    quarantine(server, mine, theirs, unread, {**mine, "user_id": "another"}, {"erased": True})
    found = exported(server, person, server.key("acme", Role.ADMIN))["quarantine"]
    assert [(one["source"], one["table_name"], one["payload"]) for one in found] == [("platform", "events", mine)]
    assert found[0]["failed_rules"] == ["a_rule"]
    everywhere = exported(server, person, server.key(None, Role.OPERATOR))["quarantine"]
    assert [one["payload"] for one in everywhere] == [mine, theirs, unread]
    assert exported(server, {**person, "source": "github"}, server.key(None, Role.OPERATOR))["quarantine"] == []


def test_an_organization_gets_its_own_entries_of_the_log_and_how_its_people_came_in(server: Server) -> None:
    token = added(server, "acme", Role.ADMIN).tokens["access_token"]
    bea = added(server, "acme", Role.VIEWER)
    assert post(server, "/auth/totp", {"password": bea.password}, bea.tokens["access_token"]).status_code == 201
    add_person(server.warehouse, bea.email, Role.VIEWER, "bolt", actor="test")
    assert bea.log_in(organization="bolt").status_code == 200

    def entries() -> list[tuple[str, str | None]]:
        found = exported(server, {"email": bea.email}, token)["audit"]
        return [(one["action"], one["organization_id"]) for one in found]

    assert entries() == [("auth.login", "acme"), ("auth.totp_begun", None)]
    add_person(server.warehouse, bea.email, Role.OPERATOR, None, actor="test")
    assert entries() == [("auth.login", "acme")]


def test_nobody_reaches_who_is_in_another_organization(server: Server) -> None:
    admin, stranger = added(server, "acme", Role.ADMIN), added(server, "bolt", Role.VIEWER)
    report(server, "bolt", stranger.email)
    nobody = {"email": new_email()}
    for person in ({"email": stranger.email}, {"user_id": stranger.user_id}):
        found = exported(server, person, admin.tokens["access_token"])
        assert found == exported(server, nobody, admin.tokens["access_token"])
    named = {"email": stranger.email, "organization_id": "bolt"}
    for path in ("/privacy/exports", "/privacy/erasures"):
        assert post(server, path, named, admin.tokens["access_token"]).status_code == 403
        assert post(server, path, named, server.key("bolt", Role.EDITOR)).status_code == 403


def test_no_more_exports_are_written_at_once_than_may_be(published: Store) -> None:
    settings = published.settings
    with open_state(settings) as state, running(create_app(settings, state)) as address:
        server, person = Server(address, published.warehouse), {"user_id": "u-17"}
        key = server.key("acme", Role.ADMIN)
        others = [state.exporting.counted([b"half", b"whole"], f"org-{number}") for number in range(MOST_EXPORTS)]
        for other in others:
            next(other)
        refused = post(server, "/privacy/exports", person, key)
        assert (refused.status_code, refused.json()["detail"]) == (
            429,
            f"{MOST_EXPORTS} exports are being written already",
        )
        assert int(refused.headers["Retry-After"]) > 0
        # There was none, so the audit log has none.
        assert audited(server.warehouse, f"key:{key[3:15]}") == []
        assert list(others[0]) == [b"whole"]
        assert exported(server, person, key)["account"] == []


def test_an_export_that_nobody_reads_stands_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    exporting = Exporting(most=1)
    stalled = exporting.counted([b"half", b"whole"], None)
    next(stalled)
    with pytest.raises(TooManyAttemptsError, match="1 exports are being written already"):
        exporting.counted([b"another"], None)
    monkeypatch.setattr("serving.http.exporting.STALLED_SECONDS", 0.0)
    assert list(exporting.counted([b"another"], None)) == [b"another"]


def test_an_organization_writes_one_export_at_a_time() -> None:
    exporting = Exporting()
    first = exporting.counted([b"half", b"whole"], "acme")
    next(first)
    with pytest.raises(TooManyAttemptsError, match="an export of the organization is being written already"):
        exporting.counted([b"another"], "acme")
    assert list(exporting.counted([b"of others"], "bolt")) == [b"of others"]
    assert list(first) == [b"whole"]
    assert list(exporting.counted([b"another"], "acme")) == [b"another"]


def test_an_export_that_nobody_reads_holds_no_transaction(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.privacy.exports.STALLED_SECONDS", 1.0)

    def held() -> int:
        with server.warehouse.engine().connect() as connection:
            waiting = connection.execute(
                sa.text(
                    "select count(*) from pg_stat_activity where datname = current_database()"
                    " and state like 'idle in transaction%' and pid <> pg_backend_pid()"
                )
            )
            return int(waiting.scalar_one())

    with server.warehouse.engine().connect() as connection:
        person = find_person(connection, user_id="u-17", email=None, organization_id="acme")
    parts = exported_parts(server.warehouse, person)
    for _ in range(3):
        next(parts)
    assert held() > 0
    until(lambda: held() == 0)
    with pytest.raises(sa.exc.DBAPIError):
        list(parts)
