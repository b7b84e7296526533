"""Runs a command that must not outlive whoever started it; a script of its own, with nothing of ours imported.

Its standard input is a pipe that nobody writes to. When that ends, whoever held the other end is gone, however it went,
and the whole process group is killed. Works wherever there are pipes; PR_SET_PDEATHSIG is Linux only, and spares what
the command itself has started.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading


def _when_the_owner_is_gone() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> int:
    """Run the command; end as it ends."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        threading.Thread(target=_when_the_owner_is_gone, daemon=True).start()
        code = process.wait()
    # What it left running would hold our owner's pipes open for ever.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no handler to reset.
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    # os._exit, because the thread sits in a read that an orderly end would wait for.
    os._exit(main(sys.argv[1:]))
