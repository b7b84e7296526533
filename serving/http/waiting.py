"""Work for a client that may leave: it is done beside the event loop, and ends when nobody waits for it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from fastapi import Request, Response

from serving.flights import AbandonedError, Asker
from serving.http.state import State

Answered = TypeVar("Answered")

# Nobody reads it but whoever reads the access log.
_CLIENT_LEFT = 499


async def while_connected(
    request: Request, state: State, organization: str | None, work: Callable[[Asker], Answered]
) -> Answered | Response:
    """What the work comes to, or nothing worth mentioning once the client has left.

    Args:
        request: Whose it is.
        state: It says how much is done at once; what comes later waits.
        organization: Whose rows it is about; of one organization less is done at once.
        work: Takes whoever asks, to notice that they have left.
    """
    found = await all_while_connected(request, state, organization, [work])
    return found if isinstance(found, Response) else found[0]


async def all_while_connected(
    request: Request, state: State, organization: str | None, works: Sequence[Callable[[Asker], Answered]]
) -> list[Answered] | Response:
    """The same of several works, which are done side by side."""
    askers = [Asker() for _ in works]
    leaving = asyncio.create_task(_leave_with(request, askers))
    try:
        return await asyncio.gather(
            *(state.turns.do(organization, work, asker) for work, asker in zip(works, askers, strict=True))
        )
    except AbandonedError:
        return Response(status_code=_CLIENT_LEFT)
    finally:
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving


async def _leave_with(request: Request, askers: Sequence[Asker]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    for asker in askers:
        asker.leave()
