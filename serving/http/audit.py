"""`/audit`: what was changed, and who read across organizations."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from serving.http.access import Allowed
from serving.http.inputs import UNSTORED, Id
from serving.http.list_pages import NEXT_CURSOR, WhichListPage
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
    next_cursor: str | None = Field(description=NEXT_CURSOR)


@router.get("", summary="Read the audit log")
def read(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    reader: AuditReader,
    page: WhichListPage,
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
) -> EntriesOut:
    """What happened in the organization, the newest first; an operator's: everywhere, or where is named."""
    whose = None if reader.is_operator and organization is None else named_organization(reader, organization)
    moment = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
    with state.warehouse.engine(API).begin() as connection:
        found, following = page.read(
            ("audit", whose, action, None if moment is None else moment.isoformat()),
            lambda portion: read_entries(connection, reader, whose, portion, action=action, since=moment),
            lambda entry: (entry.audit_id,),
        )
        if reader.is_operator:
            # Written after it was read, it is no part of what it tells of, and there all the same when this commits.
            write_down(
                connection, reader.subject, "audit.read", organization_id=whose, request_id=request_id_of(request)
            )
    return EntriesOut(entries=[_out(entry) for entry in found], next_cursor=following)


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
