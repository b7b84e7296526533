"""Embed tokens: what they were made for, and nothing that they are stretched to."""

from typing import Any

import jwt
import pytest

from serving.identity.roles import Permission, Role
from tests.serving.conftest import Asking
from tests.serving.http.conftest import Client, Server
from tests.serving.http.people import audited, post

IN_MANY: dict[str, Any] = {"dimension": "country", "op": "in"}


def made(server: Server, organization: str = "acme", **body: Any) -> str:
    answer = post(server, "/embed/tokens", body, server.key(organization, Role.EDITOR))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def test_a_page_asks_for_its_metrics_under_its_filters(server: Server, reader: Asking) -> None:
    plans = [row[0] for row in reader.rows("mrr", group_by=["plan"], organization="acme")]
    wanted = {"dimension": "plan", "op": "eq", "values": [next(plan for plan in plans if plan is not None)]}
    with server.client(made(server, metrics=["mrr"], filters=[wanted])) as page:
        for asked in ({}, {"group_by": ["plan"]}, {"filters": [{"dimension": "plan", "op": "is_not_null"}]}):
            own = [*asked.get("filters", []), wanted]
            told = reader.rows("mrr", organization="acme", **{**asked, "filters": own})
            assert page.answer("mrr", **asked)["rows"] == told
        # Its own words take nothing back: both conditions hold.
        other = {"dimension": "plan", "op": "ne", "values": wanted["values"]}
        assert page.answer("mrr", group_by=["plan"], filters=[other])["rows"] == []
        by_link = page.get("/metrics/query?metrics=mrr&group_by=plan&filter=plan:is_not_null").json()["rows"]
        assert [row[0] for row in by_link] == wanted["values"]


def test_two_pages_with_other_filters_share_no_answer_and_no_tag(server: Server, reader: Asking) -> None:
    plans = [row[0] for row in reader.rows("mrr", group_by=["plan"], organization="acme") if row[0] is not None]
    tags, answers = set(), []
    for filters in (
        [],
        [{"dimension": "plan", "op": "eq", "values": plans[:1]}],
        [{"dimension": "plan", "op": "is_null"}],
    ):
        with server.client(made(server, metrics=["mrr"], filters=filters)) as page:
            asked = page.ask("mrr", group_by=["plan"], headers={"If-None-Match": ", ".join(tags)})
            assert asked.status_code == 200
            tags.add(asked.headers["ETag"])
            answers.append(asked.json()["rows"])
    assert len(tags) == 3
    assert answers[0] != answers[1] != answers[2]


def test_any_other_metric_is_refused_in_the_same_words(server: Server) -> None:
    with server.client(made(server, metrics=["mrr"])) as page:
        refused = [page.ask(*names) for names in (["tickets_opened"], ["no_such"], ["mrr", "tickets_opened"])]
        refused += [page.get(f"/metrics/query?metrics={name}") for name in ("tickets_opened", "no_such")]
        told = {(answer.status_code, answer.json()["detail"], answer.json()["hint"]) for answer in refused}
        assert told == {(403, "this token asks for the metrics that it was made for alone", "they are mrr")}
        assert [metric["name"] for metric in page.get("/metrics").json()["metrics"]] == ["mrr"]
        missing = [page.get(f"/metrics/{name}") for name in ("tickets_opened", "no_such")]
        assert {answer.status_code for answer in missing} == {404}
        assert page.get("/metrics/mrr").status_code == 200


def test_a_page_sees_its_organization_alone(server: Server) -> None:
    with server.client(made(server, metrics=["user_actions"])) as page:
        rows = page.answer("user_actions", group_by=["organization"])["rows"]
        assert {row[0] for row in rows} == {"acme"}
        refused = [page.get(f"/metrics/query?metrics=user_actions&organization={name}") for name in ("bolt", "nosuch")]
        assert [answer.status_code for answer in refused] == [403, 403]
        assert refused[0].json()["detail"] == refused[1].json()["detail"]
        foreign = [{"dimension": "organization", "op": "eq", "values": ["bolt"]}]
        assert page.answer("user_actions", group_by=["organization"], filters=foreign)["rows"] == []


def test_a_page_does_nothing_but_ask(server: Server) -> None:
    token = made(server, metrics=["mrr"])
    for method, path, body in (
        ("GET", "/auth/me", None),
        ("GET", "/keys", None),
        ("POST", "/keys", {}),
        ("POST", "/embed/tokens", {"metrics": ["mrr"]}),
        ("POST", "/auth/totp", None),
        ("POST", "/auth/invitations", {"invitation": "x"}),
        ("GET", "/organizations/acme/members", None),
        ("POST", "/organizations/acme/invitations", {"email": "ann@example.com"}),
    ):
        assert post(server, path, body, token, method=method).status_code == 403, path


def test_a_token_for_dashboards_alone_asks_for_no_metric(server: Server) -> None:
    with server.client(made(server, dashboards=["sales"])) as page:
        assert page.ask("mrr").status_code == 403
        assert page.get("/metrics").json()["metrics"] == []


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 400, "neither metrics nor dashboards"),
        ({"metrics": ["no_such"]}, 400, "no_such"),
        ({"metrics": ["mrr"], "filters": [{"dimension": "planet", "op": "is_null"}]}, 400, "planet"),
        ({"metrics": ["mrr"], "filters": [{"dimension": "plan", "op": "eq", "values": []}]}, 400, "one value"),
        ({"metrics": ["mrr"], "filters": [{**IN_MANY, "values": ["US"] * 5_001}] * 2}, 400, "10,000"),
        ({"metrics": ["mrr"], "seconds": 3601}, 400, "seconds"),
        ({"metrics": ["mrr"], "seconds": 0}, 400, "seconds"),
        ({"metrics": ["mrr"], "organization_id": "bolt"}, 403, "not your own"),
        ({"metrics": ["mrr"], "role": "admin"}, 400, "role"),
        ({"dashboards": ["x" * 200] * 50}, 400, "characters"),
    ],
)
def test_what_cannot_be_embedded_is_told_to_whoever_makes_the_page(
    server: Server, body: dict[str, Any], status: int, word: str
) -> None:
    answer = post(server, "/embed/tokens", body, server.key("acme", Role.EDITOR))
    assert (answer.status_code, word in answer.json()["detail"]) == (status, True), answer.text


def test_nobody_gives_a_page_more_than_they_have(server: Server) -> None:
    without_reading = server.key("acme", Role.EDITOR, scopes=[Permission.EMBED_WRITE])
    assert post(server, "/embed/tokens", {"metrics": ["mrr"]}, without_reading).status_code == 403
    assert post(server, "/embed/tokens", {"metrics": ["mrr"]}, server.key("acme")).status_code == 403


def test_an_operator_says_whose_page_it_is(server: Server, operator: Client) -> None:
    without = operator.http.post("/api/v1/embed/tokens", json={"metrics": ["mrr"]})
    assert (without.status_code, without.json()["detail"]) == (400, "organization_id is needed")
    of_bolt = operator.http.post("/api/v1/embed/tokens", json={"metrics": ["user_actions"], "organization_id": "bolt"})
    token = of_bolt.json()["token"]
    with server.client(token) as page:
        rows = page.answer("user_actions", group_by=["organization"])["rows"]
        assert {row[0] for row in rows} == {"bolt"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600
    assert claims["permissions"] == ["metrics:read"]
    subject = operator.get("/auth/me").json()["subject"]
    assert ("embed.add", claims["jti"]) in [
        (name, more.get("jti")) for name, more in audited(server.warehouse, subject)
    ]
