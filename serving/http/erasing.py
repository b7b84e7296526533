"""Starts `datainsight privacy erase` beside the API: what the API itself may not write, the command may."""

import logging
import subprocess
import threading
import time
from collections.abc import Callable

from serving.platform_command import start_command
from warehouse.settings import Settings

_log = logging.getLogger(__name__)

# It reads every declared table and may make the star anew, which costs as much for one order as for all of an hour.
PAUSE_SECONDS = 3_600.0


def carry_out(settings: Settings) -> None:
    """Have every order carried out that was given until now, and wait for the end of it."""
    try:
        process = start_command(settings, ["privacy", "erase"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except OSError as error:
        _log.warning("`datainsight privacy erase` cannot be started: %s", error)
        return
    _, told = process.communicate()
    if process.returncode:
        # The order itself says why, too; the next order, or the command, goes on with it.
        last = told.decode(errors="replace").strip().splitlines()[-2:]
        _log.warning("`datainsight privacy erase` ended with code %s: %s", process.returncode, " ".join(last))


class Erasing:
    """One such process at a time, and no more than one in an hour: what is ordered meanwhile waits for the next.

    Args:
        settings: What the process is told.
        pause_seconds: How long after the beginning of one the next may begin.
        work: What the process does.
    """

    def __init__(
        self,
        settings: Settings,
        pause_seconds: float = PAUSE_SECONDS,
        work: Callable[[Settings], None] = carry_out,
    ) -> None:
        self._settings, self._pause_seconds, self._work = settings, pause_seconds, work
        self._lock = threading.Lock()
        self._is_running = False
        self._is_wanted = False
        self._not_before = time.monotonic()
        self._ending = threading.Event()

    def start(self) -> None:
        """Start it as soon as it may be; once more after the one that runs, which may have looked before this order."""
        if self._settings.erasures == "by_command":
            return
        with self._lock:
            self._is_wanted = True
            if self._is_running:
                return
            self._is_running = True
        # An order outlives this process, and so does the command: nobody waits for either at the end.
        threading.Thread(target=self._run, name="erasing", daemon=True).start()

    def close(self) -> None:
        """Start it no more; the next server goes on with what is left."""
        self._ending.set()

    def _run(self) -> None:
        while self._is_more_to_do():
            if self._ending.wait(max(0.0, self._not_before - time.monotonic())):
                return
            with self._lock:
                self._is_wanted = False
            self._not_before = time.monotonic() + self._pause_seconds
            try:
                self._work(self._settings)
            except Exception:  # noqa: BLE001 - it is logged, and orders that come later are carried out all the same.
                _log.exception("erasures could not be carried out")

    def _is_more_to_do(self) -> bool:
        with self._lock:
            self._is_running = self._is_wanted
            return self._is_running
