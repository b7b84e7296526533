"""Who is asking, and whether they may: the one dependency that every route but the health checks goes through."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from serving.http.problems import ProblemError
from serving.http.state import State, state_of
from serving.identity.principal import Principal
from serving.identity.roles import Permission

_BEARER = HTTPBearer(auto_error=False, description="A key of `datainsight keys add`.")


async def _principal(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Principal:
    if credentials is None:
        raise _unauthorized("no key was given", "send `Authorization: Bearer <key>`; `datainsight keys add` makes one")
    principal = state.keys.known(credentials.credentials)
    if principal is None:
        principal = await run_in_threadpool(state.keys.principal, credentials.credentials)
    if principal is None:
        # Whether it never was, has ended or was revoked is nobody's business but its owner's.
        raise _unauthorized("the key is not valid", "`datainsight keys list` shows those that are")
    request.state.subject = principal.subject
    request.state.organization = principal.organization_id
    request.state.headers = state.rates.take(principal).headers
    return principal


def _unauthorized(detail: str, hint: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, hint, {"WWW-Authenticate": 'Bearer realm="datainsight"'})


class Allowed:
    """A dependency that gives who is asking, if they have a permission.

    Args:
        permission: What the route needs.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, principal: Annotated[Principal, Depends(_principal)]) -> Principal:
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
        str | None,
        Query(description="Whose rows are asked for; an operator may name any organization, others their own."),
    ] = None,
) -> str | None:
    if principal.is_operator:
        return organization
    if organization not in (None, principal.organization_id):
        # The same words for one that exists and one that does not.
        raise ProblemError(HTTPStatus.FORBIDDEN, "this key asks for the rows of its own organization alone")
    return principal.organization_id


MetricsReader = Annotated[Principal, Depends(_METRICS_READ)]
# Whose rows are asked for; None: everybody's.
Organization = Annotated[str | None, Depends(_organization)]
