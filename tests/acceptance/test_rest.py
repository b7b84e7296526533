"""The kind `rest` with the real bodies of Salesforce and Stripe: sessions that expire, paging, errors, objects."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.extraction.records import json_text
from connectors.landing.land import land
from connectors.names import column_name
from connectors.rest.kind import RestSource
from connectors.source import Surroundings
from tests.connectors.rest.conftest import Answers
from tests.connectors.rest.vendor import Call, Reply
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

QUERY = "/services/data/v20.0/query"


@pytest.fixture(scope="session")
def salesforce(shared_data: Path) -> Path:
    return shared_data / "rest_fixtures" / "salesforce"


def whizbangs(server: Answers, home: Path) -> RestSource:
    definition = {
        "parameters": {"token": {"description": "a refresh token", "secret": True}},
        "client": {
            "base_url": server.url,
            "auth": {
                "type": "oauth2_refresh_token",
                "access_token_url": "/services/oauth2/token",
                "client_id": "client",
                "refresh_token": "{token}",
            },
            "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl", "end_path": "done"},
        },
        "tables": {
            "whizbangs": {"endpoint": {"path": QUERY, "params": {"q": "SELECT Text_Label"}, "data_selector": "records"}}
        },
    }
    values = {"name": "sales", "kind": "rest", "definition": definition, "parameters": {"token": "5Aep861rEpScxnNE66"}}
    return RestSource.model_validate(values, context=Surroundings("sales", home, home))


def read(path: Path) -> bytes:
    return path.read_bytes()


def landed(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    with warehouse.engine().connect() as connection:
        rows = connection.execute(sa.text(f"select * from {table} order by _row_number")).mappings()
        return [{name: value for name, value in row.items() if not name.startswith(("_dlt", "_row"))} for row in rows]


def test_an_expired_session_is_renewed_and_all_pages_land(
    salesforce: Path, warehouse: Warehouse, tmp_path: Path
) -> None:
    tokens = [salesforce / "auth_success_response.json", salesforce / "refresh_success_response.json"]

    def answer(call: Call) -> Reply:
        if call.path == "/services/oauth2/token":
            return Reply(200, raw=read(tokens.pop(0)))
        if call.headers["Authorization"] != "Bearer refreshed_access_token":
            return Reply(401, raw=read(salesforce / "expired_session_response.json"))
        page = "first" if call.path == QUERY else "last"
        return Reply(200, raw=read(salesforce / "sobject" / f"query_paginated_{page}_page_response.json"))

    with Answers(answer) as server:
        land(whizbangs(server, tmp_path), warehouse, tmp_path)
    assert server.paths == ["/services/oauth2/token", QUERY] * 2 + ["/services/data/v26.0/query/01gD"]
    assert [row["text_label"] for row in landed(warehouse, "raw_sales.whizbangs")] == ["First Page", "Last Page"]
    assert landed(warehouse, "raw_sales.whizbangs")[0]["attributes"] == (
        '{"type":"Whizbang","url":"/services/data/v20.0/sobjects/Whizbang/foo"}'
    )


@pytest.mark.parametrize(
    ("token", "query", "says"),
    [
        (
            (400, "refresh_error_response.json"),
            (200, ""),
            "no access token: .* 400 Bad Request: expired access/refresh",
        ),
        ((200, "auth_success_response.json"), (401, "expired_session_response.json"), "401 .*: Session expired or inv"),
        ((200, "auth_success_response.json"), (400, "sobject/query_error_response.json"), "400 .*: error_message"),
        ((200, "auth_success_response.json"), (404, "sobject/delete_error_response.json"), "404 Not Found"),
    ],
)
def test_errors_are_told_in_the_apis_words(
    token: tuple[int, str],
    query: tuple[int, str],
    says: str,
    salesforce: Path,
    warehouse: Warehouse,
    tmp_path: Path,
) -> None:
    def answer(call: Call) -> Reply:
        status, file = token if call.path == "/services/oauth2/token" else query
        return Reply(status, raw=read(salesforce / file))

    with Answers(answer) as server, pytest.raises(DataInsightError, match=says) as error:
        land(whizbangs(server, tmp_path), warehouse, tmp_path)
    told = f"{error.value.message} {error.value.hint} {error.value.__cause__!r} {error.value.__context__!r}"
    assert "5Aep861rEpScxnNE66" not in told
    assert "00Dx0000000BV7z!AR8AQAxo9UfVkh8AlV0Gomt9Czx9LjHnSSpwBMmbRcgKFmxOtvxjTrKW19" not in told


def test_stripes_objects_land_as_they_are(shared_data: Path, warehouse: Warehouse, tmp_path: Path) -> None:
    objects = json.loads((shared_data / "rest_fixtures" / "stripe" / "fixtures3.json").read_text())["resources"]
    tables = {"charges": "charge", "customers": "customer", "invoices": "invoice", "prices": "price"}
    data = {
        table: [objects[kind] | {"id": f"{objects[kind]['id']}{number}"} for number in range(250)]
        for table, kind in tables.items()
    }

    def answer(call: Call) -> Reply:
        rows = data[call.path.removeprefix("/v1/")]
        after = call.query.get("starting_after")
        start = [row["id"] for row in rows].index(after) + 1 if after else 0
        page = rows[start : start + int(call.query["limit"])]
        return Reply(200, {"object": "list", "data": page, "has_more": start + len(page) < len(rows)})

    with Answers(answer) as server:
        values = {
            "name": "billing",
            "kind": "rest",
            "catalog": "stripe",
            "parameters": {"api_key": "sk_test_123"},
            "base_url": server.url,
            "tables": list(tables),
        }
        source = RestSource.model_validate(values, context=Surroundings("billing", tmp_path, tmp_path))
        land(source, warehouse, tmp_path)
    for table in tables:
        rows = landed(warehouse, f"raw_billing.{table}")
        wanted = [{column_name(name): json_text(value) for name, value in row.items()} for row in data[table]]
        columns = rows[0].keys()
        assert [{name: row.get(name) for name in columns} for row in wanted] == rows
