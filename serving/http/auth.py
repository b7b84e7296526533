"""`/auth`: register, log in, stay logged in, log out; who am I."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal, Self, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from serving.http.access import Known, LoggedIn
from serving.http.inputs import UNSTORED, Code, Email, Id, NewPassword, OneTime, Password, Text, address_of
from serving.http.problems import ASKED_NOTHING, ERRORS, ProblemError, responses
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.audit import write_down
from serving.identity.invitations import accept, find_invitation
from serving.identity.memberships import memberships_of
from serving.identity.password_changes import change_password, passwords_of, set_password
from serving.identity.principal import Principal
from serving.identity.roles import Permission
from serving.identity.sessions import TokenPair
from serving.identity.users import user_by_id
from warehouse.database import API

_T = TypeVar("_T")

# Whoever comes in is nobody yet, and so nobody's login can be what is wrong with them.
_WAYS_IN = responses(
    HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE
)
_SESSIONS = responses(HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)
_NOT_THEIRS = responses(HTTPStatus.UNAUTHORIZED)
_CONFLICT = responses(HTTPStatus.CONFLICT)

router = APIRouter(prefix="/auth", tags=["auth"], dependencies=[UNSTORED])


class RegisterIn(BaseModel):
    """Somebody new."""

    model_config = ConfigDict(extra="forbid")

    email: Email = Field(examples=["ann@example.com"])
    password: NewPassword = Field(description="12 to 128 characters.", examples=["correct horse battery"])
    name: Text = Field(default="", examples=["Ann"])
    organization_name: Text = Field(
        default="", description="What the new organization is called; not with an invitation.", examples=["Acme"]
    )
    invitation: OneTime | None = Field(default=None, description="The text of an invitation to this address.")


class LoginIn(BaseModel):
    """Somebody who comes back."""

    model_config = ConfigDict(extra="forbid")

    email: Email = Field(examples=["ann@example.com"])
    password: Password = Field(examples=["correct horse battery"])
    code: Code | None = Field(
        default=None, description="Of the second factor, if there is one: of the app or on paper.", examples=["123456"]
    )
    organization: Id | None = Field(default=None, description="Where to, for members of several organizations.")


class RefreshIn(BaseModel):
    """A session that goes on, or ends."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: OneTime


class InvitationIn(BaseModel):
    """An invitation to somebody who has an account."""

    model_config = ConfigDict(extra="forbid")

    invitation: OneTime


class NewPasswordIn(BaseModel):
    """A password in the place of another."""

    model_config = ConfigDict(extra="forbid")

    old_password: Password = Field(examples=["correct horse battery"])
    new_password: NewPassword = Field(description="12 to 128 characters.", examples=["battery staple horse"])


class ResetIn(BaseModel):
    """A password in the place of one that was forgotten."""

    model_config = ConfigDict(extra="forbid")

    reset: OneTime = Field(description="The text that an admin or an operator has made.")
    new_password: NewPassword = Field(description="12 to 128 characters.", examples=["battery staple horse"])


class TokensOut(BaseModel):
    """What a login gives."""

    access_token: str = Field(description="For `Authorization: Bearer`, for an hour.")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  It is the word of RFC 6750.
    expires_in: int = Field(description="Seconds that the access token is good for.", examples=[3600])
    refresh_token: str = Field(description="Good once, for the next pair.")
    organization_id: str | None = Field(description="Whose rows it asks for; null: an operator, everybody's.")
    role: str = Field(examples=["admin"])

    @classmethod
    def of(cls, pair: TokenPair) -> Self:
        """As the client gets it."""
        return cls(
            access_token=pair.access_token,
            expires_in=pair.expires_in,
            refresh_token=pair.refresh_token,
            organization_id=pair.organization_id,
            role=pair.role,
        )


class MembershipOut(BaseModel):
    """What somebody is in an organization."""

    organization_id: str | None
    role: str = Field(examples=["viewer"])


class MeOut(BaseModel):
    """Who asks, and what they may."""

    subject: str = Field(examples=["user:usr_5f0c9e1f6f6a4b7c", "key:0123456789ab"])
    organization_id: str | None
    role: str = Field(examples=["viewer"])
    permissions: list[Permission]
    plan: str = Field(examples=["standard"])
    email: str | None = Field(default=None, description="Of somebody who logged in.")
    name: str | None = None
    has_second_factor: bool | None = None
    memberships: list[MembershipOut] | None = Field(default=None, description="Everywhere they could log in.")


async def one_of_few(state: State, work: Callable[[], _T]) -> _T:
    """Work that a password is checked in, beside the event loop: a few at once, so that guesses take no memory."""
    return await anyio.to_thread.run_sync(work, limiter=state.logins)


@router.post(
    "/register",
    summary="Register",
    status_code=HTTPStatus.CREATED,
    responses={**_WAYS_IN, **_CONFLICT},
)
async def register(request: Request, state: Annotated[State, Depends(state_of)], given: RegisterIn) -> TokensOut:
    """Make an account: in a new organization, as its admin, or in the one that an invitation is from."""
    work = partial(
        state.accounts.register,
        given.email,
        given.password.get_secret_value(),
        address=address_of(request),
        name=given.name,
        organization_name=given.organization_name,
        invitation=given.invitation,
        request_id=request_id_of(request),
    )
    return TokensOut.of(await one_of_few(state, work))


@router.post("/login", summary="Log in", responses={**_WAYS_IN, **_NOT_THEIRS})
async def log_in(request: Request, state: Annotated[State, Depends(state_of)], given: LoginIn) -> TokensOut:
    """Begin a session by e-mail address and password, and a code of the second factor if there is one."""
    work = partial(
        state.accounts.log_in,
        given.email,
        given.password.get_secret_value(),
        address=address_of(request),
        code=given.code,
        organization=given.organization,
        request_id=request_id_of(request),
    )
    return TokensOut.of(await one_of_few(state, work))


@router.post("/refresh", summary="Stay logged in", responses={**_SESSIONS, **_NOT_THEIRS})
def refresh(request: Request, state: Annotated[State, Depends(state_of)], given: RefreshIn) -> TokensOut:
    """The next pair of tokens for a refresh token; one that comes a second time ends the session."""
    return TokensOut.of(state.accounts.renew(given.refresh_token, request_id_of(request)))


@router.post("/logout", summary="Log out", status_code=HTTPStatus.NO_CONTENT, responses=_SESSIONS)
def log_out(request: Request, state: Annotated[State, Depends(state_of)], given: RefreshIn) -> Response:
    """End the session of a refresh token; its access token is good until its hour is over."""
    state.accounts.log_out(given.refresh_token, request_id_of(request))
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})


@router.get("/me", summary="Who am I?", responses=ASKED_NOTHING)
async def me(state: Annotated[State, Depends(state_of)], asker: Known) -> MeOut:
    """Who the key or token belongs to, and what it may."""
    about = MeOut(
        subject=asker.subject,
        organization_id=asker.organization_id,
        role=asker.role.value,
        permissions=sorted(asker.permissions),
        plan=asker.plan,
    )
    return about if asker.user_id is None else await run_in_threadpool(_with_account, state, asker.user_id, about)


@router.post(
    "/invitations",
    summary="Take an invitation",
    responses={**ERRORS, **_CONFLICT},
)
def take_invitation(
    request: Request, state: Annotated[State, Depends(state_of)], asker: LoggedIn, given: InvitationIn
) -> MembershipOut:
    """Become a member of one more organization; the next login may be there."""
    with state.warehouse.engine(API).begin() as connection:
        user = user_by_id(connection, asker.user_id or "")
        if user is None or user.disabled_at is not None:
            raise _closed()
        invitation = find_invitation(connection, given.invitation, user.email)
        accept(connection, invitation, user)
        write_down(
            connection,
            asker.subject,
            "memberships.add",
            organization_id=invitation.organization_id,
            details={"invitation_id": invitation.invitation_id, "role": invitation.role.value},
            request_id=request_id_of(request),
        )
    return MembershipOut(organization_id=invitation.organization_id, role=invitation.role.value)


@router.post("/password", summary="Change the password", responses=ERRORS)
async def new_password(
    request: Request, state: Annotated[State, Depends(state_of)], asker: LoggedIn, given: NewPasswordIn
) -> TokensOut:
    """Take another password, by the old one; every session ends, and the tokens of a new one come back."""
    return TokensOut.of(await one_of_few(state, partial(_with_new_password, request, state, asker, given)))


@router.post(
    "/password/reset",
    summary="Set a new password by a link",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_WAYS_IN,
)
async def reset_password(request: Request, state: Annotated[State, Depends(state_of)], given: ResetIn) -> Response:
    """Set a new password by a text that was made for that; every session ends, a second factor stays."""
    work = partial(
        set_password,
        state.warehouse,
        given.reset,
        given.new_password.get_secret_value(),
        request_id=request_id_of(request),
    )
    state.accounts.attempts.take(address_of(request))
    await one_of_few(state, work)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})


def _with_new_password(request: Request, state: State, asker: Principal, given: NewPasswordIn) -> TokenPair:
    guesses = passwords_of(asker.subject)
    state.accounts.attempts.take(address_of(request), guesses)
    pair = change_password(
        state.warehouse,
        state.tokens,
        asker,
        given.old_password.get_secret_value(),
        given.new_password.get_secret_value(),
        request_id=request_id_of(request),
    )
    state.accounts.attempts.forget(guesses)
    return pair


def _with_account(state: State, user_id: str, about: MeOut) -> MeOut:
    with state.warehouse.engine(API).connect() as connection:
        user = user_by_id(connection, user_id)
        if user is None or user.disabled_at is not None:
            raise _closed()
        memberships = memberships_of(connection, user_id)
    return about.model_copy(
        update={
            "email": user.email,
            "name": user.name,
            "has_second_factor": user.has_second_factor,
            "memberships": [
                MembershipOut(organization_id=one.organization_id, role=one.role.value) for one in memberships
            ],
        }
    )


def _closed() -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, "the account is closed")
