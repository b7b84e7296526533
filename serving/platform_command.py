"""The platform's own command, started beside the API: what the API may neither import nor write, the command may."""

import subprocess
import sys
from collections.abc import Sequence
from typing import IO

from warehouse.processes import environment_for
from warehouse.settings import Settings


def start_command(
    settings: Settings, arguments: Sequence[str], *, stdout: int | IO[bytes], stderr: int
) -> subprocess.Popen[bytes]:
    """Start `datainsight` with the same settings, in a session of its own, which outlives this process.

    Args:
        settings: What the command is to see, whatever this process was started with.
        arguments: Those of the command.
        stdout: Where its answer goes, as `subprocess.Popen` takes it.
        stderr: Where its progress and its errors go.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        env=environment_for(settings),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
