"""The door to the embedded server: who uses it, from the first process that needs it to the last one that leaves.

Each process that uses the server holds a shared lock on `users.lock`; the kernel drops it when the process
dies, so whoever comes next knows the truth. Starts and stops are serialised by `start.lock`.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import sqlalchemy as sa

from warehouse.embedded.cluster import Cluster
from warehouse.embedded.connection import SUPERUSER, connect, is_passing, refusal
from warehouse.embedded.files import lock_alone, lock_holders, locked, open_lock, open_to_pass
from warehouse.embedded.postmaster import find_postmaster
from warehouse.errors import DataInsightError

DATABASE = "datainsight"
_CONNECT_SECONDS = 60
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class ServerStatus:
    """What `datainsight warehouse` shows of the server.

    Attributes:
        running: Whether it runs.
        port: Its port on 127.0.0.1, None while it does not run.
        kept: Whether it goes on running when nobody uses it.
        in_use: Whether some process of DataInsight uses it.
        data_directory: Where its data is.
    """

    running: bool
    port: int | None
    kept: bool
    in_use: bool
    data_directory: Path


class EmbeddedServer:
    """The embedded PostgreSQL of one home folder; calls of `acquire` nest, also across threads.

    Args:
        home: The platform's home folder; the server's files are in `postgres` beneath it.
        user: The system user to run the server as when we are root, '' for the default one.
    """

    def __init__(self, home: Path, user: str = "") -> None:
        self._folder = home.expanduser().resolve() / "postgres"
        self._cluster = Cluster(self._folder, user)
        self._mutex = threading.Lock()
        self._uses = 0
        self._users_lock: int | None = None
        self._process = os.getpid()

    @property
    def notice(self) -> str | None:
        """One line the user should see about how this object started the server, None if there is none."""
        return self._cluster.notice

    def acquire(self) -> sa.URL:
        """Make sure that the server runs and count this process as its user.

        Returns:
            The URL of the superuser's connection to the database `datainsight`, driver `postgresql+psycopg2`.

        Raises:
            DataInsightError: The server cannot be started or reached.
        """
        with self._mutex, self._starting() as start_lock:
            self._forget_uses_of_parent()
            url = self._running_url(start_lock)
            if self._users_lock is None:
                self._users_lock = open_lock(self._folder / "users.lock")
                fcntl.flock(self._users_lock, fcntl.LOCK_SH)
            self._uses += 1
        return url

    def release(self) -> None:
        """Give up one use; with the last one the server stops, unless another process uses it or it is kept."""
        with self._mutex:
            self._forget_uses_of_parent()
            self._uses = max(0, self._uses - 1)
            if self._uses > 0 or self._users_lock is None:
                return
            descriptor, self._users_lock = self._users_lock, None
            try:
                # When the whole folder was removed there is no server to stop: it notices and leaves by
                # itself.
                if self._folder.is_dir():
                    with self._starting():
                        fcntl.flock(descriptor, fcntl.LOCK_UN)
                        if lock_alone(descriptor) and not self._kept.exists():
                            self._cluster.stop()
            finally:
                os.close(descriptor)

    def start_kept(self) -> sa.URL:
        """Start the server and keep it running until `stop`, whoever comes and goes."""
        with self._mutex, self._starting() as start_lock:
            url = self._running_url(start_lock)
            self._kept.touch()
        return url

    def stop(self) -> bool:
        """Keep the server no longer, and stop it.

        Returns:
            Whether it was running.

        Raises:
            DataInsightError: Other processes use it; it stops when they have ended.
        """
        if not self._folder.is_dir():
            return False
        with self._mutex, self._starting():
            self._kept.unlink(missing_ok=True)
            if find_postmaster(self._cluster.data) is None:
                return False
            if self._in_use():
                holders = ", ".join(map(str, lock_holders(self._folder / "users.lock"))) or "unknown"
                raise DataInsightError(
                    f"the embedded PostgreSQL is in use by other programs of DataInsight (process {holders})",
                    hint="it is kept no longer and stops when they have ended",
                )
            self._cluster.stop()
        return True

    def status(self) -> ServerStatus:
        """How the server is, without starting it; waits for a start or stop that is under way."""
        data = self._cluster.data
        if not self._folder.is_dir():
            return ServerStatus(running=False, port=None, kept=False, in_use=False, data_directory=data)
        with self._mutex, self._starting():
            found = find_postmaster(data)
            return ServerStatus(
                running=found is not None,
                port=found.port if found else None,
                kept=self._kept.exists(),
                in_use=self._in_use(),
                data_directory=data,
            )

    @property
    def _kept(self) -> Path:
        return self._folder / "kept"

    @contextmanager
    def _starting(self) -> Iterator[int]:
        open_to_pass(self._folder)
        self._cluster.check_owner()
        with locked(self._folder / "start.lock") as descriptor:
            yield descriptor

    def _in_use(self) -> bool:
        descriptor = open_lock(self._folder / "users.lock")
        try:
            return not lock_alone(descriptor)
        finally:
            os.close(descriptor)

    def _forget_uses_of_parent(self) -> None:
        """In a forked child, the uses counted so far and their lock are the parent's."""
        if self._process != os.getpid():
            self._process, self._uses = os.getpid(), 0
            if self._users_lock is not None:
                os.close(self._users_lock)
                self._users_lock = None

    def _running_url(self, start_lock: int) -> sa.URL:
        """The URL of the running server, with its database; started again when it dies while we connect."""
        deadline = time.monotonic() + _CONNECT_SECONDS
        while True:
            postmaster = self._cluster.ensure_running(start_lock)
            password = self._cluster.password()
            try:
                _ensure_database(postmaster.port, password)
            except psycopg2.OperationalError as error:
                if is_passing(error) and time.monotonic() < deadline:
                    time.sleep(_POLL_SECONDS)
                    continue
                raise DataInsightError(
                    f"the embedded PostgreSQL refuses the connection: {refusal(error)}",
                    hint=f"see {self._cluster.log}",
                ) from error
            return sa.URL.create("postgresql+psycopg2", SUPERUSER, password, "127.0.0.1", postmaster.port, DATABASE)


@contextmanager
def running(home: Path, user: str = "") -> Iterator[sa.URL]:
    """The server's URL for the length of a `with` block: `acquire` before, `release` after."""
    server = EmbeddedServer(home, user)
    url = server.acquire()
    try:
        yield url
    finally:
        server.release()


def _ensure_database(port: int, password: str) -> None:
    """Create the database if it is missing, which also shows that the server takes our connections."""
    connection = connect(port, password)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        connection.close()
