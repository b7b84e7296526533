"""How many exports of personal data are written at once: each keeps a transaction open over whole tables."""

import threading
import time
from collections.abc import Iterable, Iterator

from serving.identity.refusals import TooManyAttemptsError
from serving.privacy.exports import STALLED_SECONDS

MOST_EXPORTS = 4
_RETRY_SECONDS = 30


class Exporting:
    """The exports that are under way in this process.

    Args:
        most: How many there may be.
    """

    def __init__(self, most: int = MOST_EXPORTS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._taken_at: dict[tuple[object, str | None], float] = {}

    def counted(self, parts: Iterable[bytes], organization: str | None) -> Iterator[bytes]:
        """The parts of an export, which is under way until its end, or until nobody takes any more of it.

        Args:
            parts: The export.
            organization: Who wants it, one at a time, so that none keeps the others waiting; None: an operator.

        Raises:
            TooManyAttemptsError: As many as may be are under way; nothing of this one was read.
        """
        export, now = (object(), organization), time.monotonic()
        with self._lock:
            # PostgreSQL has ended the transactions of all others by now.
            self._taken_at = {one: at for one, at in self._taken_at.items() if now - at < STALLED_SECONDS}
            if organization is not None and any(whose == organization for _, whose in self._taken_at):
                raise TooManyAttemptsError(_RETRY_SECONDS, "an export of the organization is being written already")
            if len(self._taken_at) >= self._most:
                raise TooManyAttemptsError(_RETRY_SECONDS, f"{self._most} exports are being written already")
            self._taken_at[export] = now
        return self._noted(export, parts)

    def _noted(self, export: tuple[object, str | None], parts: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for part in parts:
                with self._lock:
                    self._taken_at[export] = time.monotonic()
                yield part
        finally:
            with self._lock:
                self._taken_at.pop(export, None)
