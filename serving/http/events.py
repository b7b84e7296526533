"""`/analytics/events`: what users do in applications, taken in."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from serving.events import Events, store
from serving.http.access import Allowed
from serving.http.inputs import Id
from serving.http.problems import ERRORS, ProblemError
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.audit import write_down
from serving.identity.memberships import require_current
from serving.identity.principal import Principal
from serving.identity.roles import Permission

router = APIRouter(prefix="/analytics", tags=["events"])

_EVENTS_WRITE = Allowed(Permission.EVENTS_WRITE)
EventsWriter = Annotated[Principal, Depends(_EVENTS_WRITE)]


class TakenOut(BaseModel):
    """What became of the events: all of them are stored."""

    accepted: int = Field(description="Events that were new.", examples=[998])
    duplicates: int = Field(
        description="Events that were there already, by their `event_id`, or twice in this batch.", examples=[2]
    )


async def _organization(
    writer: EventsWriter,
    organization: Annotated[
        Id | None,
        Query(description="Whose users did it; an operator must say it, others may name their own.", examples=["acme"]),
    ] = None,
) -> str:
    if writer.organization_id is None:
        if organization is None:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, "an operator's key belongs to no organization", "add ?organization=ORG"
            )
        return organization
    if organization not in (None, writer.organization_id):
        # The same words for one that exists and one that does not.
        raise ProblemError(HTTPStatus.FORBIDDEN, "this key reports events of its own organization alone")
    return writer.organization_id


@router.post(
    "/events",
    summary="Report events",
    status_code=HTTPStatus.ACCEPTED,
    responses=ERRORS,
)
def take_events(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    writer: EventsWriter,
    organization: Annotated[str, Depends(_organization)],
    batch: Events,
) -> TakenOut:
    """Store what users did, all of it or nothing; the answer comes when it is on disk.

    An event that was sent before, by its `event_id`, is not stored again, so that sending a batch again is always safe.
    """
    state.rates.require_events(writer.plan, organization, len(batch.events))

    def first(connection: Connection) -> None:
        require_current(connection, writer)
        if writer.is_operator:
            write_down(
                connection,
                writer.subject,
                "events.write",
                organization_id=organization,
                details={"events": len(batch.events)},
                request_id=request_id_of(request),
            )

    stored = store(state.warehouse, organization, batch.events, first=first)
    state.rates.count_events(writer.plan, organization, stored.accepted)
    return TakenOut(accepted=stored.accepted, duplicates=stored.duplicates)
