"""Lands a source in a process of its own, which is ended when its time is over.

For sources that somebody else has configured. A server that never answers, a query without end, an answer that fills
the memory: most drivers cannot be interrupted, but every process can, and what it takes with it is its own.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Any

from connectors import leash
from connectors.landing.land import scratch_of
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError
from warehouse.processes import environment_for
from warehouse.settings import Settings


def land_apart(
    name: str, settings: Settings, warehouse: Warehouse, *, seconds: float, full_refresh: bool = False
) -> list[int]:
    """Land what is new in a source, as `land` does.

    Args:
        name: Which source.
        settings: They name the source and the warehouse.
        warehouse: The same, open.
        seconds: After how many it is ended; then nothing of it counts.
        full_refresh: See `land`.

    Raises:
        DataInsightError: It failed, or was ended.
    """
    arguments = [sys.executable, "-m", "connectors", "--json", *(["--full-refresh"] if full_refresh else []), name]
    with tempfile.TemporaryFile() as answer:
        code = _code(settings, arguments, answer, seconds)
        if code is None:
            # It had no time to tidy up.
            shutil.rmtree(scratch_of(name, warehouse, settings.home), ignore_errors=True)
            raise DataInsightError(
                f"source {name} was ended after {seconds:,.0f} s: the sources of an organization have"
                f" {settings.job_seconds:,} s together in a run",
                hint="nothing of it counts; fewer tables, or a cursor, take less time",
            )
        answer.seek(0)
        told = _told(answer.read())
    if "batch_ids" in told:
        return list(told["batch_ids"])
    if "error" in told:
        raise DataInsightError(told["error"], told["hint"])
    how = f"was killed by signal {-code}, as when the memory is full" if code < 0 else f"ended with code {code}"
    raise DataInsightError(
        f"source {name}: the process that landed it {how}",
        hint=f"nothing of it counts; `python -m connectors {name}` shows what happened",
    )


def _code(settings: Settings, arguments: list[str], answer: Any, seconds: float) -> int | None:
    """What the process ended with; None: it was ended. Neither it nor what it started is there afterwards."""
    with subprocess.Popen(
        # When this process is killed, it ends, too, and gives the source's turn back.
        [sys.executable, "-I", "-S", leash.__file__, *arguments],
        env=environment_for(settings),
        stdin=subprocess.PIPE,
        stdout=answer,
        # What a library logs may be anything; what went wrong is in the answer.
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # Its session is called by its own number; once that is gone, so is everything it has started.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _told(answer: bytes) -> dict[str, Any]:
    """What it printed last; empty when that is nothing of ours."""
    try:
        told = json.loads(answer.rstrip().rpartition(b"\n")[2])
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
