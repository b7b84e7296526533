"""The shapes of what the metrics' routes answer with, as OpenAPI tells them."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from serving.http.formats import ARROW, CSV, NDJSON
from serving.http.list_pages import NEXT_CURSOR
from serving.http.problems import Problem, responses

_MOMENT = "2024-12-31T23:02:11+00:00"


class FreshnessOut(BaseModel):
    """How fresh what a metric stands on is."""

    as_of: str = Field(description="When the newest batch behind it landed.", examples=[_MOMENT])
    freshness_seconds: int = Field(examples=[3600])


class MetricOut(BaseModel):
    """A metric, and what it can be asked by."""

    name: str = Field(examples=["mrr"])
    label: str = Field(examples=["Monthly recurring revenue"])
    description: str = Field(examples=["What the subscriptions active at the last day of a month bring that month."])
    type: str = Field(description="simple, ratio, derived, cumulative or conversion.", examples=["simple"])
    owner: str | None = Field(examples=["finance"])
    unit: str | None = Field(examples=["usd"])
    dimensions: list[str] = Field(examples=[["metric_time", "organization__country"]])
    grains: list[str] = Field(examples=[["month", "quarter", "year"]])
    freshness: FreshnessOut | None = Field(description="null when it stands on a mart that was not published.")


class MetricsOut(BaseModel):
    """A page of the metrics that can be asked for."""

    metrics: list[MetricOut]
    next_cursor: str | None = Field(default=None, description=NEXT_CURSOR)


class ColumnOut(BaseModel):
    """A column of an answer."""

    name: str = Field(examples=["mrr"])
    type: str = Field(description="string, integer, decimal, double, boolean, date or timestamp.", examples=["decimal"])


class ChecksOut(BaseModel):
    """How many checks stand behind an answer, by outcome."""

    passed: int = Field(examples=[79])
    warned: int = Field(examples=[1])
    failed: int = Field(examples=[0])


class TrustOut(BaseModel):
    """What an answer stands on."""

    snapshot_id: int = Field(examples=[7])
    as_of: str = Field(description="When the newest batch behind the answer landed.", examples=[_MOMENT])
    freshness_seconds: int = Field(examples=[3600])
    checks: ChecksOut
    quarantined_rows: int = Field(examples=[42])
    refused_batches: int = Field(examples=[0])
    definition_version: str = Field(examples=["4bb70772e197"])
    warehouse_unreachable_since: str | None = Field(
        default=None, description="Since when the warehouse is away; only then."
    )
    cache_unreachable_since: str | None = Field(
        default=None, description="Since when the shared cache is away, which costs time and no more; only then."
    )


class TimingOut(BaseModel):
    """Where the time went."""

    compile_ms: float = Field(examples=[6.1])
    execute_ms: float = Field(examples=[8.3])
    cache: str = Field(description="hit or miss.", examples=["miss"])


class AnswerOut(BaseModel):
    """The answer to a question."""

    columns: list[ColumnOut]
    rows: list[list[Any]] = Field(examples=[[["2024-12-01", 10159608.0]]])
    totals: dict[str, Any] | None = Field(
        default=None, description="What each metric comes to in all, when asked for.", examples=[{"mrr": 10159608.0}]
    )
    next_cursor: str | None = Field(default=None, description="Where the answer goes on; only when it does.")
    trust: TrustOut
    timing: TimingOut


class BatchAnswerOut(BaseModel):
    """The answer to one question of several, or what is wrong with it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": "by month", "columns": [{"name": "mrr", "type": "decimal"}], "rows": [[10159608.0]]}]
        }
    )

    id: str | None = Field(description="The question's own `id`.", examples=["by month"])
    columns: list[ColumnOut] | None = None
    rows: list[list[Any]] | None = None
    totals: dict[str, Any] | None = None
    next_cursor: str | None = None
    trust: TrustOut | None = None
    timing: TimingOut | None = None
    problem: Problem | None = Field(default=None, description="In the place of an answer.")


class BatchOut(BaseModel):
    """The answers to several questions, in the order they were asked."""

    snapshot_id: int = Field(description="What all of them stand on.", examples=[7])
    answers: list[BatchAnswerOut]


class ValuesOut(BaseModel):
    """The values of a dimension."""

    dimension: str = Field(examples=["organization__country"])
    type: str = Field(examples=["string"])
    values: list[Any] = Field(description="Sorted; null when there are rows without a value.", examples=[["DE", None]])
    next_cursor: str | None = None
    trust: TrustOut


class MeasureOut(BaseModel):
    """What a metric counts."""

    name: str = Field(examples=["mrr"])
    aggregation: str = Field(examples=["sum"])
    expression: str = Field(examples=["mrr_usd"])
    mart: str = Field(examples=["fact_organization_months"])


class DefinitionOut(BaseModel):
    """How a metric is defined."""

    name: str = Field(examples=["mrr"])
    type: str = Field(examples=["simple"])
    description: str
    expression: str | None = Field(description="Of a derived metric.", examples=["mrr * 12"])
    inputs: list[str] = Field(description="The metrics it is computed from.", examples=[[]])
    measures: list[MeasureOut]
    filter: str | None = Field(examples=["{{ Dimension('opportunity__is_won') }}"])


class ReadMartOut(BaseModel):
    """A mart that an answer stands on."""

    name: str = Field(examples=["fact_organization_months"])
    rows: str = Field(
        description="Which of its rows are read: `own`, the organization's; `shared`, those of all, which everybody"
        " may see; `all`, everybody's, by an operator.",
        examples=["own"],
    )
    organization_column: str | None = Field(description="Whose a row is.", examples=["organization_id"])
    landed_tables: list[str] | None = Field(
        description="What it is built from; null when that is not known.", examples=[["saas.subscriptions"]]
    )


class StatementOut(BaseModel):
    """One statement that is run for an answer."""

    question: dict[str, Any] = Field(examples=[{"metrics": ["mrr"]}])
    sql: str = Field(
        description="In DuckDB's dialect, over the marts by their names.",
        examples=["SELECT SUM(mrr_usd) AS mrr FROM (SELECT * FROM marts.fact_organization_months) AS months"],
    )


class ExplanationOut(BaseModel):
    """Where an answer comes from."""

    snapshot_id: int = Field(examples=[7])
    definition_version: str = Field(examples=["4bb70772e197"])
    policy_version: str = Field(examples=["9a1d2c3b4e5f"])
    definitions: list[DefinitionOut]
    marts: list[ReadMartOut]
    statements: list[StatementOut]


UNCHANGED: dict[int | str, dict[str, Any]] = {
    HTTPStatus.NOT_MODIFIED.value: {"description": "The answer of before (`If-None-Match`) is still the answer."},
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {
        "model": AnswerOut,
        "description": "The answer, in the form that `Accept` asks for.",
        "content": {CSV: {}, ARROW: {}, NDJSON: {}},
    },
    **UNCHANGED,
    **responses(HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.GONE),
}
