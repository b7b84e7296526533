"""`/organizations/{organization_id}`: who is in an organization, and who is invited."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from serving.http.access import Allowed
from serving.http.audited import Looked
from serving.http.inputs import UNSTORED, Email, Id
from serving.http.list_pages import NEXT_CURSOR, WhichListPage
from serving.http.problems import ERRORS, ProblemError, responses
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.audit import write_down
from serving.identity.invitations import invite, open_invitations, withdraw
from serving.identity.memberships import know_organization, leave, members_of, require_current, require_no_more
from serving.identity.password_changes import reset_of_member
from serving.identity.principal import Principal
from serving.identity.roles import Permission, Role
from serving.identity.users import normalized_email
from warehouse.database import API
from warehouse.errors import DataInsightError

router = APIRouter(
    prefix="/organizations/{organization_id}",
    tags=["organizations"],
    responses=ERRORS,
    dependencies=[UNSTORED],
)

OrganizationId = Annotated[Id, Path(description="One's own; an operator's: any.", examples=["acme"])]
UserId = Annotated[Id, Path(description="The `user_id` of a member.", examples=["usr_5f0c9e1f6f6a4b7c"])]
InvitationId = Annotated[Id, Path(description="The `invitation_id` of an invitation.", examples=["0123456789ab"])]
MembersReader = Annotated[Principal, Depends(Allowed(Permission.MEMBERS_READ))]
MembersWriter = Annotated[Principal, Depends(Allowed(Permission.MEMBERS_WRITE))]


class MemberOut(BaseModel):
    """Somebody in the organization."""

    user_id: str = Field(examples=["usr_5f0c9e1f6f6a4b7c"])
    email: str = Field(examples=["ann@example.com"])
    name: str
    role: str = Field(examples=["viewer"])
    created_at: datetime


class MembersOut(BaseModel):
    """A page of the members."""

    members: list[MemberOut]
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class InviteIn(BaseModel):
    """Whom to invite, and as what."""

    model_config = ConfigDict(extra="forbid")

    email: Email = Field(examples=["bea@example.com"])
    role: Literal["viewer", "editor", "admin"] = "viewer"


class InvitationOut(BaseModel):
    """An invitation; its text is shown only now."""

    invitation: str = Field(description="To be sent to the address, which alone can take it, once.")
    invitation_id: str = Field(examples=["0123456789ab"])
    organization_id: str = Field(examples=["acme"])
    email: str = Field(examples=["bea@example.com"])
    role: str = Field(examples=["viewer"])
    expires_at: datetime


class OpenInvitationOut(BaseModel):
    """An invitation that may still be taken; its text is shown to nobody again."""

    invitation_id: str = Field(examples=["0123456789ab"])
    email: str = Field(examples=["bea@example.com"])
    role: str = Field(examples=["viewer"])
    invited_by: str = Field(
        description="Who invited them; `(operator)` is whoever runs the platform.",
        examples=["user:usr_5f0c9e1f6f6a4b7c"],
    )
    created_at: datetime
    expires_at: datetime


class InvitationsOut(BaseModel):
    """A page of the invitations that may still be taken."""

    invitations: list[OpenInvitationOut]
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class ResetOut(BaseModel):
    """A link's text that sets a new password; shown only now."""

    reset: str = Field(description="To be sent to the member: POST /api/v1/auth/password/reset takes it, once.")
    user_id: str = Field(examples=["usr_5f0c9e1f6f6a4b7c"])
    expires_at: datetime


def named_organization(principal: Principal, named: str | None) -> str:
    """The organization that something is done in: one's own, or the one that an operator names.

    Raises:
        ProblemError: It is not their own; whether there is such an organization is not said.
        DataInsightError: An operator has named none.
    """
    if principal.organization_id is None:
        if named is None:
            raise DataInsightError("organization_id is needed", hint="an operator says whose it is to be")
        return named
    if named not in (None, principal.organization_id):
        raise ProblemError(HTTPStatus.FORBIDDEN, "that is not your own organization")
    return principal.organization_id


@router.get("/members", summary="List the members", dependencies=[Depends(Looked("members.list"))])
def list_members(
    state: Annotated[State, Depends(state_of)],
    reader: MembersReader,
    organization_id: OrganizationId,
    page: WhichListPage,
) -> MembersOut:
    """Who is in the organization, and as what, those who came first at the beginning."""
    organization = named_organization(reader, organization_id)
    with state.warehouse.engine(API).connect() as connection:
        found, following = page.read(
            ("members", organization),
            lambda portion: members_of(connection, organization, portion),
            lambda one: (one.created_at, one.user_id),
        )
    return MembersOut(
        members=[
            MemberOut(user_id=one.user_id, email=one.email, name=one.name, role=one.role, created_at=one.created_at)
            for one in found
        ],
        next_cursor=following,
    )


@router.delete(
    "/members/{user_id}",
    summary="Remove a member",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def remove_member(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    writer: MembersWriter,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Response:
    """Take a membership away: no session there goes on; an access token is good until its hour is over."""
    organization = named_organization(writer, organization_id)
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, writer)
        leave(connection, user_id, organization)
        write_down(
            connection,
            writer.subject,
            "memberships.remove",
            organization_id=organization,
            details={"user_id": user_id},
            request_id=request_id_of(request),
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/invitations", summary="Invite somebody", status_code=HTTPStatus.CREATED)
def invite_member(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    writer: MembersWriter,
    organization_id: OrganizationId,
    given: InviteIn,
) -> InvitationOut:
    """Make an invitation, good for a week, for whoever has its text and the e-mail address."""
    organization, role = named_organization(writer, organization_id), Role(given.role)
    require_no_more(writer, role, f"a member who is {role}")
    email = normalized_email(given.email)
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, writer)
        know_organization(connection, organization)
        made = invite(connection, organization, email, role, actor=writer.subject)
        write_down(
            connection,
            writer.subject,
            "invitations.add",
            organization_id=organization,
            details={"invitation_id": made.invitation_id, "role": role.value},
            request_id=request_id_of(request),
        )
    return InvitationOut(
        invitation=made.text,
        invitation_id=made.invitation_id,
        organization_id=organization,
        email=email,
        role=role.value,
        expires_at=made.expires_at,
    )


@router.get("/invitations", summary="List the invitations", dependencies=[Depends(Looked("invitations.list"))])
def list_invitations(
    state: Annotated[State, Depends(state_of)],
    reader: MembersReader,
    organization_id: OrganizationId,
    page: WhichListPage,
) -> InvitationsOut:
    """The invitations that may still be taken, the newest first."""
    organization = named_organization(reader, organization_id)
    with state.warehouse.engine(API).connect() as connection:
        found, following = page.read(
            ("invitations", organization),
            lambda portion: open_invitations(connection, reader, organization, portion),
            lambda one: (one.created_at, one.invitation_id),
        )
    return InvitationsOut(
        invitations=[
            OpenInvitationOut(
                invitation_id=one.invitation_id,
                email=one.email,
                role=one.role,
                invited_by=one.invited_by,
                created_at=one.created_at,
                expires_at=one.expires_at,
            )
            for one in found
        ],
        next_cursor=following,
    )


@router.delete(
    "/invitations/{invitation_id}",
    summary="Withdraw an invitation",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(HTTPStatus.NOT_FOUND),
)
def withdraw_invitation(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    writer: MembersWriter,
    organization_id: OrganizationId,
    invitation_id: InvitationId,
) -> Response:
    """Take an invitation back; nobody comes in by it any more."""
    organization = named_organization(writer, organization_id)
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, writer)
        withdraw(connection, organization, invitation_id)
        write_down(
            connection,
            writer.subject,
            "invitations.withdraw",
            organization_id=organization,
            details={"invitation_id": invitation_id},
            request_id=request_id_of(request),
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/members/{user_id}/password-reset",
    summary="Let a member set a new password",
    status_code=HTTPStatus.CREATED,
    responses=responses(HTTPStatus.NOT_FOUND),
)
def reset_password_of(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    writer: MembersWriter,
    organization_id: OrganizationId,
    user_id: UserId,
) -> ResetOut:
    """Make a link's text, good once and for a day; an admin makes it for who is in no other organization."""
    organization = named_organization(writer, organization_id)
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, writer)
        made = reset_of_member(connection, writer, organization, user_id, request_id=request_id_of(request))
    return ResetOut(reset=made.text, user_id=user_id, expires_at=made.expires_at)
