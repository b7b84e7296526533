"""`/auth/oidc`: logging in by the OpenID Connect provider that the settings name, in a browser."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Cookie, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from serving.http.auth import TokensOut
from serving.http.inputs import UNSTORED, Id, address_of
from serving.http.problems import ProblemError, responses
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.oidc import LOGIN_SECONDS, OidcProvider
from serving.identity.sessions import TokenPair

_COOKIE = "datainsight_oidc"
_PATH = "/api/v1/auth/oidc"
_LONGEST = 4_096

router = APIRouter(
    prefix="/auth/oidc",
    tags=["auth"],
    responses=responses(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    dependencies=[UNSTORED],
)


async def _provider(state: Annotated[State, Depends(state_of)]) -> OidcProvider:
    if state.oidc is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "nobody logs in here by OpenID Connect",
            "the setting DATAINSIGHT_OIDC_ISSUER names a provider",
        )
    return state.oidc


Provider = Annotated[OidcProvider, Depends(_provider)]


@router.get(
    "/login",
    summary="Log in by the provider",
    response_class=RedirectResponse,
    status_code=HTTPStatus.FOUND,
    responses={HTTPStatus.FOUND.value: {"description": "To the provider."}},
)
async def leave(
    state: Annotated[State, Depends(state_of)],
    provider: Provider,
    organization: Annotated[
        Id | None, Query(description="Where to, for members of several organizations.", examples=["acme"])
    ] = None,
) -> RedirectResponse:
    """Send a browser to the provider, which sends it back to the callback."""
    departure = await anyio.to_thread.run_sync(provider.depart, organization, limiter=state.oidc_logins)
    response = RedirectResponse(departure.url, HTTPStatus.FOUND, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        _COOKIE,
        departure.cookie,
        max_age=LOGIN_SECONDS,
        path=_PATH,
        secure=provider.is_secure,
        httponly=True,
        # The provider's own page sends them back, which is a step from another site.
        samesite="lax",
    )
    return response


@router.get(
    "/callback",
    summary="Come back from the provider",
    responses=responses(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS
    ),
)
async def arrive(
    request: Request,
    response: Response,
    state: Annotated[State, Depends(state_of)],
    provider: Provider,
    code: Annotated[str, Query(max_length=_LONGEST)] = "",
    state_given: Annotated[str, Query(alias="state", max_length=_LONGEST)] = "",
    error: Annotated[str, Query(max_length=200, description="Why the provider sends nobody.")] = "",
    cookie: Annotated[str, Cookie(alias=_COOKIE)] = "",
) -> TokensOut:
    """Begin a session for whom the provider vouches for."""
    if error or not code:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED, "the provider has let nobody in", "begin again: GET /api/v1/auth/oidc/login"
        )
    # It is a login like any other.
    state.accounts.attempts.take(address_of(request))
    work = partial(_let_in, state, provider, cookie, state_given, code, request_id_of(request))
    pair = await anyio.to_thread.run_sync(work, limiter=state.oidc_logins)
    response.delete_cookie(_COOKIE, path=_PATH)
    return TokensOut.of(pair)


def _let_in(state: State, provider: OidcProvider, cookie: str, given: str, code: str, request_id: str) -> TokenPair:
    claimed, organization = provider.arrive(cookie, given, code)
    return state.accounts.log_in_by_oidc(claimed, organization, request_id)
