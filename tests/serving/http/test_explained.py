"""Where an answer comes from: definitions, marts, landed tables, the rule, and statements with nothing of others."""

from typing import Any

import pytest

from serving.metrics import Metrics, parse_query
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client
from warehouse.policy import MartPolicy, Policy, load_policy


def explained(client: Client, metric: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(f"/metrics/{metric}/explain", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_metric_says_what_it_is_made_of(acme: Client, published: Store) -> None:
    told = explained(acme, "arpa", group_by="plan")
    (definition,) = told["definitions"]
    assert (definition["type"], definition["inputs"]) == ("ratio", ["mrr", "active_organizations"])
    assert {measure["name"]: measure["aggregation"] for measure in definition["measures"]} == {
        "mrr": "sum",
        "active_organizations": "count_distinct",
    }
    assert {measure["mart"] for measure in definition["measures"]} == {"fact_organization_months"}
    assert {mart["name"]: (mart["rows"], mart["organization_column"]) for mart in told["marts"]} == {
        "fact_organization_months": ("own", "organization_id"),
        "dim_plans": ("shared", None),
    }
    snapshot = published.latest()
    assert {mart["name"]: mart["landed_tables"] for mart in told["marts"]} == {
        name: snapshot.tables[name].sources for name in ("fact_organization_months", "dim_plans")
    }
    assert told["snapshot_id"] == snapshot.snapshot_id
    assert explained(acme, "arr")["definitions"][0]["expression"] == "mrr * 12"
    assert "is_won" in explained(acme, "won_revenue_usd")["definitions"][0]["filter"]


def test_the_statement_has_the_filter_of_whoever_asks_and_no_path(
    acme: Client, operator: Client, published: Store
) -> None:
    (of_acme,) = explained(acme, "mrr", filter="country:eq:US")["statements"]
    (of_all,) = explained(operator, "mrr", filter="country:eq:US")["statements"]
    assert of_acme["question"]["metrics"] == ["mrr"]
    assert "'acme'" in of_acme["sql"]
    assert "'acme'" not in of_all["sql"]
    for statement in (of_acme["sql"], of_all["sql"]):
        assert "'US'" in statement
        assert "marts.fact_organization_months" in statement
        assert "parquet" not in statement
        assert str(published.settings.home) not in statement
    assert {mart["rows"] for mart in explained(operator, "mrr")["marts"]} == {"all"}
    together = explained(operator, "mrr", metrics="arr,mrr", group_by="metric_time")
    assert [one["name"] for one in together["definitions"]] == ["mrr", "arr"]


def test_a_composed_question_says_each_of_its_statements(acme: Client) -> None:
    told = explained(
        acme,
        "mrr",
        group_by="plan",
        start="2024-01-01",
        end="2024-01-31",
        compare="previous_year",
        top="plan:mrr:1:other",
        totals="true",
    )
    questions = [statement["question"] for statement in told["statements"]]
    # Which are the largest, they and the others now and a year before, whether there are any, and the totals of both.
    assert len(questions) == 9
    assert {question["time_range"]["start"] for question in questions} == {"2024-01-01", "2023-01-01"}
    assert all("'acme'" in statement["sql"] for statement in told["statements"])


def test_what_an_organization_cannot_ask_it_cannot_have_explained(acme: Client, published: Store) -> None:
    for path in ("mrrr/explain", "batches_landed/explain"):
        assert acme.get(f"/metrics/{path}").status_code == 404
    refused = acme.get("/metrics/weighted_pipeline_usd/explain")
    assert (refused.status_code, "no organization may see" in refused.json()["detail"]) == (400, True)
    assert acme.get("/metrics/mrr/explain?group_by=planet").status_code == 400
    assert acme.get("/metrics/mrr/explain?organization=bolt").status_code == 403

    rule = MartPolicy(organization_column="organization_id", hidden_from_tenants=("priority",))
    metrics = Metrics(
        published.settings,
        published.warehouse,
        Policy(marts=load_policy().marts | {"fact_support_tickets": rule}),
    )
    try:
        told = metrics.explain(parse_query({"metrics": ["tickets_opened"]}), "acme")
    finally:
        metrics.close()
    assert "'acme'" in told["statements"][0]["sql"]
    assert "priority" not in str(told)


@pytest.mark.parametrize("query", ["top=country", "compare=previous_year", "metrics=mrr&filter={"])
def test_a_question_that_is_none_is_not_explained(acme: Client, query: str) -> None:
    assert acme.get(f"/metrics/mrr/explain?{query}").status_code == 400
