"""Is the server of this data folder running, and where: read from `postmaster.pid` and believed only when it is true.

A pid file survives `kill -9`, a reboot and a copy of the folder, and its number may belong to any process by
then.
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from warehouse.processes import is_alive

_PID_FILE = "postmaster.pid"
# Lines of the pid file, see src/include/utils/pidfile.h of PostgreSQL: pid, folder, start, port, …, status
# (8th).
_PORT_LINE, _STATUS_LINE = 3, 7
_POLL_SECONDS = 0.02
# An idle server process leaves by itself at once when its postmaster dies; one amid a long query does not
# look.
_LEAVE_SECONDS = 2.0
# A postmaster told to leave at once kills what is left of its processes after five seconds.
_IMMEDIATE_SECONDS = 30.0


@dataclass(frozen=True)
class Postmaster:
    """A running server: its process, its port (0 while it has not said so yet) and whether it takes connections."""

    pid: int
    port: int
    ready: bool


def server_name(data: Path) -> str:
    """The name a server gives its processes: that of its data folder on this machine, which a copy does not share."""
    folder = data.stat()
    return f"datainsight-{folder.st_dev:x}-{folder.st_ino:x}"


def find_postmaster(data: Path) -> Postmaster | None:
    """The live server of the data folder, None where its pid file is absent or stale."""
    lines = _pid_file_lines(data)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    port_text = lines[_PORT_LINE].strip() if len(lines) > _PORT_LINE else ""
    port = int(port_text) if port_text.isdigit() else 0
    if not _serves(pid, data):
        return None
    ready = len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"
    return Postmaster(pid, port, ready)


def remove_misleading_pid_file(data: Path) -> None:
    """Remove a pid file that would keep PostgreSQL from starting although nobody serves the folder.

    PostgreSQL deals with the number of a dead process by itself, but not with an empty file (killed while
    writing) or with a number that another process of the same user has by now. To be called when
    `find_postmaster` says None.
    """
    lines = _pid_file_lines(data)
    if lines is None:
        return
    text = lines[0].strip() if lines else ""
    if not text.isdigit() or is_alive(int(text)):
        (data / _PID_FILE).unlink(missing_ok=True)


def end_orphans(data: Path, deadline: float) -> None:
    """Wait until no process of a killed server is left, ending those that do not leave by themselves.

    A client's query whose postmaster is dead can no longer succeed, yet it holds the shared memory without
    which no new server starts. SIGQUIT is what the postmaster itself would send: leave at once, recovery puts
    things right.

    Args:
        data: The data folder, which nobody serves.
        deadline: Until when to wait, by `time.monotonic()`.
    """
    patience = min(time.monotonic() + _LEAVE_SECONDS, deadline)
    while (left := _orphans(data)) and time.monotonic() < deadline:
        if time.monotonic() > patience:
            for pid in left:
                _send(pid, signal.SIGQUIT)
            patience = deadline
        time.sleep(_POLL_SECONDS)


def stop_postmaster(data: Path, patience_seconds: float) -> bool:
    """Stop the server as `pg_ctl stop --mode fast` does: roll back, write a checkpoint, leave.

    `pg_ctl` itself refuses to run as root, and a signal needs no change of user. When patience is over, the
    server is told to leave at once (`--mode immediate`), which loses nothing that was committed.

    Returns:
        Whether the server is gone.
    """
    for what, seconds in ((signal.SIGINT, patience_seconds), (signal.SIGQUIT, _IMMEDIATE_SECONDS)):
        deadline = time.monotonic() + seconds
        if (postmaster := find_postmaster(data)) is not None:
            _send(postmaster.pid, what)
        while find_postmaster(data) is not None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    return find_postmaster(data) is None


def _pid_file_lines(data: Path) -> list[str] | None:
    try:
        return (data / _PID_FILE).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None


def _serves(pid: int, data: Path) -> bool:
    """Whether process `pid` is the server of the folder."""
    arguments = _arguments(pid)
    if not arguments or Path(arguments[0]).name != "postgres":
        return False
    return f"cluster_name={server_name(data)}" in arguments or _works_in(pid, data)


def _orphans(data: Path) -> list[int]:
    """Processes of a server of this folder whose postmaster is gone (on systems with /proc)."""
    title = f"postgres: {server_name(data)}: "
    processes = [int(process.name) for process in Path("/proc").glob("[0-9]*")]
    titles = {pid: " ".join(_arguments(pid)) for pid in processes}
    return [
        pid
        for pid, shown in titles.items()
        if shown.startswith(title) or (shown.startswith("postgres: ") and _works_in(pid, data))
    ]


def _works_in(pid: int, data: Path) -> bool:
    """Whether it is the process's working folder, as of every process of a server, also of one started by hand."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # It has ended, or is another user's, or (root in a container) we lack the right to look.


def _arguments(pid: int) -> list[str]:
    """The command line of a process; empty where there is none, or only its remains not yet collected."""
    if Path("/proc/self").exists():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [os.fsdecode(part) for part in command.split(b"\0") if part]
    shown = subprocess.run(
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    program, _, rest = shown.stdout.strip().partition(" -")
    return [program, *f"-{rest}".split()] if program else []


def _send(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return  # It left by itself, which is what the signal was for.
