"""A command on a leash: its lines, its last words, and its end when it is silent for too long."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from connectors import leash
from warehouse.errors import DataInsightError
from warehouse.settings import PREFIX

_LONGEST_LINE_BYTES = 64 << 20
_WORDS_KEPT = 50
# Settings of this process's own Python would make another environment's Python look in the wrong places.
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


class Command:
    """A running command; a context manager that leaves none of its processes behind.

    Args:
        name: What errors call it.
        arguments: The command line.
        folder: Where it runs.
        patience_seconds: How long it may write nothing, neither output nor log.
        hear: Told each line of its log, from another thread.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        folder: Path,
        patience_seconds: float,
        hear: Callable[[str], None] = lambda line: None,  # noqa: ARG005
    ) -> None:
        self._name = name
        self._patience_seconds = patience_seconds
        self._hear = hear
        self._words: deque[str] = deque(maxlen=_WORDS_KEPT)
        self._heard = time.monotonic()
        self._silent = False
        self._over = threading.Event()
        self._arguments = [sys.executable, "-I", "-S", leash.__file__, *arguments]
        self._folder = folder

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            env=_environment(),
            start_new_session=True,
        )
        self._threads = [threading.Thread(target=self._listen), threading.Thread(target=self._watch)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()
        self._over.set()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            _pipe(stream).close()

    def lines(self) -> Iterator[bytes]:
        """What it writes, line by line; the pipe makes it wait while a line is being worked on.

        Raises:
            DataInsightError: A line is longer than 64 MiB.
        """
        stdout = _pipe(self._process.stdout)
        while line := stdout.readline(_LONGEST_LINE_BYTES):
            if len(line) == _LONGEST_LINE_BYTES and not line.endswith(b"\n"):
                raise DataInsightError(f"{self._name} wrote a line of more than {_LONGEST_LINE_BYTES >> 20} MiB")
            yield line
            self._heard = time.monotonic()

    def end(self) -> None:
        """Wait for its end.

        Raises:
            DataInsightError: It was silent for too long, was killed, or ended with another code than 0.
        """
        code = self._process.wait()
        self._threads[0].join()
        if self._silent:
            raise DataInsightError(
                f"{self._name} wrote nothing for {self._patience_seconds:,.0f} seconds and was stopped",
                hint="nothing of it counts; if it needs longer, raise patience",
            )
        if code:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise DataInsightError(f"{self._name} {how}: {self.last_words()}", hint="nothing of it counts")

    def last_words(self) -> str:
        """The last line of its log, where an exception says what it is."""
        return self._words[-1][:500] if self._words else "it said nothing"

    @property
    def words(self) -> list[str]:
        """The last lines of its log."""
        return list(self._words)

    def _listen(self) -> None:
        stderr = _pipe(self._process.stderr)
        while line := stderr.readline(_LONGEST_LINE_BYTES):
            self._heard = time.monotonic()
            if text := line.decode(errors="replace").rstrip():
                self._words.append(text)
                self._hear(text)

    def _watch(self) -> None:
        while not self._over.wait(max(self._heard + self._patience_seconds - time.monotonic(), 0.01)):
            if time.monotonic() - self._heard >= self._patience_seconds:
                self._silent = True
                self._kill()
                return

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("the process was started without pipes")
    return stream


def _environment() -> dict[str, str]:
    """What a stranger's program may see of ours: everything but our own settings, which hold passwords."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(PREFIX) and name not in _NOT_PASSED_ON
    }
    return {**kept, "PYTHONUTF8": "1"}
