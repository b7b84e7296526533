"""Starts `datainsight privacy erase` beside the API: what the API itself may not write, the command may."""

import logging
import subprocess
import threading

from serving.platform_command import start_command
from warehouse.settings import Settings

_log = logging.getLogger(__name__)


class Erasing:
    """One such process at a time, which carries out all that was ordered until then.

    Args:
        settings: What the process is told.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._is_running = False
        self._once_more = False

    def start(self) -> None:
        """Start it, or once more when the one that runs has ended: it may have looked before this order was there."""
        if self._settings.erasures == "by_command":
            return
        with self._lock:
            self._once_more = self._is_running
            if self._is_running:
                return
            self._is_running = True
        # An order outlives this process, and so does the command: nobody waits for either at the end.
        threading.Thread(target=self._run, name="erasing", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._run_once()
            except OSError as error:
                _log.warning("`datainsight privacy erase` cannot be started: %s", error)
            with self._lock:
                if not self._once_more:
                    self._is_running = False
                    return
                self._once_more = False

    def _run_once(self) -> None:
        process = start_command(self._settings, ["privacy", "erase"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, told = process.communicate()
        if process.returncode:
            # The order itself says why, too; the next order, or the command, goes on with it.
            last = told.decode(errors="replace").strip().splitlines()[-2:]
            _log.warning("`datainsight privacy erase` ended with code %s: %s", process.returncode, " ".join(last))
