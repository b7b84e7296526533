"""The same answers over HTTP, in each form, to exactly those who may see them."""

import io
from typing import Any

import orjson
import pyarrow as pa
import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Asking, Store
from tests.serving.http.conftest import Client, Server, running, until

BY_MONTH: dict[str, Any] = {
    "group_by": ["metric_time", "organization"],
    "grain": "month",
    "time_range": {"start": "2023-01-01", "end": "2023-12-31"},
}


def test_an_answer_over_http_is_the_answer(acme: Client, operator: Client, reader: Asking) -> None:
    for client, organization in ((acme, "acme"), (operator, None)):
        over_http = client.answer("mrr", "tickets_opened", **BY_MONTH)
        direct = reader.answer("mrr", "tickets_opened", organization=organization, **BY_MONTH)
        assert over_http["rows"]
        assert (over_http["columns"], over_http["rows"]) == (direct["columns"], direct["rows"])
        assert over_http["trust"].keys() == direct["trust"].keys()
        assert over_http["trust"]["snapshot_id"] == direct["trust"]["snapshot_id"]


def test_a_key_of_an_organization_asks_for_its_own_rows_alone(acme: Client, operator: Client) -> None:
    by_organization: dict[str, Any] = {"group_by": ["organization"]}
    assert {row[0] for row in acme.answer("user_actions", **by_organization)["rows"]} == {"acme"}
    assert {row[0] for row in operator.answer("user_actions", **by_organization)["rows"]} == {"acme", "bolt", "crow"}

    refused = [acme.get(f"/metrics/query?metrics=mrr&organization={name}") for name in ("bolt", "no such")]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert refused[0].json()["detail"] == refused[1].json()["detail"]
    assert acme.get("/metrics/query?metrics=mrr&organization=acme").json()["rows"] == acme.answer("mrr")["rows"]
    of_bolt = operator.get("/metrics/query?metrics=user_actions&group_by=organization&organization=bolt").json()
    assert {row[0] for row in of_bolt["rows"]} == {"bolt"}


def test_what_an_operator_sees_of_others_is_written_down(server: Server, operator: Client, acme: Client) -> None:
    acme.answer("mrr")
    asked = operator.ask("mrr", headers={"X-Request-ID": "of-an-operator"}, group_by=["organization"])
    assert asked.headers["X-Request-ID"] == "of-an-operator"

    with server.warehouse.engine().connect() as connection:
        rows = connection.execute(
            sa.text("select actor, action, details from app.audit_log where request_id = 'of-an-operator'")
        ).all()
        readers = connection.execute(
            sa.text("select distinct actor from app.audit_log where action = 'metrics.query'")
        ).all()
    ((actor, action, details),) = rows
    assert actor.startswith("key:")
    assert (action, details) == ("metrics.query", {"metrics": ["mrr"], "group_by": ["organization"]})
    assert [tuple(row) for row in readers] == [(actor,)]


def test_a_link_asks_what_a_body_asks(acme: Client) -> None:
    by_link = acme.get(
        "/metrics/query",
        params={
            "metrics": "mrr,tickets_opened",
            "group_by": "metric_time,organization",
            "grain": "month",
            "start": "2023-01-01",
            "end": "2023-06-30",
            "filter": ["country:in:US,DE", '{"dimension": "industry", "op": "is_not_null"}'],
            "order_by": "-metric_time",
            "limit": "4",
            "compare": "previous_year",
            "totals": "true",
            "fill": "zero",
            "top": "organization:mrr:2:other",
        },
    )
    by_body = acme.answer(
        "mrr",
        "tickets_opened",
        group_by=["metric_time", "organization"],
        grain="month",
        time_range={"start": "2023-01-01", "end": "2023-06-30"},
        filters=[
            {"dimension": "country", "op": "in", "values": ["US", "DE"]},
            {"dimension": "industry", "op": "is_not_null"},
        ],
        order_by=["-metric_time"],
        limit=4,
        compare="previous_year",
        totals=True,
        fill="zero",
        top={"dimension": "organization", "by": "mrr", "n": 2, "other": True},
    )
    assert by_link.status_code == 200, by_link.text
    assert by_link.json()["rows"] == by_body["rows"] != []
    assert by_link.json()["totals"] == by_body["totals"]
    assert by_link.json()["timing"]["cache"] == "miss"
    assert by_body["timing"]["cache"] == "hit"


@pytest.mark.parametrize("accept", ["text/csv", "application/vnd.apache.arrow.stream", "application/x-ndjson"])
def test_every_form_says_the_same_and_what_it_stands_on(acme: Client, accept: str) -> None:
    told = acme.answer("mrr", **BY_MONTH)
    answer = acme.ask("mrr", headers={"Accept": accept}, **BY_MONTH)

    assert answer.headers["Content-Type"].startswith(accept)
    trust = orjson.loads(answer.headers["X-DataInsight-Trust"])
    assert trust["snapshot_id"] == told["trust"]["snapshot_id"]
    names = [column["name"] for column in told["columns"]]
    if accept == "text/csv":
        header, *lines = answer.text.splitlines()
        assert header == ",".join(f'"{name}"' for name in names)
        assert [line.split(",")[0] for line in lines] == [row[0] for row in told["rows"]]
        assert [float(line.split(",")[2] or "nan") for line in lines if line.split(",")[2]] == [
            row[2] for row in told["rows"] if row[2] is not None
        ]
    elif accept == "application/x-ndjson":
        assert [orjson.loads(line) for line in answer.content.splitlines()] == [
            dict(zip(names, row, strict=True)) for row in told["rows"]
        ]
    else:
        table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()
        assert table.num_rows == len(told["rows"])
        assert orjson.loads(table.schema.metadata[b"trust"])["snapshot_id"] == told["trust"]["snapshot_id"]


@pytest.mark.parametrize("accept", ["text/csv", "application/vnd.apache.arrow.stream", "application/x-ndjson"])
def test_totals_are_beside_the_rows_where_these_have_no_place_for_them(acme: Client, accept: str) -> None:
    told = acme.answer("mrr", **BY_MONTH, totals=True)
    answer = acme.ask("mrr", headers={"Accept": accept}, **BY_MONTH, totals=True)
    assert orjson.loads(answer.headers["X-DataInsight-Totals"]) == told["totals"] == {"mrr": 100.0}
    if accept.endswith("arrow.stream"):
        metadata = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all().schema.metadata
        assert orjson.loads(metadata[b"totals"]) == told["totals"]


@pytest.mark.parametrize("accept", ["text/csv", "application/vnd.apache.arrow.stream", "application/x-ndjson"])
def test_a_long_answer_is_sent_whole_in_parts(operator: Client, accept: str) -> None:
    days: dict[str, Any] = {
        "group_by": ["metric_time", "country"],
        "grain": "day",
        "time_range": {"start": "1990-01-01", "end": "2024-12-31"},
        "fill": "zero",
    }
    with operator.http.stream(
        "POST", "/api/v1/metrics/query", json={"metrics": ["user_actions"], **days}, headers={"Accept": accept}
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["Transfer-Encoding"] == "chunked"
        content = b"".join(answer.iter_bytes())
    if accept.endswith("arrow.stream"):
        assert pa.ipc.open_stream(io.BytesIO(content)).read_all().num_rows == 2 * 12_784
    else:
        lines = content.splitlines()
        assert len(lines) == 2 * 12_784 + (accept == "text/csv")
        assert len(set(lines)) == len(lines)


def test_the_client_chooses_the_form_by_what_it_likes_best(acme: Client) -> None:
    def form(accept: str) -> str:
        return acme.ask("mrr", headers={"Accept": accept}).headers["Content-Type"].partition(";")[0]

    assert form("*/*") == "application/json"
    assert form("text/html,application/xhtml+xml,*/*;q=0.8") == "application/json"
    assert form("application/json;q=0.1, text/csv;q=0.9") == "text/csv"
    assert form("text/*") == "text/csv"
    refused = acme.ask("mrr", headers={"Accept": "image/png"})
    assert refused.status_code == 406
    assert "text/csv" in refused.json()["hint"]


def test_an_unchanged_answer_is_not_sent_again(server: Server, acme: Client, operator: Client) -> None:
    first = acme.ask("mrr", **BY_MONTH)
    again = acme.ask("mrr", headers={"If-None-Match": first.headers["ETag"]}, **BY_MONTH)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]

    # Another question, another form, somebody else: another answer.
    for other in (
        acme.ask("mrr", headers={"If-None-Match": first.headers["ETag"]}),
        acme.ask("mrr", headers={"If-None-Match": first.headers["ETag"], "Accept": "text/csv"}, **BY_MONTH),
        operator.ask("mrr", headers={"If-None-Match": first.headers["ETag"]}, **BY_MONTH),
    ):
        assert other.status_code == 200
    with server.client(server.key("bolt")) as bolt:
        assert bolt.ask("mrr", headers={"If-None-Match": first.headers["ETag"]}, **BY_MONTH).status_code == 200


def _ageless(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The metrics without how old they are by now."""
    return [metric | {"freshness": metric["freshness"]["as_of"]} for metric in metrics]


def test_the_metrics_are_listed_as_the_command_lists_them(acme: Client, operator: Client, reader: Asking) -> None:
    everything = _ageless(operator.get("/metrics").json()["metrics"])
    assert everything == _ageless(reader.metrics.list())
    of_acme = {metric["name"] for metric in acme.get("/metrics").json()["metrics"]}
    assert "mrr" in of_acme
    # What stands on the platform's own batches is nothing to an organization, and refused if it asks.
    hidden = {metric["name"] for metric in everything} - of_acme
    for name in hidden:
        assert acme.ask(name).status_code == 400

    mrr = acme.get("/metrics/mrr").json()
    freshness = acme.answer("mrr")["trust"]
    assert mrr["freshness"]["as_of"] == freshness["as_of"]
    assert 0 <= mrr["freshness"]["freshness_seconds"] <= freshness["freshness_seconds"] + 60
    assert _ageless([mrr])[0] in everything
    missing = acme.get("/metrics/mrrr")
    assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"metrics": []}, "metrics"),
        ({"metrics": ["mrr"], "grain": "fortnight"}, "grain"),
        ({"metrics": ["mrr"], "colour": "red"}, "colour"),
        ({"metrics": ["mrrr"]}, "mrrr"),
        ({"metrics": ["mrr"], "group_by": ["planet"]}, "planet"),
        ({"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "in"}]}, "at least one value"),
        ({"metrics": ["mrr"], "time_range": {"start": "2024-02-01", "end": "2024-01-01"}}, "before it starts"),
    ],
)
def test_a_question_that_is_none_is_a_problem_that_names_its_part(acme: Client, body: Any, word: str) -> None:
    answer = acme.http.post("/api/v1/metrics/query", json=body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert word in problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "query",
    ["metrics=mrr&top=country", "metrics=mrr&filter=country", 'metrics=mrr&filter={"dimension":', "metrics=,", ""],
)
def test_a_link_that_asks_nothing_is_a_problem(acme: Client, query: str) -> None:
    answer = acme.get(f"/metrics/query?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_before_the_first_publication_there_is_no_answer_yet(store: Store) -> None:
    with running(create_app(store.settings)) as address:
        server = Server(address, store.warehouse)
        with server.client(server.key(None, Role.OPERATOR)) as client:
            assert client.http.get("/health/live").json() == {"status": "alive"}
            for answer in (client.http.get("/health/ready"), client.ask("mrr"), client.get("/metrics")):
                assert answer.status_code == 503
                assert answer.json()["detail"] == "nothing was published yet"
                assert int(answer.headers["Retry-After"]) > 0
            store.publish()
            until(lambda: client.http.get("/health/ready").status_code == 200)
            assert client.answer("mrr")["rows"] == [[300.5]]
