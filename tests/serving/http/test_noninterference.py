"""Whatever an organization's key sends, the answer is the same when the rows of all others are different ones.

Two servers stand side by side: they differ in the rows of everybody but `acme`. Each attack goes to both with a key of
`acme`, and both must answer alike: then nothing of others is in any answer, not a value, a count, or another error.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.http.app import create_app
from tests.serving.conftest import NewStores
from tests.serving.http.conftest import Client, Server, running

# Every figure and every name of others is another one.
_OTHERS = (
    "update marts.dim_organizations set name = 'Other ' || name, industry = 'mining', country = 'FR',"
    " referral_source = 'fair', seats = seats + 5 where organization_id <> 'acme'",
    "update marts.fact_organization_months"
    " set mrr_usd = mrr_usd + 1000, active_subscriptions = active_subscriptions + 3 where organization_id <> 'acme'",
    "update marts.fact_user_actions set action_type = 'Another', user_id = 'x' || user_id, user_key = 'x' || user_key"
    " where organization_id <> 'acme'",
    "delete from marts.fact_user_actions where organization_id = 'bolt' and action_date > '2024-02-01'",
    "update marts.fact_churn_events set reason = 'another', refund_usd = 99 where organization_id <> 'acme'",
    "update marts.fact_support_tickets set priority = 'another' where organization_id <> 'acme'",
    "update marts.fact_feature_usage set usage_count = usage_count + 100 where organization_id <> 'acme'",
    "update marts.dim_users set login = 'other-' || login where organization_id <> 'acme'",
    "update marts.fact_invoices set total_usd = total_usd + 7 where organization_id <> 'acme'",
    "update marts.fact_mrr_movements set movement_usd = movement_usd * 3 where organization_id <> 'acme'",
)
_VOLATILE = re.compile(
    r'"(?:request_id|snapshot_id|as_of|freshness_seconds|compile_ms|execute_ms|cache)":("[^"]*"|[-0-9.e]+)'
)


@dataclass
class Both:
    """A client of each server."""

    one: Client
    other: Client

    def send(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """The answer of both.

        Raises:
            AssertionError: They differ.
        """
        told = []
        for client in (self.one, self.other):
            response = client.http.request(method, path, **options)
            assert response.status_code < 500, response.text
            named = sorted(response.headers.keys()), response.headers.get("Content-Type")
            told.append((response.status_code, _VOLATILE.sub("", response.text), named))
        assert told[0] == told[1]
        return told[0][:2]


@pytest.fixture(scope="module")
def both(new_stores: NewStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with ExitStack() as stack:
        clients = []
        for changes in ((), _OTHERS):
            store = stack.enter_context(new_stores.published(tmp_path_factory.mktemp("store"), *changes))
            unlimited = store.settings.model_copy(update={"rate_limits": {"standard": 10**9}})
            server = Server(stack.enter_context(running(create_app(unlimited))), store.warehouse)
            clients.append(stack.enter_context(server.client(server.key("acme"))))
        yield Both(*clients)


METRICS = [
    "mrr",
    "user_actions",
    "active_users",
    "actions_per_user",
    "churn_events",
    "tickets_opened",
    "arpa",
    "new_mrr",
]
DIMENSIONS = [
    "metric_time", "organization", "organization__name", "organization__country", "organization__industry", "country",
    "plan", "plan__name", "action_type", "user__login", "user", "organization__organization_id", "priority", "reason",
]  # fmt: skip
SQL = [
    "' or 1=1 --", "acme' union select name from marts.dim_organizations --", "{{ Dimension('x') }}", "bolt", "crow",
    "%", "_", "\\", "acme\u0000bolt", "acme; drop table x", "(select max(mrr_usd) from marts.fact_organization_months)",
    "Pro", "tech", "US", "mining", "FR", "\u212aroe", "\uff41\uff43\uff4d\uff45", "*", "acme%27", "%62olt", "",
]  # fmt: skip
words = st.sampled_from([*SQL, *DIMENSIONS, *METRICS]) | st.text(max_size=12)
filters = st.fixed_dictionaries(
    {
        "dimension": st.sampled_from(DIMENSIONS) | words,
        "op": st.sampled_from(
            ["in", "not_in", "eq", "ne", "lt", "lte", "gt", "gte", "contains", "is_null", "is_not_null", "like", "or"]
        ),
        "values": st.lists(words | st.integers(-(2**70), 2**70) | st.booleans() | st.none(), max_size=3),
    }
)
questions = st.fixed_dictionaries(
    {"metrics": st.lists(st.sampled_from(METRICS) | words, min_size=1, max_size=2, unique=True)},
    optional={
        "group_by": st.lists(st.sampled_from(DIMENSIONS) | words, max_size=3),
        "grain": st.sampled_from(["day", "month", "year", "century"]),
        "filters": st.lists(filters, max_size=2),
        "order_by": st.lists(words.map(lambda word: f"-{word}") | words, max_size=2),
        "limit": st.integers(-1, 5),
        "organization": words,
        "time_range": st.fixed_dictionaries({"start": words | st.just("2024-01-01"), "end": st.just("2024-06-30")}),
    },
)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(question=questions)
def test_a_question_of_any_kind(both: Both, question: dict[str, Any]) -> None:
    both.send("POST", "/api/v1/metrics/query", json=question)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dimension", [None, *DIMENSIONS])
def test_a_question_that_is_right(both: Both, metric: str, dimension: str | None) -> None:
    group_by = [] if dimension is None else [dimension]
    status, text = both.send("POST", "/api/v1/metrics/query", json={"metrics": [metric], "group_by": group_by})
    assert status in (200, 400)
    if dimension == "organization" and status == 200:
        assert "bolt" not in text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(values=st.lists(words, min_size=1, max_size=3), op=st.sampled_from(["in", "not_in", "contains", "lt", "ne"]))
def test_a_link_of_any_kind(both: Both, values: list[str], op: str) -> None:
    storable = [value.encode("utf-8", "replace").decode() for value in values]
    condition = f"organization__name:{op}:{','.join(storable)}"
    both.send("GET", "/api/v1/metrics/query", params={"metrics": "mrr", "group_by": "country", "filter": condition})


@pytest.mark.parametrize("whose", ["bolt", "crow", "nobody", "ACME", "acme ", "acme,bolt", "*"])
def test_another_organization_is_refused_in_the_same_words_whether_it_exists(both: Both, whose: str) -> None:
    path = "/api/v1/metrics/query?metrics=mrr"
    assert both.send("GET", path, params={"metrics": "mrr", "organization": whose}) == both.send(
        "GET", path, params={"metrics": "mrr", "organization": "certainly not there"}
    )


@pytest.mark.parametrize("whose", ["", "\u0000", "acme\n", "x" * 201])
def test_what_can_be_no_organization_s_name_is_a_mistake(both: Both, whose: str) -> None:
    status, *_ = both.send("GET", "/api/v1/metrics/query", params={"metrics": "mrr", "organization": whose})
    assert status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/metrics/query?metrics=mrr&organization=acme&organization=bolt",
        "/api/v1/metrics/query?metrics=mrr&organization=bolt&organization=acme",
        "/api/v1//metrics/query?metrics=mrr", "/api/v1/metrics/%2e%2e/metrics/query?metrics=mrr",
        "/api/v1/metrics/mrr%00", "/api/v1/metrics/mrr%2f..%2fuser_actions", "/api/v1/metrics/bolt",
        "/api/v1/metrics/..",
        "/api/v1/metrics/query;organization=bolt?metrics=mrr", "/api/v1/metrics/query?metrics=mrr&Organization=bolt",
        "/API/v1/metrics/query?metrics=mrr", "/health/ready/../../api/v1/metrics/query?metrics=mrr",
    ],
)  # fmt: skip
def test_paths_lead_nowhere_else(both: Both, path: str) -> None:
    status, text = both.send("GET", path)
    assert status in (200, 400, 403, 404)
    assert "200.5" not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Organization": "bolt"}, {"X-Forwarded-User": "bolt"}, {"X-Tenant-Id": "bolt"}, {"Forwarded": "for=bolt"},
        {"X-HTTP-Method-Override": "DELETE"}, {"X-Original-URL": "/api/v1/x"}, {"Host": "bolt"}, {"If-None-Match": "*"},
        {"Cookie": "organization=bolt"}, {"Range": "bytes=0-10"}, {"Content-Type": "text/plain"},
    ],
)  # fmt: skip
def test_headers_change_nothing(both: Both, headers: dict[str, str]) -> None:
    path = "/api/v1/metrics/query?metrics=mrr&group_by=organization"
    assert both.send("GET", path, headers=headers) == both.send("GET", path)


def test_the_tag_of_another_organizations_answer_is_no_tag_of_ones_own(server: Server) -> None:
    asked: dict[str, Any] = {"metrics": ["mrr"], "group_by": ["metric_time"]}
    with server.client(server.key("acme")) as acme, server.client(server.key("bolt")) as bolt:
        foreign = bolt.http.post("/api/v1/metrics/query", json=asked).headers["ETag"]
        own = acme.http.post("/api/v1/metrics/query", json=asked, headers={"If-None-Match": foreign})
        assert own.status_code == 200
        assert own.headers["ETag"] != foreign
        assert (
            acme.http.post(
                "/api/v1/metrics/query", json=asked, headers={"If-None-Match": own.headers["ETag"]}
            ).status_code
            == 304
        )


def test_equal_questions_of_two_organizations_at_once_are_two_questions(server: Server) -> None:
    expected = {"acme": [["acme", 100.0]], "bolt": [["bolt", 200.5]]}
    with ExitStack() as stack:
        clients = {whose: stack.enter_context(server.client(server.key(whose))) for whose in expected}
        with ThreadPoolExecutor(8) as pool:
            for limit in range(10, 60):
                question = {"metrics": ["mrr"], "group_by": ["organization"], "limit": limit}
                sent = [
                    (whose, pool.submit(clients[whose].http.post, "/api/v1/metrics/query", json=question))
                    for whose in ("acme", "bolt", "acme", "bolt")
                ]
                for whose, answer in sent:
                    assert answer.result().json()["rows"] == expected[whose]
