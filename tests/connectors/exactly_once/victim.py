"""`python -m connectors`, which something happens to at a certain moment: the program that the tests start.

Arguments: the moment, `kill` or `pause`, the source. Paused, it says `reached` and waits for a line to go on.
"""

import os
import signal
import sys

from connectors import __main__ as connectors
from tests.connectors.exactly_once.moments import MOMENTS


def kill() -> None:
    """Die as from `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def pause() -> None:
    """Wait for the test."""
    print("reached", flush=True)
    sys.stdin.readline()


def main() -> int:
    """Land the source, and stop or die on the way."""
    moment, act, source = sys.argv[1:]
    MOMENTS[moment].install({"kill": kill, "pause": pause}[act])
    return connectors.main([source])
