"""Files of the server's folder: written whole or not at all, locked across processes, passed by the server's user."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import DataInsightError


def open_to_pass(folder: Path) -> None:
    """Make a folder of ours if it is missing; made by root, others may pass through it (not look into it).

    The server's user must pass the home folder; a folder that exists already keeps the mode its owner gave
    it.
    """
    for missing in reversed([path for path in [folder, *folder.parents] if not path.exists()]):
        try:
            missing.mkdir(exist_ok=True)
        except OSError as error:
            raise DataInsightError(
                f"the folder {missing} cannot be made: {error.strerror}",
                hint="set DATAINSIGHT_HOME to a folder that you may write to",
            ) from error
        if os.geteuid() == 0:
            missing.chmod(missing.stat().st_mode | 0o011)


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Write a file so that, after a crash at any moment, the old text or the new one is there, never a part."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_lock(path: Path) -> int:
    """A descriptor to lock the file by; a program that we start does not inherit it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the file's lock alone, waiting for it; the kernel frees it when its holder dies. Yields the descriptor."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def lock_alone(descriptor: int) -> bool:
    """Try to hold the lock alone, at once; False when somebody else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_holders(path: Path) -> list[int]:
    """Processes that hold a lock on the file, as far as the system tells (Linux does, in /proc/locks)."""
    table = Path("/proc/locks")
    if not table.exists() or not path.exists():
        return []
    inode = str(path.stat().st_ino)
    # "1: FLOCK  ADVISORY  READ  4711 fe:00:393226 0 EOF"; a line with "->" is a process that waits.
    rows = [line.split() for line in table.read_text().splitlines() if "->" not in line]
    return sorted({int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].rsplit(":", 1)[1] == inode})
