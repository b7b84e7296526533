"""Keeps to what an API allows before it has to say so: no more requests in any span than its limits say."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from connectors.rest.definition import Limit


class Limiter:
    """Lets requests through one after another, each no sooner than all limits allow.

    Args:
        limits: How many requests in how many seconds.
        clock: Seconds that only go forward.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        limits: Sequence[Limit],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._windows = [(limit.seconds, deque[float](maxlen=limit.requests)) for limit in limits]
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Come back when one more request is within the limits, and count it."""
        with self._lock:
            now = self._clock()
            free = max((sent[0] + seconds for seconds, sent in self._windows if len(sent) == sent.maxlen), default=now)
            if free > now:
                self._sleep(free - now)
                now = self._clock()
            for _, sent in self._windows:
                sent.append(now)
