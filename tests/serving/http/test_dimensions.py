"""The values of a dimension: those that whoever asks has rows of, sorted, searched, page by page."""

from typing import Any

import pytest
import sqlalchemy as sa

from tests.serving.http.conftest import Client, Server


def values(client: Client, metric: str, dimension: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(f"/metrics/{metric}/dimensions/{dimension}/values", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_values_are_sorted_and_null_is_null(operator: Client) -> None:
    told = values(operator, "user_actions", "referral_source")
    assert (told["type"], told["values"], told["next_cursor"]) == ("string", ["ads", "web", None], None)
    assert told["trust"]["snapshot_id"] == operator.answer("user_actions")["trust"]["snapshot_id"]
    beta = values(operator, "feature_uses", "is_beta")
    assert (beta["type"], beta["values"]) == ("boolean", [False, True])
    days = values(operator, "churn_events", "metric_time")
    assert (days["type"], days["values"][0]) == ("date", "2023-02-03")
    assert values(operator, "churn_events", "metric_time__year")["values"] == ["2023-01-01", "2024-01-01"]


def test_an_organization_finds_its_own_values_alone(acme: Client, operator: Client) -> None:
    assert values(acme, "user_actions", "organization")["values"] == ["acme"]
    assert values(operator, "user_actions", "organization")["values"] == ["acme", "bolt", "crow"]
    assert values(operator, "user_actions", "organization", organization="bolt")["values"] == ["bolt"]
    assert values(acme, "user_actions", "organization", search="bolt")["values"] == []


def test_values_are_searched_and_paged(operator: Client) -> None:
    assert values(operator, "user_actions", "organization", search="O")["values"] == ["bolt", "crow"]
    assert values(operator, "user_actions", "organization__name", search='"')["values"] == [
        'O\'Brien & "Crow" \\ {{ jinja }} {% x %} Ω'
    ]
    found: list[Any] = []
    parameters: dict[str, Any] = {"limit": 2}
    while True:
        told = values(operator, "user_actions", "metric_time", **parameters)
        found += told["values"]
        if told["next_cursor"] is None:
            break
        assert len(told["values"]) == 2
        parameters["cursor"] = told["next_cursor"]
    assert found == values(operator, "user_actions", "metric_time")["values"]
    assert len(found) == 90


def test_values_that_are_known_are_not_sent_again(acme: Client) -> None:
    path = "/metrics/user_actions/dimensions/country/values"
    tag = acme.get(path).headers["ETag"]
    same = acme.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    for other in (f"{path}?limit=1", "/metrics/mrr/dimensions/country/values", f"{path}?search=u"):
        answer = acme.get(other, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.headers["ETag"] != tag) == (200, True), other


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("mrrr/dimensions/country/values", 404, "mrrr"),
        ("mrr/dimensions/planet/values", 404, "planet"),
        ("mrr/dimensions/name/values", 404, "could be"),
        ("mrr/dimensions/metric_time__day/values", 404, "cannot be told by day"),
        ("batches_landed/dimensions/source_name/values", 404, "batches_landed"),
        ("feature_uses/dimensions/is_beta/values?search=true", 400, "is_beta is a boolean"),
        ("mrr/dimensions/country/values?limit=0", 400, "limit"),
        ("mrr/dimensions/country/values?search=%00", 400, "is no string"),
        ("mrr/dimensions/country/values?cursor=AAAA", 400, "cursor"),
    ],
)
def test_what_is_not_there_is_a_problem(acme: Client, path: str, status: int, word: str) -> None:
    answer = acme.get(f"/metrics/{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    assert word in answer.json()["detail"]


def test_what_an_operator_looks_up_is_written_down(server: Server, operator: Client) -> None:
    operator.get("/metrics/mrr/dimensions/organization/values", headers={"X-Request-ID": "looked-up"})
    with server.warehouse.engine().connect() as connection:
        row = connection.execute(
            sa.text("select action, details from app.audit_log where request_id = 'looked-up'")
        ).one()
    assert tuple(row) == ("metrics.values", {"metrics": ["mrr"], "group_by": ["organization"]})
