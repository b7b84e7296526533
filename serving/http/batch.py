"""`POST /metrics/batch`: the questions of a whole dashboard, answered side by side from one snapshot."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from serving.flights import Asker
from serving.http.access import MetricsReader, Organization, caller_of
from serving.http.audited import audited
from serving.http.cursors import Place, Thread
from serving.http.formats import JSON
from serving.http.granted import granted
from serving.http.inputs import is_text
from serving.http.measured import Measured
from serving.http.pages import Page
from serving.http.problems import ERRORS, ProblemError, problem_of
from serving.http.shapes import BatchOut
from serving.http.state import State, state_of
from serving.http.waiting import all_while_connected
from serving.identity.principal import Principal
from serving.query import ComposedQuery, MetricQuery, parse_query
from warehouse.errors import DataInsightError

_MOST_QUESTIONS = 50
_LONGEST_ID = 100

router = APIRouter(prefix="/metrics", tags=["metrics"], responses=ERRORS)


class BatchQuestion(ComposedQuery):
    """A question, and what its answer is to be known by."""

    id: str | None = Field(default=None, max_length=_LONGEST_ID, examples=["by month"])


class Batch(BaseModel):
    """Several questions."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "queries": [
                        {"id": "now", "metrics": ["mrr"]},
                        {"id": "by month", "metrics": ["mrr"], "group_by": ["metric_time"], "grain": "month"},
                    ]
                }
            ]
        },
    )

    # Each is checked by itself, so that one which is none leaves the others their answers.
    queries: list[SkipValidation[BatchQuestion]] = Field(min_length=1, max_length=_MOST_QUESTIONS)


@router.post(
    "/batch",
    summary="Ask several questions at once",
    response_model=None,
    responses={HTTPStatus.OK.value: {"model": BatchOut, "description": "The answers."}},
)
async def ask_several(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: MetricsReader,
    organization: Organization,
    batch: Batch,
) -> Response:
    """Answer up to 50 questions from one snapshot; what is wrong with one is told in its place."""
    # Together they count as much as if each had been asked by itself; one was counted with the request.
    if len(batch.queries) > 1:
        request.state.headers = state.rates.take(reader, len(batch.queries) - 1).headers
    asked = [_asked(given, reader, request) for given in batch.queries]
    await audited(
        request, state, reader, organization, [question for _, question in asked if isinstance(question, MetricQuery)]
    )
    place = Place(state.metrics.standing(), 0)
    measured: Measured = request.app.state.measured

    def answered(question: MetricQuery | bytes, asker: Asker) -> bytes:
        if not isinstance(question, MetricQuery):
            return question
        try:
            with state.metrics.log.question(caller_of(reader), organization, question) as call:
                answer = state.metrics.query(question, organization, standing=place.standing, asker=asker, call=call)
        except DataInsightError as error:
            return _problem(error, request)
        measured.answer(answer.timing.cache)
        thread = Thread("query", state.metrics.policy_version, organization, question)
        return Page(state.settings, thread, place).json(answer)

    works = [lambda asker, question=question: answered(question, asker) for _, question in asked]
    found = await all_while_connected(request, state, organization, works)
    if isinstance(found, Response):
        return found
    answers = (b'{"id":' + orjson.dumps(name) + b"," + told[1:] for (name, _), told in zip(asked, found, strict=True))
    head = b'{"snapshot_id":' + str(place.standing.snapshot.snapshot_id).encode() + b',"answers":['
    return Response(
        head + b",".join(answers) + b"]}",
        headers={"Vary": "Authorization", "Cache-Control": "private, no-cache"},
        media_type=JSON,
    )


def _asked(given: Any, reader: Principal, request: Request) -> tuple[str | None, MetricQuery | bytes]:
    """The id of a question and the question, or in its place the JSON of what is wrong with it."""
    name = given.get("id") if isinstance(given, Mapping) else None
    try:
        _require_question(given, name)
        return name, granted(reader, parse_query({key: value for key, value in given.items() if key != "id"}))
    except (DataInsightError, ProblemError) as error:
        return name if isinstance(name, str) and is_text(name) else None, _problem(error, request)


def _require_question(given: Any, name: Any) -> None:
    if not isinstance(given, Mapping):
        raise DataInsightError("the query is no object", hint="each has `metrics`, and may have an `id`")
    if name is not None and not (isinstance(name, str) and len(name) <= _LONGEST_ID and is_text(name)):
        raise DataInsightError(f"id: it is no text of up to {_LONGEST_ID} characters")


def _problem(error: DataInsightError | ProblemError, request: Request) -> bytes:
    return orjson.dumps({"problem": problem_of(error, request).model_dump(exclude_none=True)})
