"""Who is asking, and whether they may: the one dependency of every route but the health checks and the ways in."""

from http import HTTPStatus
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serving.http.inputs import Id
from serving.http.problems import CHALLENGE, ProblemError
from serving.http.state import State, state_of
from serving.identity.keys import KIND as KEY
from serving.identity.principal import Principal
from serving.identity.roles import Permission
from serving.query_log import Caller

# A warehouse that hangs answers nothing, not even that it is away.
_PATIENCE_SECONDS = 3.0

_BEARER = HTTPBearer(
    auto_error=False,
    description="A key of `datainsight keys add`, an access token of a login, or an embed token.",
)


async def principal_of(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Principal:
    """Whoever asks, once their key or token was checked; what follows knows them by it.

    Raises:
        ProblemError: They have shown none, or none that is valid; or have asked too much.
    """
    if credentials is None:
        raise _unauthorized("no key was given", "send `Authorization: Bearer <key>`; `datainsight keys add` makes one")
    principal = await _whose(state, credentials.credentials)
    if principal is None:
        # Whether it never was, has ended or was revoked is nobody's business but its owner's.
        raise _unauthorized(
            "the key or token is not valid",
            "`datainsight keys list` shows the keys that are; a token ends after an hour at most, POST"
            " /api/v1/auth/refresh gives the next one",
        )
    request.state.subject = principal.subject
    request.state.organization = principal.organization_id
    request.state.headers = state.rates.take(principal).headers
    return principal


async def _whose(state: State, bearer: str) -> Principal | None:
    if not bearer.startswith(f"{KEY}_"):
        # Its signature says it all: neither the warehouse nor anybody else is asked.
        return state.tokens.principal(bearer)
    known = state.keys.known(bearer)
    if known is not None:
        return known
    standing = state.metrics.standing_if_any()
    if standing is not None and standing.unreachable_since is not None:
        return state.keys.remembered(bearer)
    try:
        with anyio.fail_after(_PATIENCE_SECONDS):
            return await anyio.to_thread.run_sync(
                state.keys.principal, bearer, limiter=state.key_checks, abandon_on_cancel=True
            )
    except TimeoutError:
        return state.keys.remembered(bearer)


def _unauthorized(detail: str, hint: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, hint, CHALLENGE)


class Allowed:
    """A dependency that gives who is asking, if they have a permission.

    Args:
        permission: What the route needs.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, principal: Annotated[Principal, Depends(principal_of)]) -> Principal:
        """The one who asks.

        Raises:
            ProblemError: They may not.
        """
        if self.permission not in principal.permissions:
            raise ProblemError(HTTPStatus.FORBIDDEN, f"this needs the permission {self.permission}")
        return principal


_METRICS_READ = Allowed(Permission.METRICS_READ)


async def _organization(
    principal: Annotated[Principal, Depends(_METRICS_READ)],
    organization: Annotated[
        Id | None,
        Query(
            description="Whose rows are asked for; an operator may name any organization, others their own.",
            examples=["acme"],
        ),
    ] = None,
) -> str | None:
    if principal.is_operator:
        return organization
    if organization not in (None, principal.organization_id):
        # The same words for one that exists and one that does not.
        raise ProblemError(HTTPStatus.FORBIDDEN, "this key asks for the rows of its own organization alone")
    return principal.organization_id


async def known(principal: Annotated[Principal, Depends(principal_of)]) -> Principal:
    """Somebody with a key or a login, as no page is.

    Raises:
        ProblemError: It is a page.
    """
    if principal.only_metrics is not None:
        raise ProblemError(HTTPStatus.FORBIDDEN, "an embed token asks for metrics, and does nothing else")
    return principal


async def logged_in(principal: Annotated[Principal, Depends(principal_of)]) -> Principal:
    """Somebody who has logged in, as no key and no page has.

    Raises:
        ProblemError: They have not.
    """
    if principal.user_id is None:
        raise ProblemError(HTTPStatus.FORBIDDEN, "this is for somebody who has logged in", "POST /api/v1/auth/login")
    return principal


def caller_of(principal: Principal) -> Caller:
    """Who asks, as the log of questions tells it."""
    return Caller("http", principal.subject)


Known = Annotated[Principal, Depends(known)]
LoggedIn = Annotated[Principal, Depends(logged_in)]
MetricsReader = Annotated[Principal, Depends(_METRICS_READ)]
# Whose rows are asked for; None: everybody's.
Organization = Annotated[str | None, Depends(_organization)]
