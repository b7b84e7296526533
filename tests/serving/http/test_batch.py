"""Several questions at once: each answered as alone, all from one snapshot, one's mistake its own."""

from typing import Any

import pytest
import sqlalchemy as sa

from tests.serving.http.conftest import Client, Server

QUERIES: list[dict[str, Any]] = [
    {"id": "now", "metrics": ["mrr"]},
    {"metrics": ["tickets_opened"], "group_by": ["priority"]},
    {"id": "wrong", "metrics": ["mrrr"]},
    {"id": "none", "metrics": ["mrr"], "colour": "red"},
    {"id": 7, "metrics": ["mrr"]},
    {
        "id": "compared",
        "metrics": ["mrr"],
        "time_range": {"start": "2024-01-01", "end": "2024-01-31"},
        "compare": "previous_year",
        "totals": True,
    },
    {"id": "now", "metrics": ["mrr"]},
]


def batch(client: Client, queries: Any, **options: Any) -> Any:
    return client.http.post("/api/v1/metrics/batch", json={"queries": queries}, **options)


def test_each_question_is_answered_as_alone_and_all_from_one_snapshot(acme: Client) -> None:
    told = batch(acme, [*QUERIES, "no object"]).json()

    answers = told["answers"]
    assert [answer["id"] for answer in answers] == ["now", None, "wrong", "none", None, "compared", "now", None]
    assert [("problem" in answer) for answer in answers] == [False, False, True, True, True, False, False, True]
    for query, answer in zip(QUERIES, answers, strict=False):
        if "problem" in answer:
            continue
        question = {name: part for name, part in query.items() if name not in ("id", "metrics")}
        alone = acme.answer(*query["metrics"], **question)
        assert {name: part for name, part in answer.items() if name not in ("id", "timing", "trust")} == {
            name: part for name, part in alone.items() if name not in ("timing", "trust")
        }
        assert answer["trust"]["snapshot_id"] == told["snapshot_id"] == alone["trust"]["snapshot_id"]
    problems = [answer["problem"] for answer in answers if "problem" in answer]
    assert {problem["status"] for problem in problems} == {400}
    assert "mrrr" in problems[0]["detail"]
    assert "colour" in problems[1]["detail"]
    assert "id" in problems[2]["detail"]
    assert len({problem["request_id"] for problem in problems}) == 1


@pytest.mark.parametrize("queries", [[], [{"metrics": ["mrr"]}] * 51, None, {"metrics": ["mrr"]}])
def test_a_batch_has_one_to_fifty_questions(acme: Client, queries: Any) -> None:
    answer = batch(acme, queries)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert "queries" in answer.json()["detail"]
    assert batch(acme, [{"metrics": ["mrr"]}] * 50).status_code == 200


def test_a_long_answer_of_a_batch_goes_on_where_questions_are_asked(operator: Client) -> None:
    days: dict[str, Any] = {
        "metrics": ["user_actions"],
        "group_by": ["metric_time"],
        "grain": "day",
        "time_range": {"start": "1990-01-01", "end": "2024-12-31"},
        "fill": "zero",
    }
    (answer,) = batch(operator, [days]).json()["answers"]
    assert len(answer["rows"]) == 10_000
    following = operator.http.post("/api/v1/metrics/query", json=days, params={"cursor": answer["next_cursor"]}).json()
    assert len(following["rows"]) == 2_784
    assert "next_cursor" not in following


def test_every_question_of_an_operator_is_written_down(server: Server, operator: Client) -> None:
    batch(operator, QUERIES, headers={"X-Request-ID": "several"}, params={"organization": "bolt"})
    with server.warehouse.engine().connect() as connection:
        rows = connection.execute(
            sa.text("select action, organization_id, details from app.audit_log where request_id = 'several'")
        ).all()
    assert {(row.action, row.organization_id) for row in rows} == {("metrics.query", "bolt")}
    # Those that are questions, whatever became of them.
    assert sorted(row.details["metrics"][0] for row in rows) == ["mrr", "mrr", "mrr", "mrrr", "tickets_opened"]


def test_a_batch_is_for_those_with_a_key(server: Server, acme: Client) -> None:
    with server.client() as nobody:
        assert batch(nobody, QUERIES).status_code == 401
    assert batch(acme, QUERIES, params={"organization": "bolt"}).status_code == 403
