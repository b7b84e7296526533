"""What of a configuration is a secret is taken out of it by its place."""

from typing import Any

import pytest

from serving.datasources.secrets import kept, split
from warehouse.datasources import joined
from warehouse.errors import DataInsightError


@pytest.mark.parametrize(
    ("configuration", "shown"),
    [
        ({"url": "postgresql://a:b@h/d", "schema": "sales"}, {"url": "***", "schema": "sales"}),
        (
            {"catalog": "stripe", "parameters": {"api_key": "sk_live", "accounts": ["a", "b"], "live": True}},
            {"catalog": "stripe", "parameters": {"api_key": "***", "accounts": ["***", "***"], "live": True}},
        ),
        (
            {"tables": {"tokens": {"key": "token_id", "columns": {"password_hash": "text"}}}},
            {"tables": {"tokens": {"key": "token_id", "columns": {"password_hash": "text"}}}},
        ),
        ({"tables": {"orders": {"params": {"pin": 1234}}}}, {"tables": {"orders": {"params": {"pin": "***"}}}}),
        (
            {"definition": {"client": {"base_url": "https://a.example", "auth": {"type": "bearer", "token": "t"}}}},
            {"definition": {"client": {"base_url": "https://a.example", "auth": {"type": "***", "token": "***"}}}},
        ),
        ({"storage_options": {"key": "AK", "anon": False}}, {"storage_options": {"key": "***", "anon": False}}),
    ],
)
def test_secrets_are_told_by_their_places(configuration: dict[str, Any], shown: dict[str, Any]) -> None:
    told, secrets = split(configuration)
    assert told == shown
    assert joined(told, secrets) == configuration


@pytest.mark.parametrize(
    "address",
    [
        "https://user:pw@a.example",
        "sftp://me@a.example/x",
        "https://a.example/x?sig=abc",
        "https://a.example?api_key=1",
    ],
)
def test_an_address_with_a_secret_is_refused_where_it_would_be_shown(address: str) -> None:
    with pytest.raises(DataInsightError, match="has an address with a user or a key in it") as raised:
        split({"base_url": address})
    assert address not in f"{raised.value}{raised.value.hint}"


def _deep() -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(200):
        value = {"a": value}
    return value


@pytest.mark.parametrize("value", [_deep(), {"a": "b\0"}, {"a\0": 1}, {"a": "\ud800"}, {"a": float("nan")}])
def test_what_cannot_be_kept_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(DataInsightError, match=r"^configuration"):
        split(value)


def test_a_secret_is_kept_that_was_there() -> None:
    assert kept({("url",): "***"}, {("url",): "secret"}) == {("url",): "secret"}
    assert kept({("url",): "new"}, {("url",): "secret"}) == {("url",): "new"}
    with pytest.raises(DataInsightError, match="there is no former value to keep"):
        kept({("parameters", "key"): "***"}, {("url",): "secret"})
