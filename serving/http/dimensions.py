"""`/metrics/{metric}/dimensions/{dimension}/values`: what a filter can be set to, as whoever asks may see it."""

from http import HTTPStatus
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from serving.flights import Asker
from serving.http.access import MetricsReader, Organization, caller_of
from serving.http.audited import audited
from serving.http.cursors import Thread, where
from serving.http.formats import JSON
from serving.http.granted import granted
from serving.http.named import NamedMetric, listed
from serving.http.pages import GivenCursor, Page
from serving.http.problems import ERRORS, ProblemError, responses
from serving.http.shapes import UNCHANGED, ValuesOut
from serving.http.state import State, state_of
from serving.http.tags import not_modified, tagged
from serving.http.waiting import while_connected
from serving.json_values import columns_and_rows
from serving.query import Filter, MetricQuery
from serving.standing import Standing
from warehouse.errors import DataInsightError

_FEW_VALUES = 100
_MOST_VALUES = 10_000

router = APIRouter(prefix="/metrics", tags=["metrics"], responses=ERRORS)


@router.get(
    "/{metric}/dimensions/{dimension}/values",
    summary="The values of a dimension",
    response_model=None,
    responses={
        HTTPStatus.OK.value: {"model": ValuesOut, "description": "The values."},
        **UNCHANGED,
        **responses(HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
    },
)
async def values(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: MetricsReader,
    organization: Organization,
    metric: NamedMetric,
    dimension: Annotated[
        str,
        Path(
            max_length=200,
            description="A name that the metric can be asked by.",
            examples=["organization__country"],
        ),
    ],
    search: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Only texts that contain it; capitals do not matter. Of texts only.",
            examples=["u"],
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_VALUES, description="At most so many.", examples=[20])] = _FEW_VALUES,
    given: GivenCursor = None,
) -> Response:
    """The values that the metric has rows of, sorted: the same as asking for the metric by the dimension."""
    with state.metrics.log.call("values", caller_of(reader), organization, [metric], [dimension]) as call:
        await run_in_threadpool(listed, state, reader, organization, metric)
        found: tuple[Filter, ...] = (Filter(dimension=dimension, op="contains", values=(search,)),) if search else ()
        query = granted(reader, MetricQuery(metrics=(metric,), group_by=(dimension,), filters=found))
        thread = Thread("values", state.metrics.policy_version, organization, query)
        place = await where(state, thread, given)
        kind = await run_in_threadpool(_type_of, state, place.standing, metric, dimension)
        if search and kind != "string":
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, f"search: it looks into texts, and {dimension} is a {kind}", "leave it out"
            )
        await audited(request, state, reader, organization, [query], "metrics.values")
        page = Page(state.settings, thread, place, limit)
        headers = tagged(state, page, JSON)
        unchanged = not_modified(request, page, headers, call)
        if unchanged is not None:
            return unchanged

        def find(asker: Asker) -> Response:
            answer = state.metrics.query(query, organization, standing=place.standing, asker=asker, call=call)
            told = columns_and_rows(answer.table.select([dimension]).slice(place.start, limit))
            values = {
                "dimension": dimension,
                "type": kind,
                "values": [row[0] for row in told["rows"]],
                "next_cursor": page.next_cursor(answer.table.num_rows),
                "trust": answer.trust.to_dict(),
            }
            return Response(orjson.dumps(values), headers=headers, media_type=JSON)

        return await while_connected(request, state, organization, find)


def _type_of(state: State, standing: Standing, metric: str, dimension: str) -> str:
    try:
        return state.metrics.type_of(metric, dimension, standing)
    except DataInsightError as error:
        # The path names it, so that there is nothing at the path.
        raise ProblemError(HTTPStatus.NOT_FOUND, error.message, error.hint) from error
