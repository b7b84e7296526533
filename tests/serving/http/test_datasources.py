"""Datasources over HTTP: whose they are, what is shown of them, what they may reach, what is done with them."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running
from tests.serving.http.datasource_doors import (
    DATABASE,
    NOT_THERE,
    SECRET,
    SHOP,
    added,
    admin,
    ask,
    other,
    server,
)
from tests.serving.http.people import audited, post
from tests.serving.http.relay import Relay

__all__ = ["admin", "other", "server"]


def test_a_datasource_is_added_listed_changed_and_deleted(admin: Client) -> None:
    made = added(admin)
    assert made["organization_id"] == "acme"
    assert made["configuration"] == {"url": "***", "tables": {"orders": {"cursor": "updated_at"}}}
    place = f"/datasources/{made['datasource_id']}"
    assert ask(admin, "GET", place).json() == made
    assert made in ask(admin, "GET", "/datasources").json()["datasources"]

    changed = ask(admin, "PATCH", place, {"name": "the old shop", "configuration": {"url": "***", "include": "*"}})
    assert changed.status_code == 200, changed.text
    assert changed.json()["name"] == "the old shop"
    assert changed.json()["configuration"] == {"url": "***", "include": "*"}

    assert ask(admin, "DELETE", place).status_code == 204
    for method, below in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/check"), ("GET", "/batches")):
        answer = ask(admin, method, place + below, {} if method == "PATCH" else None)
        assert answer.status_code == 404, (method, below)
    assert made["datasource_id"] not in ask(admin, "GET", "/datasources").text


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("", "GET"), ("", "PATCH"), ("", "DELETE"), ("/check", "POST"), ("/discover", "POST"), ("/sync", "POST"),
        ("/batches", "GET"), ("/quarantine", "GET"),
    ],
)  # fmt: skip
def test_another_organizations_datasource_is_not_there(admin: Client, other: Client, path: str, method: str) -> None:
    made = added(admin)
    body = {"name": "mine"} if method == "PATCH" else None
    theirs = ask(other, method, f"/datasources/{made['datasource_id']}{path}", body)
    none = ask(other, method, f"/datasources/{NOT_THERE}{path}", body)
    assert theirs.status_code == none.status_code == 404
    assert {**theirs.json(), "request_id": ""} == {**none.json(), "request_id": ""}
    assert ask(admin, "GET", f"/datasources/{made['datasource_id']}").json() == made
    assert made["datasource_id"] not in ask(other, "GET", "/datasources").text


def test_another_organizations_job_is_not_there(server: Server, admin: Client, other: Client) -> None:
    made = added(admin)
    with server.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                "insert into app.jobs (job_id, organization_id, datasource_id, what, status, requested_by)"
                " values ('job_theirs', 'acme', :id, 'check', 'succeeded', 'test')"
            ),
            {"id": made["datasource_id"]},
        )
    assert ask(admin, "GET", "/datasources/jobs/job_theirs").json()["status"] == "succeeded"
    theirs, none = ask(other, "GET", "/datasources/jobs/job_theirs"), ask(other, "GET", "/datasources/jobs/job_none")
    assert theirs.status_code == none.status_code == 404
    assert theirs.json()["detail"] == none.json()["detail"]


def test_while_the_warehouse_is_away_that_is_said(published: Store, server_url: sa.URL) -> None:
    relay = Relay((str(server_url.host), int(server_url.port or 0)))
    url = published.warehouse.url_object.set(host="127.0.0.1", port=relay.port, drivername="postgresql")
    away = published.settings.model_copy(update={"database_url": SecretStr(url.render_as_string(hide_password=False))})
    with running(create_app(away)) as address:
        server = Server(address, published.warehouse)
        with server.client(server.key("acme", Role.ADMIN)) as client:
            assert ask(client, "GET", "/datasources").status_code == 200
            relay.cut()
            for method, path in (("GET", ""), ("GET", f"/{NOT_THERE}"), ("POST", f"/{NOT_THERE}/sync")):
                answer = ask(client, method, f"/datasources{path}")
                assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_nobody_adds_to_another_organization(admin: Client) -> None:
    for organization in ("globex", "nobody"):
        answer = ask(admin, "POST", "/datasources", {**SHOP, "organization_id": organization})
        assert (answer.status_code, answer.json()["detail"]) == (403, "that is not your own organization")
        answer = ask(admin, "GET", f"/datasources?organization={organization}")
        assert answer.status_code == 403


def test_an_operator_acts_for_every_organization_and_that_is_written_down(
    server: Server, admin: Client, operator: Client
) -> None:
    assert ask(operator, "POST", "/datasources", SHOP).status_code == 400
    made = added(operator, organization_id="acme")
    # Which of the operators it was is not told.
    assert {**made, "created_by": "(operator)"} in ask(admin, "GET", "/datasources").json()["datasources"]
    ask(operator, "GET", f"/datasources/{made['datasource_id']}")
    told = [
        (action, details) for action, details in audited(server.warehouse, made["created_by"])
        if details.get("datasource_id") == made["datasource_id"]
    ]  # fmt: skip
    assert [action for action, _ in told] == ["datasources.add", "datasources.read"]


def test_each_change_is_written_down(server: Server) -> None:
    key = server.key("acme", Role.ADMIN)
    with server.client(key) as client:
        made = added(client)
        place = f"/datasources/{made['datasource_id']}"
        ask(client, "PATCH", place, {"name": "y"})
        ask(client, "DELETE", place)
    told = audited(server.warehouse, made["created_by"])
    assert [action for action, _ in told] == ["datasources.add", "datasources.change", "datasources.delete"]
    assert {details["datasource_id"] for _, details in told} == {made["datasource_id"]}
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "python"}, "body.kind"),
        ({"kind": "demo"}, "body.kind"),
        ({"configuration": {"url": "sqlite:////etc/passwd"}}, "is of no kind of database"),
        ({"configuration": {"url": "postgresql://a:b@10.0.0.1/x"}}, "may not reach"),
        ({"configuration": {"url": "***"}}, "there is no former value to keep"),
        ({"configuration": {**DATABASE, "schema": "x" * 300_000}}, "has more than"),
        ({"kind": "rest", "configuration": {"catalog": "stripe", "timeout": "1 day"}}, "timeout is at most 60 seconds"),
        ({"name": ""}, "body.name"),
        ({"organisation": "acme"}, "body.organisation"),
    ],
)
def test_what_may_not_be_is_refused(admin: Client, change: dict[str, Any], reason: str) -> None:
    answer = ask(admin, "POST", "/datasources", {**SHOP, **change})
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]


def test_an_organization_has_a_hundred_also_when_it_asks_for_many_at_once(server: Server) -> None:
    with server.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                "insert into app.datasources (datasource_id, organization_id, name, kind, configuration, created_by)"
                " select 'ds_' || lpad(to_hex(number), 16, 'f'), 'initech', 'x', 'files', '{}', 'test'"
                " from generate_series(1, 98) as number"
            )
        )
    with server.client(server.key("initech", Role.ADMIN)) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(client, "POST", "/datasources", SHOP), range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 6
        assert len(ask(client, "GET", "/datasources").json()["datasources"]) == 100


def test_this_machine_is_out_of_reach_unless_allowed(published: Store) -> None:
    with running(create_app(published.settings)) as address:
        server = Server(address, published.warehouse)
        answer = post(server, "/datasources", SHOP, server.key("acme", Role.ADMIN))
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the host 127.0.0.1 cannot be found, or is at an address")
