"""`python -m connectors`, which something happens to at a certain moment: the program that the tests start.

Arguments: the moment, `kill` or `pause`, the source. Paused, it says `reached` and waits for a line to go on.
"""

import os
import signal
import sys

from connectors.__main__ import main
from tests.connectors.exactly_once.moments import MOMENTS


def kill() -> None:
    """Die as from `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def pause() -> None:
    """Wait for the test."""
    print("reached", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    moment, act, source = sys.argv[1:]
    MOMENTS[moment].install({"kill": kill, "pause": pause}[act])
    sys.exit(main([source]))
