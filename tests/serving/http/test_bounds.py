"""What one request may cost the others: questions are bounded before anything is done with them, and batches pay."""

import json
from typing import Any

import pytest

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, begin_within_a_minute, running
from tests.serving.http.people import post

HALF = "\ud800"
EVENT = {"event_id": "e", "user_id": "u", "action": "a", "occurred_at": "2026-01-01"}


@pytest.mark.parametrize(
    "question",
    [
        {"metrics": ["mrr"] * 20_000},
        {"metrics": [f"m{number}" for number in range(20_000)]},
        {"metrics": ["mrr"], "group_by": [f"d{number}" for number in range(20_000)]},
        {"metrics": ["mrr"], "order_by": ["mrr"] * 20_000},
        {"metrics": ["m" * 100_000]},
        {"metrics": ["mrr"], "limit": 10**30},
        {"metrics": ["mrr"], "limit": 10**30, "totals": True},
        {"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "is_null"}] * 51},
        {"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "in", "values": ["US"] * 10_001}]},
        {"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "in", "values": ["US"] * 5_001}] * 2},
        {"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "eq", "values": ["x" * 1_001]}]},
    ],
)
def test_a_question_has_an_end(acme: Client, question: dict[str, Any]) -> None:
    refused = acme.http.post("/api/v1/metrics/query", json=question)
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")
    (told,) = acme.http.post("/api/v1/metrics/batch", json={"queries": [question]}).json()["answers"]
    assert told["problem"]["status"] == 400


def test_a_name_in_a_path_has_an_end(acme: Client) -> None:
    for name in ("x" * 201, "x" * 4_000):
        assert acme.get(f"/metrics/mrr/dimensions/{name}/values").status_code == 400
        assert acme.get(f"/metrics/{name}").status_code == 404


def test_as_many_values_as_may_be_are_answered_like_one(acme: Client) -> None:
    values = ["US", *(f"nowhere {number}" for number in range(9_999))]
    for op, other in (("in", "eq"), ("not_in", "ne")):
        many = acme.answer("user_actions", filters=[{"dimension": "country", "op": op, "values": values}])
        one = acme.answer("user_actions", filters=[{"dimension": "country", "op": other, "values": ["US"]}])
        assert many["rows"] == one["rows"]


@pytest.mark.parametrize(
    "question",
    [
        {"metrics": [HALF]},
        {"metrics": ["mrr"], "group_by": [HALF]},
        {"metrics": ["mrr"], "order_by": [HALF]},
        {"metrics": ["mrr"], "filters": [{"dimension": HALF, "op": "is_null"}]},
        {"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "eq", "values": [HALF]}]},
        {"metrics": ["mrr"], "top": {"dimension": HALF, "by": "mrr", "n": 1}},
        {"metrics": ["mrr"], HALF: 1},
        {"metrics": ["mrr"], "grain": HALF},
    ],
)
def test_half_a_character_is_no_part_of_a_question(acme: Client, question: dict[str, Any]) -> None:
    def sent(path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        return acme.http.post(f"/api/v1{path}", content=json.dumps(body), headers=headers)

    assert sent("/metrics/query", question).status_code == 400
    batch = sent("/metrics/batch", {"queries": [question, {"id": HALF, "metrics": ["mrr"]}, {"metrics": ["mrr"]}]})
    first, second, third = batch.json()["answers"]
    assert (first["problem"]["status"], second["problem"]["status"], third["rows"] != []) == (400, 400, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/keys", {"name": HALF}),
        ("/analytics/events", {"events": [{**EVENT, "event_id": HALF}]}),
        ("/analytics/events", {"events": [{**EVENT, "properties": {"a": HALF}}]}),
        ("/datasources", {"name": "shop", "kind": "rest", "configuration": {"definition": {"base_url": HALF}}}),
        ("/privacy/exports", {"user_id": HALF}),
        ("/embed/tokens", {"metrics": [HALF]}),
        ("/embed/tokens", {"dashboards": [HALF]}),
        ("/auth/login", {"email": f"{HALF}@example.com", "password": HALF}),
    ],
)  # fmt: skip
def test_half_a_character_is_refused_everywhere(server: Server, path: str, body: dict[str, Any]) -> None:
    with server.client(server.key("acme", Role.ADMIN)) as admin:
        headers = {"Content-Type": "application/json"}
        refused = admin.http.post(f"/api/v1{path}", content=json.dumps(body), headers=headers)
    assert 400 <= refused.status_code < 500, refused.text
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_batch_counts_as_many_requests_as_it_has_questions(published: Store) -> None:
    settings = published.settings.model_copy(update={"rate_limits": {"standard": 10}})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        key, batch = server.key("acme"), {"queries": [{"metrics": ["mrr"]}] * 8}
        begin_within_a_minute()
        first = post(server, "/metrics/batch", batch, key)
        assert (first.status_code, first.headers["X-RateLimit-Remaining"]) == (200, "2")
        second = post(server, "/metrics/batch", batch, key)
        assert (second.status_code, int(second.headers["Retry-After"]) > 0) == (429, True)


def test_only_texts_are_looked_into(acme: Client) -> None:
    asked = {"filters": [{"dimension": "is_beta", "op": "contains", "values": ["t"]}]}
    refused = acme.ask("feature_uses", **asked)
    assert (refused.status_code, "is_beta is a boolean" in refused.json()["detail"]) == (400, True)


def test_a_link_says_which_form_it_wants(acme: Client) -> None:
    link = "/metrics/query?metrics=mrr&group_by=metric_time&grain=year"
    for form, media_type in (("csv", "text/csv"), ("ndjson", "application/x-ndjson"), ("json", "application/json")):
        told = acme.get(f"{link}&format={form}", headers={"Accept": "text/html"})
        assert (told.status_code, told.headers["Content-Type"].partition(";")[0]) == (200, media_type)
    assert acme.get(f"{link}&format=xlsx").status_code == 400
