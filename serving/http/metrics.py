"""`/metrics`: what there is, and the answers to questions."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from serving.flights import Asker
from serving.http.access import MetricsReader, Organization, caller_of
from serving.http.audited import audited
from serving.http.cursors import Thread, where
from serving.http.formats import FORMATS, JSON, accepted, rendered
from serving.http.granted import granted, is_granted
from serving.http.list_pages import WhichListPage
from serving.http.measured import Measured
from serving.http.named import NamedMetric, listed
from serving.http.pages import Page, Paging, WhichPage
from serving.http.problems import ERRORS, ProblemError, responses
from serving.http.questions import question
from serving.http.shapes import ANSWERS, MetricOut, MetricsOut
from serving.http.state import State, state_of
from serving.http.tags import not_modified, tagged
from serving.http.waiting import while_connected
from serving.identity.principal import Principal
from serving.query import ComposedQuery, MetricQuery
from warehouse.portions import Portion

# So many rows are written at once; more would keep others waiting.
_FEW_ROWS = 1_000

router = APIRouter(prefix="/metrics", tags=["metrics"], responses=ERRORS)


@router.get("", summary="List the metrics")
def list_metrics(
    state: Annotated[State, Depends(state_of)], reader: MetricsReader, organization: Organization, page: WhichListPage
) -> MetricsOut:
    """Every metric with its description, its owner, how fresh it is and what it can be asked by, sorted by name."""

    def granted_ones(portion: Portion) -> list[dict[str, Any]]:
        (after,) = portion.after or ("",)
        found = [one for one in state.metrics.list(organization) if is_granted(reader, one["name"])]
        return [one for one in found if one["name"] > str(after)][: portion.limit]

    with state.metrics.log.call("list", caller_of(reader), organization) as call:
        found, following = page.read(("metrics", organization), granted_ones, lambda metric: (metric["name"],))
        call.answered(len(found))
    return MetricsOut(metrics=[MetricOut(**metric) for metric in found], next_cursor=following)


@router.get("/query", summary="Ask by a link", response_model=None, responses=ANSWERS)
async def ask_by_link(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: MetricsReader,
    organization: Organization,
    query: Annotated[MetricQuery, Depends(question)],
    paging: WhichPage,
    form: Annotated[
        Literal["json", "csv", "ndjson", "arrow"] | None,
        Query(alias="format", description="The form of the answer, whatever `Accept` says.", examples=["json"]),
    ] = None,
) -> Response:
    """The same questions as in a body, for spreadsheets and links."""
    media_type = None if form is None else FORMATS[form]
    return await _answered(request, state, reader, organization, query, paging, media_type)


@router.post("/query", summary="Ask", response_model=None, responses=ANSWERS)
async def ask(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: MetricsReader,
    organization: Organization,
    query: ComposedQuery,
    paging: WhichPage,
) -> Response:
    """Answer a question from the newest snapshot, with what the answer stands on."""
    return await _answered(request, state, reader, organization, query, paging)


@router.get("/{metric}", summary="One metric", responses=responses(HTTPStatus.NOT_FOUND))
def show_metric(
    metric: NamedMetric, state: Annotated[State, Depends(state_of)], reader: MetricsReader, organization: Organization
) -> MetricOut:
    """One metric with its description, its owner and what it can be asked by."""
    with state.metrics.log.call("list", caller_of(reader), organization, [metric]) as call:
        found = listed(state, reader, organization, metric)
        call.answered(1)
    return MetricOut(**found)


async def _answered(
    request: Request,
    state: State,
    reader: Principal,
    organization: str | None,
    query: MetricQuery,
    paging: Paging,
    media_type: str | None = None,
) -> Response:
    with state.metrics.log.question(caller_of(reader), organization, query) as call:
        query = granted(reader, query)
        media_type = media_type or accepted(request.headers.get("accept", ""))
        if paging.cursor is not None and media_type != JSON:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, f"cursor: {media_type} has all rows, so that there is no next page of it"
            )
        await audited(request, state, reader, organization, [query])
        thread = Thread("query", state.metrics.policy_version, organization, query)
        place = await where(state, thread, paging.cursor)
        page = Page(state.settings, thread, place, paging.size)
        headers = tagged(state, page, media_type)
        unchanged = not_modified(request, page, headers, call)
        if unchanged is not None:
            return unchanged
        measured: Measured = request.app.state.measured
        known = state.metrics.known(query, organization, place.standing, call)
        if known is not None and known.table.num_rows <= _FEW_ROWS:
            measured.answer(known.timing.cache)
            return rendered(known, media_type, headers, page)

        def find(asker: Asker) -> Response:
            answer = known or state.metrics.query(query, organization, standing=place.standing, asker=asker, call=call)
            measured.answer(answer.timing.cache)
            return rendered(answer, media_type, headers, page)

        return await while_connected(request, state, organization, find)
