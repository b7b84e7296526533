"""What every request gets: an id that leads through the logs, headers of good manners, a line in the access log."""

import logging
import re
import secrets
import time
from typing import Any

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.measured import Measured

REQUEST_ID = "X-Request-ID"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Answers are data: nothing in them may be run, framed or taken for another type.
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

access_log = logging.getLogger("datainsight.access")


def request_id_of(connection: HTTPConnection) -> str:
    """The id of a request."""
    return str(connection.scope["state"]["request_id"])


class Requests:
    """The outermost layer of the application.

    Args:
        app: What answers.
        measured: What is counted for the operations port.
    """

    def __init__(self, app: ASGIApp, measured: Measured) -> None:
        self._app = app
        self._measured = measured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        # The application's own state is in there, too.
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        told: dict[str, Any] = {"status": 500, "bytes": 0}
        started = time.perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers.update(scope["state"].get("headers", {}))
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            elif message["type"] == "http.response.body":
                told["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            self._measured.request(scope["method"], getattr(scope.get("route"), "path", ""), told["status"], seconds)
            line = {
                "request_id": request_id,
                "method": scope["method"],
                "path": scope["path"],
                "route": getattr(scope.get("route"), "path", None),
                "subject": scope["state"].get("subject"),
                "organization": scope["state"].get("organization"),
                **told,
                "milliseconds": round(seconds * 1000, 1),
            }
            access_log.info(orjson.dumps(line).decode())
