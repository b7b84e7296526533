"""`/privacy`: what is held of a person, given out and erased."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Self

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from serving.http.access import Allowed
from serving.http.audited import Looked
from serving.http.inputs import UNSTORED, Email, Id
from serving.http.list_pages import NEXT_CURSOR, WhichListPage
from serving.http.organizations import named_organization
from serving.http.problems import ERRORS, responses
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.actors import actors_as_told
from serving.identity.audit import write_down
from serving.identity.memberships import require_current, require_other_admin
from serving.identity.principal import Principal
from serving.identity.roles import Permission
from serving.privacy.erasures import Erasure, find_erasure, list_erasures, request_erasure, require_few_orders
from serving.privacy.exports import exported
from serving.privacy.person import Person, find_person
from warehouse.database import API
from warehouse.datasources import datasource_ids

router = APIRouter(
    prefix="/privacy",
    tags=["privacy"],
    responses=ERRORS,
    dependencies=[UNSTORED],
)

ErasureId = Annotated[Id, Path(description="The `erasure_id` of an answer.", examples=["era_5f0c9e1f6f6a4b7c"])]
PrivacyWriter = Annotated[Principal, Depends(Allowed(Permission.PRIVACY_WRITE))]


class PersonIn(BaseModel):
    """Who it is about: one of `user_id` and `email`."""

    model_config = ConfigDict(extra="forbid")

    user_id: Id | None = Field(
        default=None, description="What they are called, here or by a source.", examples=["u-17"]
    )
    email: Email | None = Field(default=None, description="Their e-mail address, in place of an id.")
    source: Id | None = Field(
        default=None,
        description="The source alone that calls them so, if the same id means somebody else elsewhere.",
        examples=["platform"],
    )
    organization_id: Id | None = Field(
        default=None, description="Within which organization: one's own; an operator names one, or none for everywhere."
    )


class ExportOut(BaseModel):
    """Everything that is held of a person; each list has rows with the names of their columns."""

    account: list[dict[str, Any]] = Field(examples=[[{"user_id": "usr_5f0c9e1f6f6a4b7c", "name": "Ann"}]])
    memberships: list[dict[str, Any]]
    sessions: list[dict[str, Any]]
    keys: list[dict[str, Any]] = Field(description="That they made, without what is secret.")
    audit: list[dict[str, Any]] = Field(description="What they did.")
    invitations: list[dict[str, Any]]
    events: list[dict[str, Any]] = Field(description="What applications have reported of them.")
    marts: dict[str, list[dict[str, Any]]] = Field(description="By mart: the rows that name them.")
    landed: dict[str, list[dict[str, Any]]] = Field(description="By `source.table`: every version of every row.")
    quarantine: list[dict[str, Any]] = Field(description="What was set aside of rows that name them, and why.")


class ErasureOut(BaseModel):
    """An erasure, which never says whose."""

    erasure_id: str = Field(examples=["era_5f0c9e1f6f6a4b7c"])
    organization_id: str | None = Field(description="Within which organization; null: everywhere.")
    requested_by: str = Field(
        description="Who asked for it; `(operator)` is whoever runs the platform.",
        examples=["user:usr_5f0c9e1f6f6a4b7c"],
    )
    requested_at: datetime
    state: str = Field(
        description="`requested`; `erased` from PostgreSQL's rows, while marts and metric store follow; `done`.",
        examples=["requested"],
    )
    touched: dict[str, Any] = Field(
        description="`rows` that were changed, by table; `undeclared` tables, into which nobody looked: those of the"
        " organization's own datasources, for an operator all."
    )
    trouble: str | None = Field(description="Why the last attempt ended before it was done.")
    erased_at: datetime | None
    done_at: datetime | None

    @classmethod
    def of(cls, erasure: Erasure, own_sources: frozenset[str] | None) -> Self:
        """As whoever asks may see it: which tables others have, and what goes wrong there, is the operator's business.

        Args:
            erasure: Which one.
            own_sources: The sources that the organization of whoever asks has added; None: an operator asks.
        """
        touched, trouble = erasure.touched, erasure.trouble
        if own_sources is not None:
            trouble = None if trouble is None else "it is not done yet; whoever runs the platform knows why"
            if "undeclared" in touched:
                own = [table for table in touched["undeclared"] if table.partition(".")[0] in own_sources]
                touched = {**touched, "undeclared": own}
        return cls(
            erasure_id=erasure.erasure_id,
            organization_id=erasure.organization_id,
            requested_by=erasure.requested_by,
            requested_at=erasure.requested_at,
            state=erasure.state,
            touched=touched,
            trouble=trouble,
            erased_at=erasure.erased_at,
            done_at=erasure.done_at,
        )


class ErasuresOut(BaseModel):
    """A page of erasures."""

    erasures: list[ErasureOut]
    next_cursor: str | None = Field(description=NEXT_CURSOR)


@router.post(
    "/exports",
    summary="Give out what is held of a person",
    responses={200: {"model": ExportOut}},
    response_class=StreamingResponse,
)
def export(
    request: Request, state: Annotated[State, Depends(state_of)], writer: PrivacyWriter, given: PersonIn
) -> StreamingResponse:
    """Everything within the organization, written while it is read: account, events, marts, landed rows, quarantine."""
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, writer)
        person = _meant(connection, writer, given)
        write_down(
            connection,
            writer.subject,
            "privacy.export",
            organization_id=person.whom.organization_id,
            details={"user_id": None if person.account is None else person.account.user_id},
            request_id=request_id_of(request),
        )
        # Refused before the end of the transaction, so that the audit log knows of no export that there was not.
        parts = state.exporting.counted(exported(state.warehouse, person), writer.organization_id)
    return StreamingResponse(parts, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post(
    "/erasures",
    summary="Erase what is held of a person",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(HTTPStatus.CONFLICT),
)
def erase(
    request: Request, state: Annotated[State, Depends(state_of)], writer: PrivacyWriter, given: PersonIn
) -> ErasureOut:
    """Order it; `GET /api/v1/privacy/erasures/{erasure_id}` tells when it is done. It cannot be taken back."""
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, writer)
        person = _meant(connection, writer, given)
        if person.whom.organization_id is not None and not writer.is_operator:
            if person.account is not None:
                require_other_admin(connection, person.account.user_id, person.whom.organization_id)
            require_few_orders(connection, person.whom.organization_id)
        ordered = request_erasure(
            connection, state.settings, person, actor=writer.subject, request_id=request_id_of(request)
        )
        (told,) = _told(connection, writer, [ordered])
    state.erasing.start()
    return told


@router.get("/erasures", summary="List the erasures", dependencies=[Depends(Looked("privacy.erasures"))])
def list_(
    state: Annotated[State, Depends(state_of)],
    writer: PrivacyWriter,
    page: WhichListPage,
    organization: Annotated[
        Id | None, Query(description="Whose; an operator may name any organization.", examples=["acme"])
    ] = None,
) -> ErasuresOut:
    """The erasures of the organization, the newest first; an operator's: all, or those of the one that is named."""
    whose = _whose(writer, organization)
    with state.warehouse.engine(API).connect() as connection:
        found, following = page.read(
            ("erasures", whose),
            lambda portion: list_erasures(connection, whose, portion),
            lambda one: (one.requested_at, one.erasure_id),
        )
        return ErasuresOut(erasures=_told(connection, writer, found), next_cursor=following)


@router.get(
    "/erasures/{erasure_id}",
    summary="How far is an erasure?",
    responses=responses(HTTPStatus.NOT_FOUND),
    dependencies=[Depends(Looked("privacy.erasures"))],
)
def show(state: Annotated[State, Depends(state_of)], writer: PrivacyWriter, erasure_id: ErasureId) -> ErasureOut:
    """What was changed so far, and whether it is done."""
    with state.warehouse.engine(API).connect() as connection:
        (told,) = _told(connection, writer, [find_erasure(connection, erasure_id, writer.organization_id)])
    return told


def _told(connection: sa.Connection, reader: Principal, found: Sequence[Erasure]) -> list[ErasureOut]:
    actors = actors_as_told(connection, reader, (one.requested_by for one in found))
    own_sources = None if reader.organization_id is None else datasource_ids(connection, reader.organization_id)
    return [ErasureOut.of(replace(one, requested_by=actors[one.requested_by]), own_sources) for one in found]


def _meant(connection: Any, writer: Principal, given: PersonIn) -> Person:
    return find_person(
        connection,
        user_id=given.user_id,
        email=given.email,
        organization_id=_whose(writer, given.organization_id),
        source=given.source,
    )


def _whose(writer: Principal, named: str | None) -> str | None:
    return None if writer.is_operator and named is None else named_organization(writer, named)
