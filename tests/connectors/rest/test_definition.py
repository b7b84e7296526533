"""Definitions and sources: what is right is read, what is wrong is said with file, line and key."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.rest.definition import catalog_names, load_catalog, load_definition
from connectors.rest.kind import RestSource
from connectors.source import Surroundings
from warehouse.errors import DataInsightError

GOOD = """\
parameters:
  key: {description: a key, secret: true}
  region: {description: a region, default: eu}
client:
  base_url: https://{region}.example.com/v1
  auth: {type: bearer, token: "{key}"}
tables:
  items:
    key: id
    endpoint: {path: /items, params: {limit: 100}, data_selector: data}
"""


def source(folder: Path, **values: Any) -> RestSource:
    return RestSource.model_validate(
        {"name": "shop", "kind": "rest", **values}, context=Surroundings("shop", folder, folder / "home")
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "api.yaml"
    path.write_text(GOOD)
    return path


def test_a_definition_of_ones_own_is_found_beside_sources_yaml(good: Path) -> None:
    shop = source(good.parent, definition="api.yaml", parameters={"key": "k"})
    assert shop.tables["items"].key == ("id",)
    assert shop.parameters == {"key": SecretStr("k"), "region": "eu"}
    assert "'k'" not in repr(shop)


def test_tables_may_be_chosen_and_overridden(good: Path) -> None:
    settings = {"items": {"key": ["id", "version"], "params": {"limit": 5}}}
    shop = source(good.parent, definition="api.yaml", parameters={"key": "k"}, tables=settings)
    assert shop.tables["items"].key == ("id", "version")
    assert list(source(good.parent, catalog="stripe", parameters={"api_key": "k"}, tables=["charges"]).tables) == [
        "charges"
    ]


def test_what_a_request_mentions_must_be_known(good: Path) -> None:
    settings = {"items": {"json": {"since": "{incremental.start_value}"}}}
    with pytest.raises(
        ValidationError, match=r"table items that mentions {incremental.start_value}; there are key, re"
    ):
        source(good.parent, definition="api.yaml", parameters={"key": "k"}, tables=settings)
    with pytest.raises(ValidationError, match=r"mentions {limit}; .* a brace is written {{ or }}"):
        source(
            good.parent, definition="api.yaml", parameters={"key": "k"}, tables={"items": {"params": {"a": "{limit}"}}}
        )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("secret: true}", "secret: true, default: [a]}", ":2: parameters.key is secret, and so cannot be a list"),
        (
            "tables:",
            "errors: {failed_when: {}}\ntables:",
            ":7: errors.failed_when needs a status_code, header, content",
        ),
        (
            "tables:",
            "errors: {expired: [{content: a, equals: 1}]}\ntables:",
            ":7: errors.expired.0 has equals and no path",
        ),
        ("data_selector: data", "data_selektor: data", ":10: tables.items.endpoint.data_selektor is not known"),
        ("{path: /items, ", "{", ":10: tables.items.endpoint has no path"),
        ("path: /items", "path: https://other.example/items", "must be a path; the host belongs to base_url"),
        ("type: bearer, ", "", ":6: client.auth needs a type"),
        ("type: bearer", "type: oauth", ":6: client.auth needs a type: 'bearer', 'http_basic'"),
        ('token: "{key}"', "tokn: k", ":6: client.auth.tokn is not known"),
        ('"{key}"', '"{kee}"', "mentions {kee}, which is no parameter"),
        ("/items,", "'/a/{resources.other.id}',", "a table items with the unknown parent 'other'"),
        ("/items,", "'/a/{resources.items.id}',", "a table items with the unknown parent 'items'"),
        ("/items,", "'/a/{incremental.start_value}',", "names {incremental.start_value} and has no incremental"),
        ("/items,", "/a, incremental: {start_param: since},", "is incremental and names no cursor"),
        (
            "/items,",
            "/a, incremental: {cursor_path: a, start_param: b, lag: soon},",
            ":10: tables.items.endpoint.incremental.lag must be a span of time such as 2 days",
        ),
        (
            "/items,",
            "/a, incremental: {cursor_path: a, start_param: b, format: rfc},",
            "endpoint.incremental.format must be iso8601, date",
        ),
        (
            "/items,",
            "/a, incremental: {cursor_path: a, start_param: b, slice: 2 days},",
            "has a slice and no end_param",
        ),
        ("/items,", "/a, paginator: {type: cursor, cursor_path: a},", "needs either cursor_param or cursor_body_path"),
        ("/items,", "/a, paginator: pages,", ":10: tables.items.endpoint.paginator needs a type"),
        ("  items:", "  Items:", "has a table 'Items'; allowed are a-z"),
        ("description: a key, ", "", ":2: parameters.key has no description"),
        ("tables:", "tabels:", ":7: tabels is not known"),
    ],
)
def test_mistakes_are_said_with_line_and_key(old: str, new: str, says: str, good: Path) -> None:
    good.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(DataInsightError) as error:
        load_definition(good)
    assert str(good) in error.value.message
    assert says in error.value.message


def test_mistakes_of_an_inline_definition_have_their_place(tmp_path: Path) -> None:
    definition = {
        "client": {"base_url": "https://x.example", "auth": {"type": "bearer", "tokn": "s3cret"}},
        "tables": {"t": {"endpoint": {"path": "/t"}}},
    }
    with pytest.raises(ValidationError) as error:
        source(tmp_path, definition=definition)
    [details] = error.value.errors()
    assert details["loc"] == ("definition", "client", "auth", "tokn")
    assert details["msg"] == "is not known"
    assert "s3cret" not in str(details)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "must have either catalog or definition"),
        ({"catalog": "stripe", "definition": "api.yaml"}, "must have either catalog or definition"),
        ({"definition": "api.yaml"}, "has no parameter key: a key"),
        ({"definition": "api.yaml", "parameters": {"key": "s3cret", "kee": 1}}, "unknown parameter 'kee'; allowed are"),
        ({"definition": "api.yaml", "parameters": {"key": ["s3cret"]}}, "has a parameter key that is no text"),
        ({"catalog": "stripe", "parameters": {"api_key": "s3cret"}, "tables": {"prices": {"json": 1}}}, "json"),
        ({"definition": "api.yaml", "parameters": "s3cret"}, "parameters that are a mapping"),
        (
            {"definition": "api.yaml", "parameters": {"key": "s3cret"}, "tables": ["item"]},
            "has the unknown table 'item'; allowed are items",
        ),
        ({"definition": "api.yaml", "parameters": {"key": "s3cret"}, "base_url": "example.com"}, "base_url"),
        ({"definition": "api.yaml", "parameters": {"key": "s3cret"}, "retries": -1}, "retries"),
        (
            {"definition": "api.yaml", "parameters": {"key": "s3cret"}, "tables": {"items": {"lag": "long"}}},
            "must be a span of time",
        ),
    ],
)
def test_mistakes_of_a_source(values: dict[str, Any], says: str, good: Path) -> None:
    with pytest.raises(ValidationError) as error:
        source(good.parent, **values)
    told = "; ".join(f"{details['loc']} {details['msg']}" for details in error.value.errors(include_input=False))
    assert says in told
    assert "s3cret" not in told


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataInsightError, match="there is no 'strip' in the catalogue; it has "):
        source(tmp_path, catalog="strip")
    with pytest.raises(DataInsightError, match=r"there is no definition .*/none\.yaml"):
        source(tmp_path, definition="none.yaml")


@pytest.mark.parametrize("name", catalog_names())
def test_the_catalogue_is_sound(name: str) -> None:
    definition = load_catalog(name)
    assert definition.documentation is not None
    assert definition.documentation.startswith("https://")
    for limit in definition.limits:
        assert limit.documentation, "a limit names the page that says so"
        assert limit.wording, "a limit has that page's words"
    for parameter in definition.parameters.values():
        assert parameter.description
