"""Whose turn it is: so much work is done at once, and that of one organization leaves room for the others."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple
from weakref import WeakValueDictionary

import anyio.to_thread
from anyio import CapacityLimiter

Given = TypeVarTuple("Given")
Done = TypeVar("Done")


class Shares:
    """Lets so much be done at once for one organization; what is more waits.

    Args:
        of_one: How much.
    """

    def __init__(self, of_one: int) -> None:
        self._of_one = of_one
        # A share is there for as long as anybody waits for it or has a part of it.
        self._shares: WeakValueDictionary[str | None, CapacityLimiter] = WeakValueDictionary()

    def of(self, whose: str | None) -> CapacityLimiter:
        """The share of one organization; None: of who asks across organizations."""
        share = self._shares.get(whose)
        if share is None:
            share = self._shares[whose] = CapacityLimiter(self._of_one)
        return share


class Turns:
    """Does work in threads, in the order it came as far as there are turns.

    Args:
        at_once: How much is done at once.
        of_one: How much of it for one organization.
    """

    def __init__(self, at_once: int, of_one: int) -> None:
        self._all = CapacityLimiter(at_once)
        self._shares = Shares(of_one)

    async def do(self, organization: str | None, work: Callable[[*Given], Done], *given: *Given) -> Done:
        """What the work comes to, once it is its turn.

        Args:
            organization: Whose work it is; None: that of who asks across organizations.
            work: What is done, in a thread.
            given: What it is called with.
        """
        async with self._shares.of(organization):
            return await anyio.to_thread.run_sync(work, *given, limiter=self._all)
