"""How many exports of personal data are written at once: each keeps a transaction open over whole tables."""

import threading
import time
from collections.abc import Iterable, Iterator

from serving.identity.refusals import TooManyAttemptsError
from serving.privacy.exports import STALLED_SECONDS

MOST_EXPORTS = 2
_RETRY_SECONDS = 30


class Exporting:
    """The exports that are under way in this process.

    Args:
        most: How many there may be.
    """

    def __init__(self, most: int = MOST_EXPORTS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._taken_at: dict[object, float] = {}

    def counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The parts of an export, which is under way until its end, or until nobody takes any more of it.

        Raises:
            TooManyAttemptsError: As many as may be are under way; nothing of this one was read.
        """
        export, now = object(), time.monotonic()
        with self._lock:
            # PostgreSQL has ended the transactions of all others by now.
            self._taken_at = {one: at for one, at in self._taken_at.items() if now - at < STALLED_SECONDS}
            if len(self._taken_at) >= self._most:
                raise TooManyAttemptsError(_RETRY_SECONDS, f"{self._most} exports are being written already")
            self._taken_at[export] = now
        return self._noted(export, parts)

    def _noted(self, export: object, parts: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for part in parts:
                with self._lock:
                    self._taken_at[export] = time.monotonic()
                yield part
        finally:
            with self._lock:
                self._taken_at.pop(export, None)
