"""Whose turn it is: so much work is done at once, and that of one organization leaves room for the others."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple
from weakref import WeakValueDictionary

import anyio.to_thread
from anyio import CapacityLimiter

Given = TypeVarTuple("Given")
Done = TypeVar("Done")


class Turns:
    """Does work in threads, in the order it came as far as there are turns.

    Args:
        at_once: How much is done at once.
        of_one: How much of it for one organization.
    """

    def __init__(self, at_once: int, of_one: int) -> None:
        self._all = CapacityLimiter(at_once)
        self._of_one = of_one
        # A share is there for as long as anybody waits for it or has a part of it.
        self._shares: WeakValueDictionary[str | None, CapacityLimiter] = WeakValueDictionary()

    async def do(self, organization: str | None, work: Callable[[*Given], Done], *given: *Given) -> Done:
        """What the work comes to, once it is its turn.

        Args:
            organization: Whose work it is; None: that of who asks across organizations.
            work: What is done, in a thread.
            given: What it is called with.
        """
        share = self._shares.get(organization)
        if share is None:
            share = self._shares[organization] = CapacityLimiter(self._of_one)
        async with share:
            return await anyio.to_thread.run_sync(work, *given, limiter=self._all)
