"""`/metrics/{metric}/explain`: where an answer comes from, down to the statement and the landed tables."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from serving.flights import Asker
from serving.http.access import MetricsReader, Organization, caller_of
from serving.http.audited import audited
from serving.http.granted import granted
from serving.http.named import NamedMetric, listed
from serving.http.problems import ERRORS, responses
from serving.http.questions import question_of
from serving.http.shapes import ExplanationOut
from serving.http.state import State, state_of
from serving.http.waiting import while_connected
from serving.query import MetricQuery

router = APIRouter(prefix="/metrics", tags=["metrics"], responses=ERRORS)


@router.get(
    "/{metric}/explain",
    summary="Where an answer comes from",
    response_model=ExplanationOut,
    responses=responses(HTTPStatus.NOT_FOUND),
)
async def explain(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: MetricsReader,
    organization: Organization,
    metric: NamedMetric,
    query: Annotated[MetricQuery, Depends(question_of)],
) -> ExplanationOut | Response:
    """Definitions, marts, landed tables, policy and SQL of the answer to the question that the parameters ask."""
    with state.metrics.log.question(caller_of(reader), organization, query, "explain") as call:
        await run_in_threadpool(listed, state, reader, organization, metric)
        asked = granted(reader, query)
        await audited(request, state, reader, organization, [asked], "metrics.explain")

        def find(asker: Asker) -> ExplanationOut:
            found = ExplanationOut(**state.metrics.explain(asked, organization, asker=asker, call=call))
            call.answered()
            return found

        return await while_connected(request, state, organization, find)
