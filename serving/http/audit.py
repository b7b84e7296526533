"""`/audit`: what was changed, and who read across organizations."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from serving.http.access import Allowed
from serving.http.inputs import UNSTORED, Id
from serving.http.list_cursors import ListCursors
from serving.http.organizations import named_organization
from serving.http.problems import ERRORS
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.audit import Entry, read_entries, write_down
from serving.identity.principal import Principal
from serving.identity.roles import Permission
from warehouse.database import API

router = APIRouter(
    prefix="/audit",
    tags=["audit"],
    responses=ERRORS,
    dependencies=[UNSTORED],
)

AuditReader = Annotated[Principal, Depends(Allowed(Permission.AUDIT_READ))]


class EntryOut(BaseModel):
    """Something that was done."""

    audit_id: int
    happened_at: datetime
    actor: str = Field(
        description="Who did it; `(operator)` is whoever runs the platform.", examples=["user:usr_5f0c9e1f6f6a4b7c"]
    )
    action: str = Field(examples=["keys.add"])
    organization_id: str | None
    details: dict[str, Any]
    request_id: str | None


class EntriesOut(BaseModel):
    """A page of the log."""

    entries: list[EntryOut]
    next_cursor: str | None = Field(description="For the page of what happened before; null: that was all.")


@router.get("", summary="Read the audit log")
def read(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: AuditReader,
    action: Annotated[
        str | None,
        Query(
            max_length=100,
            pattern=r"^[a-z_]+(\.[a-z_]+)?$",
            description="Only these: `keys.add`, or `keys` for all of them.",
            examples=["keys"],
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        Query(description="Only from then on; without a zone in UTC.", examples=["2026-01-31T18:00:00Z"]),
    ] = None,
    organization: Annotated[
        Id | None, Query(description="Whose; an operator may name any organization.", examples=["acme"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="At most so many.", examples=[100])] = 100,
    cursor: Annotated[str | None, Query(max_length=200, description="The `next_cursor` of the page before.")] = None,
) -> EntriesOut:
    """What happened in the organization, the newest first; an operator's: everywhere, or where is named."""
    whose = None if reader.is_operator and organization is None else named_organization(reader, organization)
    moment = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
    cursors = ListCursors(state.settings, ("audit", whose, action, None if moment is None else moment.isoformat()))
    before = cursors.read(cursor)
    with state.warehouse.engine(API).begin() as connection:
        found = read_entries(
            connection,
            reader,
            whose,
            limit=limit + 1,
            action=action,
            since=moment,
            before=None if before is None else before[0],
        )
        if reader.is_operator:
            # Written after it was read, it is no part of what it tells of, and there all the same when this commits.
            write_down(
                connection, reader.subject, "audit.read", organization_id=whose, request_id=request_id_of(request)
            )
    told = found[:limit]
    return EntriesOut(
        entries=[_out(entry) for entry in told],
        next_cursor=cursors.written(told[-1].audit_id) if len(found) > limit else None,
    )


def _out(entry: Entry) -> EntryOut:
    return EntryOut(
        audit_id=entry.audit_id,
        happened_at=entry.happened_at,
        actor=entry.actor,
        action=entry.action,
        organization_id=entry.organization_id,
        details=entry.details,
        request_id=entry.request_id,
    )
