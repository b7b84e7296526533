"""Work for a client that may leave: it is done beside the event loop, and ends when nobody waits for it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import anyio.to_thread
from fastapi import Request, Response

from serving.flights import AbandonedError, Asker
from serving.http.state import State

# Nobody reads it but whoever reads the access log.
_CLIENT_LEFT = 499


async def while_connected(request: Request, state: State, work: Callable[[Asker], Response]) -> Response:
    """What the work comes to, or nothing worth mentioning once the client has left.

    Args:
        request: Whose it is.
        state: It says how much is done at once; what comes later waits.
        work: Takes whoever asks, to notice that they have left.
    """
    asker = Asker()
    leaving = asyncio.create_task(_leave_with(request, asker))
    try:
        return await anyio.to_thread.run_sync(work, asker, limiter=state.workers)
    except AbandonedError:
        return Response(status_code=_CLIENT_LEFT)
    finally:
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving


async def _leave_with(request: Request, asker: Asker) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    asker.leave()
