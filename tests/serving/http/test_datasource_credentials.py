"""Credentials of datasources: shown to nobody, kept where they were, gone when they are not needed."""

import logging
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running
from tests.serving.http.datasource_doors import DATABASE, SECRET, SHOP, added, admin, ask, other, server, stored

__all__ = ["admin", "other", "server"]


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
