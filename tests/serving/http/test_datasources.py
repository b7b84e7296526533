"""Datasources over HTTP: whose they are, what is shown of them, what they may reach, what is done with them."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running
from tests.serving.http.people import audited, post
from tests.serving.http.relay import Relay
from warehouse.database import Warehouse
from warehouse.ledger import Landing, record_landing

SECRET = "hunter2-is-a-secret"
DATABASE = {"url": f"postgresql://reader:{SECRET}@127.0.0.1:1/shop", "tables": {"orders": {"cursor": "updated_at"}}}
SHOP = {"name": "the shop", "kind": "database", "configuration": DATABASE}
NOT_THERE = "ds_0000000000000000"


@pytest.fixture(scope="module")
def server(published: Store) -> Iterator[Server]:
    """A server whose datasources may reach this machine."""
    settings = published.settings.model_copy(update={"source_networks": ("127.0.0.0/8",)})
    with running(create_app(settings)) as address:
        yield Server(address, published.warehouse)


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Client]:
    with server.client(server.key("acme", Role.ADMIN)) as client:
        yield client


@pytest.fixture
def other(server: Server) -> Iterator[Client]:
    """An admin of another organization."""
    with server.client(server.key("globex", Role.ADMIN)) as client:
        yield client


def ask(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.http.request(method, f"/api/v1{path}", json=body)


def added(client: Client, **changes: Any) -> dict[str, Any]:
    answer = ask(client, "POST", "/datasources", {**SHOP, **changes})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def stored(warehouse: Warehouse) -> str:
    """Everything that the platform keeps of datasources, as text."""
    with warehouse.engine().connect() as connection:
        return "".join(
            str(text)
            for table in ("app.datasources", "app.jobs", "app.audit_log")
            for text in connection.execute(sa.text(f"select cast(t as text) from {table} as t")).scalars()
        )


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


def test_secrets_are_nowhere_in_clear(server: Server, admin: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = added(admin)
        place = f"/datasources/{made['datasource_id']}"
        answers = [
            ask(admin, "GET", place),
            ask(admin, "GET", "/datasources"),
            ask(admin, "PATCH", place, {"name": "x"}),
            ask(admin, "PATCH", place, {"configuration": {"url": f"sqlite://a:{SECRET}@h/x"}}),
            ask(admin, "POST", "/datasources", {**SHOP, "configuration": {**DATABASE, "base_url": "x"}}),
            ask(admin, "POST", "/datasources", {**SHOP, "kind": "files"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 400, 400]
    assert not [answer.text for answer in answers if SECRET in answer.text]
    assert SECRET not in caplog.text
    kept = stored(server.warehouse)
    assert made["datasource_id"] in kept
    assert SECRET not in kept
    with server.warehouse.engine().connect() as connection:
        bytes_ = connection.execute(sa.text("select secrets_encrypted from app.datasources")).scalars()
        assert not [one for one in bytes_ if one is not None and SECRET.encode() in bytes(one)]


def test_the_credentials_of_a_deleted_datasource_are_gone(server: Server, admin: Client) -> None:
    made = added(admin)
    ask(admin, "DELETE", f"/datasources/{made['datasource_id']}")
    with server.warehouse.engine().connect() as connection:
        row = connection.execute(
            sa.text("select secrets_encrypted, deleted_at from app.datasources where datasource_id = :id"),
            {"id": made["datasource_id"]},
        ).one()
    assert row.secrets_encrypted is None
    assert row.deleted_at is not None


AT = "http://127.0.0.1:1"
OAUTH = {"type": "oauth2_client_credentials", "access_token_url": f"{AT}/token", "client_id": "me"}
GITLAB = {"catalog": "gitlab", "parameters": {"host": "127.0.0.1", "token": SECRET}}
SHOP_ADDRESS = {"store": "127.0.0.1", "consumer_key": "ck", "consumer_secret": SECRET}
WITH_OAUTH = {"definition": {"client": {"base_url": AT, "auth": {**OAUTH, "client_secret": SECRET}}, "tables": {}}}
BOX = {"tables": {"t": {"path": "az://box/*.csv"}}, "storage_options": {"account_name": "acme", "account_key": SECRET}}

CREDENTIALS = ("account_key", "api_key", "client_secret", "consumer_secret", "token")


@pytest.mark.parametrize(
    ("kind", "configuration", "elsewhere"),
    [
        ("rest", {"catalog": "stripe", "parameters": {"api_key": SECRET}, "base_url": AT}, {"base_url": f"{AT}0"}),
        ("rest", GITLAB, {"host": "127.0.0.2"}),
        ("rest", {"catalog": "woocommerce", "parameters": SHOP_ADDRESS}, {"store": "127.0.0.2"}),
        ("rest", WITH_OAUTH, {"access_token_url": f"{AT}0/token"}),
        ("files", BOX, {"account_name": "evil"}),
    ],
    ids=["base_url", "a host", "a store", "where tokens are fetched", "an account"],
)
def test_kept_credentials_are_not_sent_elsewhere(
    admin: Client, kind: str, configuration: dict[str, Any], elsewhere: dict[str, Any]
) -> None:
    made = added(admin, kind=kind, configuration=configuration)
    place = f"/datasources/{made['datasource_id']}"
    kept = put(configuration, dict.fromkeys(CREDENTIALS, "***"))
    assert ask(admin, "PATCH", place, {"configuration": kept}).status_code == 200
    refused = ask(admin, "PATCH", place, {"configuration": put(kept, elsewhere)})
    assert refused.status_code == 400
    assert "would go elsewhere than before" in refused.json()["detail"]
    assert "give them again" in refused.json()["hint"]
    assert ask(admin, "GET", place).json()["configuration"] == made["configuration"]
    given_again = put(put(configuration, elsewhere), dict.fromkeys(CREDENTIALS, "another secret"))
    assert ask(admin, "PATCH", place, {"configuration": given_again}).status_code == 200


def put(configuration: Any, values: dict[str, Any]) -> Any:
    """A configuration with other values under these names, wherever they are."""
    if not isinstance(configuration, dict):
        return configuration
    return {name: values.get(name, put(value, values)) for name, value in configuration.items()}


def test_the_place_may_be_kept_as_it_was_shown(admin: Client) -> None:
    made = added(admin, kind="rest", configuration=GITLAB)
    place = f"/datasources/{made['datasource_id']}"
    assert made["configuration"]["parameters"] == {"host": "***", "token": "***"}
    shown = {**made["configuration"], "tables": ["issues"]}
    assert ask(admin, "PATCH", place, {"configuration": shown}).status_code == 200
    for parameters in ({"token": "***"}, {"host": "***", "token": "***", "group": "x"}):
        refused = ask(admin, "PATCH", place, {"configuration": {**shown, "parameters": parameters}})
        assert (refused.status_code, "elsewhere" in refused.json()["detail"]) == (400, True)


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


def test_credentials_of_a_former_key_are_told_so(published: Store, admin: Client) -> None:
    made = added(admin)
    changed = published.settings.model_copy(
        update={"secret_key": SecretStr("j" * 40), "source_networks": ("127.0.0.0/8",)}
    )
    with running(create_app(changed)) as address:
        server = Server(address, published.warehouse)
        with server.client(server.key("acme", Role.ADMIN)) as client:
            kept = ask(client, "PATCH", f"/datasources/{made['datasource_id']}", {"configuration": {"url": "***"}})
            assert kept.status_code == 400
            assert "the key of the platform is not the one they were encrypted with" in kept.json()["detail"]
            anew = ask(client, "PATCH", f"/datasources/{made['datasource_id']}", {"configuration": DATABASE})
            assert anew.status_code == 200


@pytest.fixture
def landed(server: Server, admin: Client) -> str:
    """A datasource with three batches, the newest of which has three rows in quarantine."""
    datasource_id = str(added(admin)["datasource_id"])
    with server.warehouse.engine().begin() as connection:
        for number in range(3):
            landing = Landing(
                datasource_id, "orders", f"load_{number}", 10, None, ["order_id"], [],
                unreadable={row: ({"line": f"row {row}"}, "readable") for row in range(3)} if number == 2 else {},
                origin=[{"path": "/a/path/of/the/server"}],
            )  # fmt: skip
            record_landing(connection, landing)
    return datasource_id


def test_batches_are_paged_newest_first(admin: Client, landed: str) -> None:
    first = ask(admin, "GET", f"/datasources/{landed}/batches?limit=2").json()
    rest = ask(admin, "GET", f"/datasources/{landed}/batches?limit=2&cursor={first['next_cursor']}").json()
    assert (len(first["batches"]), len(rest["batches"]), rest["next_cursor"]) == (2, 1, None)
    ids = [batch["batch_id"] for batch in first["batches"] + rest["batches"]]
    assert ids == sorted(ids, reverse=True)
    assert first["batches"][0]["quarantined_count"] == 3
    assert "/a/path/of/the/server" not in json.dumps(first)


def test_quarantine_is_paged_in_order(admin: Client, landed: str) -> None:
    seen, cursor = [], ""
    while True:
        page = ask(admin, "GET", f"/datasources/{landed}/quarantine?limit=2{cursor}").json()
        seen += page["quarantine"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [(row["row_id"], row["payload"], row["failed_rules"]) for row in seen] == [
        (number, {"line": f"row {number}"}, ["readable"]) for number in range(3)
    ]


def test_a_cursor_of_another_list_is_refused(admin: Client, landed: str) -> None:
    cursor = ask(admin, "GET", f"/datasources/{landed}/batches?limit=1").json()["next_cursor"]
    another = added(admin)["datasource_id"]
    for path in (f"{landed}/quarantine", f"{another}/batches"):
        answer = ask(admin, "GET", f"/datasources/{path}?cursor={cursor}")
        assert (answer.status_code, "cursor" in answer.json()["detail"]) == (400, True)
    for changed in (cursor[:-1], cursor + "A", "B" + cursor[1:], "!", "\N{SNOWMAN}"):
        assert ask(admin, "GET", f"/datasources/{landed}/batches?cursor={changed}").status_code == 400
