"""One shape for every error: RFC 9457 `application/problem+json`, with the id of the request."""

import logging
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from serving.http.requests import REQUEST_ID, SECURITY, request_id_of
from serving.identity.refusals import (
    ConflictError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    TooLargeError,
    TooManyAttemptsError,
)
from warehouse.errors import DataInsightError, UnavailableError

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="datainsight"'}

_NO_ROUTE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
_STATUSES: dict[type[DataInsightError], HTTPStatus] = {
    NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyAttemptsError: HTTPStatus.TOO_MANY_REQUESTS,
}


class Problem(BaseModel):
    """An error as every route tells it."""

    type: str = Field(description="What kind of error it is.", examples=["urn:datainsight:bad-request"])
    title: str = Field(description="The kind in words.", examples=["Bad Request"])
    status: int = Field(description="The HTTP status.", examples=[400])
    detail: str = Field(
        description="What is wrong, where, and what is allowed.", examples=["there is no metric 'mrrr'"]
    )
    hint: str | None = Field(default=None, description="What to do about it.", examples=["did you mean mrr?"])
    request_id: str = Field(description="By which the logs know the request.", examples=["5f0c9e1f6f6a4b7c"])


class ProblemError(Exception):
    """A request that ends with a problem.

    Args:
        status: The HTTP status.
        detail: What is wrong.
        hint: What to do about it.
        headers: Headers that belong to the status.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, hint: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint
        self.headers = headers or {}


def responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """What a route documents of its errors."""
    return {
        status.value: {
            "description": status.phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


# What every route may answer that is for those with a key or a login: one that takes nothing, all others.
ASKED_NOTHING = responses(
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE
)
ERRORS = {**responses(HTTPStatus.BAD_REQUEST), **ASKED_NOTHING}


def install(app: FastAPI) -> None:
    """Make every error of an application a problem."""
    app.add_exception_handler(ProblemError, _of_problem)
    app.add_exception_handler(DataInsightError, _of_data_insight)
    for away in (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        app.add_exception_handler(away, _of_warehouse)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_anything)


def problem_of(error: DataInsightError | ProblemError, request: Request) -> Problem:
    """An error as an answer tells it that holds others, too."""
    if isinstance(error, ProblemError):
        return _told(request, error.status, error.detail, error.hint)
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, UnavailableError) else HTTPStatus.BAD_REQUEST
    return _told(request, status, error.message, error.hint)


def _told(request: Request, status: HTTPStatus, detail: str, hint: str | None = None) -> Problem:
    return Problem(
        type=f"urn:datainsight:{status.phrase.lower().replace(' ', '-')}",
        title=status.phrase,
        status=status.value,
        detail=_writable(detail),
        hint=None if hint is None else _writable(hint),
        request_id=request_id_of(request),
    )


def _writable(text: str) -> str:
    # What somebody has sent may hold half a character, which no answer could repeat.
    return text.encode("utf-8", "replace").decode()


def _problem(
    request: Request, status: HTTPStatus, detail: str, hint: str | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    problem = _told(request, status, detail, hint)
    return JSONResponse(problem.model_dump(exclude_none=True), status.value, headers=headers, media_type=MEDIA_TYPE)


async def _of_problem(request: Request, error: Any) -> JSONResponse:
    return _problem(request, error.status, error.detail, error.hint, error.headers)


async def _of_data_insight(request: Request, error: Any) -> JSONResponse:
    if isinstance(error, UnavailableError):
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return _problem(request, HTTPStatus.SERVICE_UNAVAILABLE, error.message, error.hint, headers)
    status = _STATUSES.get(type(error), HTTPStatus.BAD_REQUEST)
    headers = CHALLENGE if status is HTTPStatus.UNAUTHORIZED else {}
    if isinstance(error, TooManyAttemptsError):
        headers = {"Retry-After": str(error.retry_seconds)}
    return _problem(request, status, error.message, error.hint, headers)


async def _of_warehouse(request: Request, error: Any) -> JSONResponse:
    # Its own words name hosts and statements, which belong into the log alone.
    _log.warning("request %s: the warehouse cannot be asked: %s", request_id_of(request), str(error).splitlines()[0])
    away = UnavailableError("the warehouse cannot be asked now", hint="try again in a moment")
    return await _of_data_insight(request, away)


async def _of_validation(request: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][:4])
    return _problem(request, HTTPStatus.BAD_REQUEST, f"{where}: {first['msg'].removeprefix('Value error, ')}")


async def _of_http(request: Request, error: Any) -> JSONResponse:
    status = HTTPStatus(error.status_code)
    # A path that is no route, and a method that a route has not.
    hint = "/api/v1/openapi.json describes every route" if status in _NO_ROUTE else None
    return _problem(request, status, str(error.detail), hint, headers=dict(error.headers or {}))


async def _of_anything(request: Request, error: Any) -> JSONResponse:
    # What it was is in the log, under the request's id; whoever asked learns nothing of our insides.
    request_id = request_id_of(request)
    _log.error("request %s failed", request_id, exc_info=error)
    # This answer passes no layer of ours, so that it brings their headers itself.
    headers = {**SECURITY, REQUEST_ID: request_id}
    return _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, f"unexpected {type(error).__name__}", headers=headers)
