"""`/auth/totp`: the second factor of whoever is logged in."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from serving.http.access import LoggedIn
from serving.http.auth import one_of_few
from serving.http.inputs import UNSTORED, Code, Password, address_of
from serving.http.problems import ERRORS, responses
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.audit import write_down
from serving.identity.memberships import require_current
from serving.identity.password_changes import passwords_of, require_password
from serving.identity.principal import Principal
from serving.identity.refusals import NotAuthenticatedError
from serving.identity.users import User, user_by_id
from warehouse.database import API

router = APIRouter(
    prefix="/auth/totp", tags=["auth"], responses={**ERRORS, **responses(HTTPStatus.CONFLICT)}, dependencies=[UNSTORED]
)


class CodeIn(BaseModel):
    """A code."""

    model_config = ConfigDict(extra="forbid")

    code: Code = Field(examples=["123456"])


class PasswordIn(BaseModel):
    """The password of whoever asks: a token that somebody found must not set up a second factor of theirs."""

    model_config = ConfigDict(extra="forbid")

    password: Password = Field(examples=["correct horse battery"])


class EnrolmentOut(BaseModel):
    """What an app needs to make codes; shown only now."""

    secret: str = Field(examples=["JBSWY3DPEHPK3PXP"])
    otpauth_url: str = Field(description="The same, for a QR code.", examples=["otpauth://totp/DataInsight:ann%40…"])


class RecoveryCodesOut(BaseModel):
    """Codes that stand in for the app, each once; shown only now."""

    recovery_codes: list[str] = Field(examples=[["k3f9-x2mq-7p1d"]])


@router.post("", summary="Begin a second factor", status_code=HTTPStatus.CREATED)
async def begin(
    request: Request, state: Annotated[State, Depends(state_of)], asker: LoggedIn, given: PasswordIn
) -> EnrolmentOut:
    """Make a secret for an app, by one's password; it counts once a code of it was confirmed."""
    return await one_of_few(state, partial(_begun, request, state, asker, given))


def _begun(request: Request, state: State, asker: Principal, given: PasswordIn) -> EnrolmentOut:
    state.accounts.attempts.take(address_of(request), passwords_of(asker.subject))
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, asker)
        user = _account(user_by_id(connection, asker.user_id or ""))
        require_password(user, given.password.get_secret_value())
        enrolment = state.accounts.second_factor.begin(connection, user)
        write_down(connection, asker.subject, "auth.totp_begun", request_id=request_id_of(request))
    return EnrolmentOut(secret=enrolment.secret, otpauth_url=enrolment.url)


@router.post("/confirm", summary="Confirm a second factor")
def confirm(
    request: Request, state: Annotated[State, Depends(state_of)], asker: LoggedIn, given: CodeIn
) -> RecoveryCodesOut:
    """Ask for a code at every login from now on; gives ten codes for when the app is lost."""
    state.accounts.attempts.take(address_of(request), _guesses(asker))
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, asker)
        user = _account(user_by_id(connection, asker.user_id or ""))
        codes = state.accounts.second_factor.confirm(connection, user, given.code)
        write_down(connection, asker.subject, "auth.totp_confirmed", request_id=request_id_of(request))
    return RecoveryCodesOut(recovery_codes=codes)


@router.delete("", summary="Remove the second factor", status_code=HTTPStatus.NO_CONTENT)
def remove(request: Request, state: Annotated[State, Depends(state_of)], asker: LoggedIn, given: CodeIn) -> Response:
    """Ask for codes no more; takes one last code."""
    state.accounts.attempts.take(address_of(request), _guesses(asker))
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, asker)
        user = _account(user_by_id(connection, asker.user_id or ""))
        state.accounts.second_factor.remove(connection, user, given.code)
        write_down(connection, asker.subject, "auth.totp_removed", request_id=request_id_of(request))
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _guesses(asker: Principal) -> str:
    """Whose guesses at codes are counted."""
    return f"codes of {asker.subject}"


def _account(user: User | None) -> User:
    if user is None:
        raise NotAuthenticatedError("the account is closed")
    return user
