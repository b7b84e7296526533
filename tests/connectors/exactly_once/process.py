"""Real processes that land a source: killed at a moment, held there, or left alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.connectors.exactly_once.moments import MOMENTS
from tests.forks import REPOSITORY, ForkedProcess, fork

VICTIM = "tests.connectors.exactly_once.victim"
# What a landing of files or of a PostgreSQL database imports on its way.
LANDING = [
    *dict.fromkeys(moment.module for moment in MOMENTS.values()),
    "adbc_driver_postgresql.dbapi",
    "alembic.command",
    "connectors.database.extract",
    "connectors.files.extract",
    "dlt.destinations.impl.postgres.postgres",
    "psycopg2",
    "pyarrow.csv",
    "pyarrow.parquet",
    "requests",
]
# How often a condition is looked at: looking takes time from the process that is to bring it about.
LOOK_SECONDS = 0.02


class LandingProcess(AbstractContextManager["LandingProcess"]):
    """A process that lands a source; it is gone when the context ends.

    Args:
        environment: The settings it is to have.
        source: What it lands.
        moment: Where something happens to it; None for a process as users run it.
        act: What happens there: `kill` or `pause`.
    """

    def __init__(
        self, environment: Mapping[str, str], source: str, moment: str | None = None, act: str = "pause"
    ) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(REPOSITORY),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            **environment,
        }
        self._process: ForkedProcess | subprocess.Popen[str]
        if moment:
            arguments = [moment, act, source]
            self._process = fork(
                VICTIM, arguments, folder=Path.cwd(), environment=environment, imported=[VICTIM, *LANDING]
            )
        else:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "connectors", source],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def reach(self) -> None:
        """Wait until it is at its moment."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said == "reached\n", said + self._end()[1]

    def kill(self) -> None:
        """`kill -9` it."""
        self._process.kill()
        self._process.wait()

    def be_killed(self) -> None:
        """Wait until it has died at its moment."""
        out, error = self._end()
        assert self._process.returncode == -signal.SIGKILL, f"it was not killed: {out}{error}"

    def succeed(self) -> str:
        """Let it go on to a good end; what it printed."""
        out, error = self._end()
        assert self._process.returncode == 0, out + error
        return out

    def fail(self) -> str:
        """Let it go on to an error, said in one line and a hint; the error."""
        out, error = self._end()
        assert self._process.returncode == 1, out + error
        # What libpq says when a server ends a connection goes past every program to the standard error.
        past_us = ("WARNING:  ", "FATAL:  terminating connection")
        said = [line for line in error.splitlines() if not line.startswith(past_us)]
        assert [line.partition(":")[0] for line in said] in (["error"], ["error", "hint"]), error
        return said[0]

    def finish(self) -> None:
        """Let it go on, to a good end or to an error."""
        self._end()
        assert self._process.returncode in {0, 1}

    def _end(self) -> tuple[str, str]:
        return self._process.communicate("\n" if self._process.poll() is None else None)


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that only another process can bring about; the test's timeout is its end."""
    while not condition():
        time.sleep(LOOK_SECONDS)
