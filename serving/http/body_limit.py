"""How large a request may be: what has more bytes is refused while it arrives, before anybody holds it in memory."""

from http import HTTPStatus

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """A layer of the application, below which no body has more than so many bytes, whatever its headers say of it.

    Args:
        app: What answers.
        most_bytes: How many they are.
        but: The path whose route counts for itself: files may be larger.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, but: str) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] == self._but:
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._most_bytes:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body has more than {self._most_bytes:,} bytes; nothing of it was taken",
                    # The rest of it is not read, so that nothing can follow on this connection.
                    {"Connection": "close"},
                )
            return message

        await self._app(scope, counted, send)
