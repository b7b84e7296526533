"""Routes whose body may have no more than so many bytes: more is refused before anything reads it as JSON."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from serving.http.problems import ProblemError
from serving.http.state import State


class LimitedRoute(APIRoute):
    """A route whose body has at most `DATAINSIGHT_EVENTS_BYTES` bytes, whatever its headers say of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the limit."""
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            state: State = request.app.state.shared
            most = state.settings.events_bytes
            if _stated(request) > most:
                raise _too_large(most)
            parts, size = [], 0
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise _too_large(most)
                parts.append(part)
            body = b"".join(parts)
            is_read = False

            async def receive() -> Message:
                nonlocal is_read
                if is_read:
                    return await request.receive()
                is_read = True
                return {"type": "http.request", "body": body, "more_body": False}

            return await handle(Request(request.scope, receive))

        return limited


def _stated(request: Request) -> int:
    stated = request.headers.get("content-length", "")
    return int(stated) if stated.isascii() and stated.isdigit() else 0


def _too_large(most: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body has more than {most:,} bytes",
        "send fewer events at once; nothing of these is stored",
        # The rest of it is not read, so that nothing can follow on this connection.
        {"Connection": "close"},
    )
