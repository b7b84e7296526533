"""`/metrics`: what there is, and the answers to questions."""

import hashlib
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from serving.flights import Asker
from serving.http.access import MetricsReader, Organization, may_ask, restricted
from serving.http.formats import ARROW, CSV, NDJSON, accepted, rendered
from serving.http.measured import Measured
from serving.http.problems import ProblemError, responses
from serving.http.questions import question
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.http.waiting import while_connected
from serving.identity.audit import write_down
from serving.identity.principal import Principal
from serving.query import MetricQuery
from serving.query_log import Caller
from warehouse.database import API

_ERRORS = responses(
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE
)

# So many rows are written at once; more would keep others waiting.
_FEW_ROWS = 1_000

router = APIRouter(prefix="/metrics", tags=["metrics"], responses=_ERRORS)


class MetricOut(BaseModel):
    """A metric, and what it can be asked by."""

    name: str = Field(examples=["mrr"])
    label: str
    description: str
    type: str = Field(description="simple, ratio, derived, cumulative or conversion.", examples=["simple"])
    owner: str | None = Field(examples=["finance"])
    unit: str | None = Field(examples=["USD"])
    dimensions: list[str] = Field(examples=[["metric_time", "organization__country"]])
    grains: list[str] = Field(examples=[["month", "quarter", "year"]])


class MetricsOut(BaseModel):
    """Every metric that can be asked for."""

    metrics: list[MetricOut]


class ColumnOut(BaseModel):
    """A column of an answer."""

    name: str = Field(examples=["mrr"])
    type: str = Field(examples=["decimal"])


class ChecksOut(BaseModel):
    """How many checks stand behind an answer, by outcome."""

    passed: int
    warned: int
    failed: int


class TrustOut(BaseModel):
    """What an answer stands on."""

    snapshot_id: int
    as_of: str = Field(description="When the newest batch behind the answer landed.")
    freshness_seconds: int
    checks: ChecksOut
    quarantined_rows: int
    refused_batches: int
    definition_version: str


class TimingOut(BaseModel):
    """Where the time went."""

    compile_ms: float
    execute_ms: float
    cache: str = Field(description="hit or miss.")


class AnswerOut(BaseModel):
    """The answer to a question."""

    columns: list[ColumnOut]
    rows: list[list[Any]] = Field(examples=[[["2024-12-01", 10159608.0]]])
    trust: TrustOut
    timing: TimingOut


_ANSWER: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {
        "model": AnswerOut,
        "description": "The answer, in the form that `Accept` asks for.",
        "content": {CSV: {}, ARROW: {}, NDJSON: {}},
    },
    HTTPStatus.NOT_MODIFIED.value: {"description": "The answer of before (`If-None-Match`) is still the answer."},
    **responses(HTTPStatus.NOT_ACCEPTABLE),
}


@router.get("", summary="List the metrics")
def list_metrics(
    state: Annotated[State, Depends(state_of)], reader: MetricsReader, organization: Organization
) -> MetricsOut:
    """Every metric with its description, its owner and what it can be asked by."""
    found = state.metrics.list(organization)
    return MetricsOut(metrics=[MetricOut(**metric) for metric in found if may_ask(reader, metric["name"])])


@router.get("/query", summary="Ask by a link", response_model=None, responses=_ANSWER)
async def ask_by_link(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: MetricsReader,
    organization: Organization,
    query: Annotated[MetricQuery, Depends(question)],
) -> Response:
    """The same questions as in a body, for spreadsheets and links."""
    return await _answered(request, state, reader, organization, query)


@router.post("/query", summary="Ask", response_model=None, responses=_ANSWER)
async def ask(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: MetricsReader,
    organization: Organization,
    query: MetricQuery,
) -> Response:
    """Answer a question from the newest snapshot, with what the answer stands on."""
    return await _answered(request, state, reader, organization, query)


@router.get("/{metric}", summary="One metric", responses=responses(HTTPStatus.NOT_FOUND))
def show_metric(
    metric: str, state: Annotated[State, Depends(state_of)], reader: MetricsReader, organization: Organization
) -> MetricOut:
    """One metric with its description, its owner and what it can be asked by."""
    for known in state.metrics.list(organization):
        if known["name"] == metric and may_ask(reader, metric):
            return MetricOut(**known)
    raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no metric {metric!r}", "GET /api/v1/metrics lists them")


async def _answered(
    request: Request, state: State, reader: Principal, organization: str | None, query: MetricQuery
) -> Response:
    media_type = accepted(request.headers.get("accept", ""))
    query = restricted(reader, query)
    if reader.is_operator:
        # What an operator sees of others is written down before it is seen.
        await run_in_threadpool(_write_down, request, state, reader, organization, query)
    standing = state.metrics.standing()
    tag = _etag(standing.snapshot.snapshot_id, organization, query, media_type)
    headers = {"Vary": "Accept, Authorization", "Cache-Control": "private, no-cache", "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    measured: Measured = request.app.state.measured
    caller = Caller("http", reader.subject)
    known = state.metrics.known(query, organization, standing, caller)
    if known is not None and known.table.num_rows <= _FEW_ROWS:
        measured.answer(known.timing.cache)
        return rendered(known, media_type, headers)

    def find(asker: Asker) -> Response:
        answer = known or state.metrics.query(query, organization, standing=standing, asker=asker, caller=caller)
        measured.answer(answer.timing.cache)
        return rendered(answer, media_type, headers)

    return await while_connected(request, state, find)


def _write_down(
    request: Request, state: State, reader: Principal, organization: str | None, query: MetricQuery
) -> None:
    with state.warehouse.engine(API).begin() as connection:
        write_down(
            connection,
            reader.subject,
            "metrics.query",
            organization_id=organization,
            details={"metrics": query.metrics, "group_by": query.group_by},
            request_id=request_id_of(request),
        )


def _etag(snapshot_id: int, organization: str | None, query: MetricQuery, media_type: str) -> str:
    """Two answers with the same tag are the same, whoever asks, but for how old they are by now."""
    of_what = "\0".join((str(snapshot_id), repr(organization), query.model_dump_json(), media_type))
    return f'"{hashlib.sha256(of_what.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'
