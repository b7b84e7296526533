"""The cluster on disk and its server: made once and whole, started on a free port, adopted when it runs already.

Everything here is done under the start lock, by one process at a time.
"""

import os
import re
import secrets
import shutil
import tempfile
import time
from pathlib import Path

import psycopg2

from warehouse.embedded.account import ServerAccount, choose_account, user_name
from warehouse.embedded.binaries import Binaries, find_binaries
from warehouse.embedded.configuration import configuration, machine_memory_bytes
from warehouse.embedded.connection import SUPERUSER, connect, is_passing
from warehouse.embedded.files import open_to_pass, sync_folder, write_whole
from warehouse.embedded.ports import free_port, is_free
from warehouse.embedded.postmaster import (
    Postmaster,
    end_orphans,
    find_postmaster,
    remove_misleading_pid_file,
    server_name,
    stop_postmaster,
)
from warehouse.errors import DataInsightError

# Recovery after a kill replays up to max_wal_size of changes, which takes minutes on a slow disk.
_START_SECONDS = 300
# Stopping writes all changed pages to disk; what takes longer is cut short, and recovered at the next start.
_STOP_SECONDS = 120
_SETTLE_SECONDS = 60
_POLL_SECONDS = 0.05
_LARGEST_LOG_BYTES = 10 * 1024 * 1024
_FIRST_MAJOR_WITH_BUILTIN_LOCALES = 17


class Cluster:
    """The cluster under `folder` (`<home>/postgres`).

    Attributes:
        data: The data folder, owned by the server's user.
        notice: What the user should know about how the server was started, None if nothing.
    """

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.notice: str | None = None
        self._user = user

    @property
    def log(self) -> Path:
        """The server's log of its present and past runs."""
        return self.folder / "log" / "server.log"

    def password(self) -> str:
        """The superuser's password.

        Raises:
            DataInsightError: Its file is lost, or belongs to another user.
        """
        path = self.folder / "password"
        try:
            return path.read_text().strip()
        except (FileNotFoundError, PermissionError) as error:
            raise DataInsightError(
                f"the password of the embedded PostgreSQL cannot be read: {path}: {error.strerror}",
                hint="restore that file from a backup, or run as the user who made it",
            ) from error

    def check_owner(self) -> None:
        """Refuse a folder made by another user before anything in it is touched.

        Raises:
            DataInsightError: Root came to a plain user's folder, or a plain user to another's.
        """
        owner = self.folder.stat().st_uid
        if owner == os.geteuid() or (os.geteuid() == 0 and self._user == user_name(owner)):
            return
        raise DataInsightError(
            f"{self.folder} belongs to user {user_name(owner)}, and this is user {user_name(os.geteuid())}",
            hint=f"start DataInsight as {user_name(owner)}, or set DATAINSIGHT_HOME to a folder of your own",
        )

    def ensure_running(self, start_lock: int) -> Postmaster:
        """The running server, started if need be, and the cluster made if there is none.

        Args:
            start_lock: Descriptor of the start lock, which an `initdb` that outlives us goes on holding.

        Raises:
            DataInsightError: It cannot be started; the message quotes the server's own last words.
        """
        deadline = time.monotonic() + _START_SECONDS
        running = self._wait_until_ready(deadline)
        if running is not None:
            return running
        for leftover in self.folder.glob("initdb-*"):
            shutil.rmtree(leftover)
        binaries = find_binaries(self._major())
        owner_uid = self.data.stat().st_uid if self.data.exists() else None
        account = choose_account(self._user, owner_uid, [Path(binaries.program("postgres")), self.folder])
        self.notice = account.notice
        if owner_uid is None:
            self._create(binaries, account, start_lock)
        return self._start(binaries, account, deadline)

    def stop(self) -> None:
        """Stop the server if it runs: connections are ended, what they had not committed is rolled back.

        Raises:
            DataInsightError: It does not stop.
        """
        # PostgreSQL 18 that is asked to stop amid the recovery from a killed process may never finish: seen
        # in tests.
        self._wait_until_settled(time.monotonic() + _SETTLE_SECONDS)
        if not stop_postmaster(self.data, _STOP_SECONDS):
            raise DataInsightError(
                f"the embedded PostgreSQL did not stop within {_STOP_SECONDS} seconds", hint=f"see {self.log}"
            )

    def _wait_until_settled(self, deadline: float) -> None:
        """Wait until the server takes connections, has ended, or refuses them for a reason that stays."""
        while (found := find_postmaster(self.data)) is not None and time.monotonic() < deadline:
            try:
                connect(found.port, self.password()).close()
            except psycopg2.OperationalError as error:
                if is_passing(error):
                    time.sleep(_POLL_SECONDS)
                    continue
            return

    def _major(self) -> int | None:
        version = self.data / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    def _create(self, binaries: Binaries, account: ServerAccount, start_lock: int) -> None:
        """Make the cluster in a folder beside, and put it in its place by one rename: half a cluster is never used."""
        if not (self.folder / "password").exists():
            write_whole(self.folder / "password", secrets.token_urlsafe(32) + "\n", mode=0o600)
        workshop = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.folder))
        new = workshop / "data"
        # A copy, because the password file itself is ours alone; it goes with the folder.
        write_whole(workshop / "password", self.password() + "\n", mode=0o600)
        account.own(workshop / "password")
        account.own(workshop)
        locale = ["--locale=C.UTF-8"]
        if binaries.major >= _FIRST_MAJOR_WITH_BUILTIN_LOCALES:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = account.execute(
            [binaries.program("initdb"), f"--username={SUPERUSER}", f"--pwfile={workshop / 'password'}",
             "--auth=scram-sha-256", "--encoding=UTF8", *locale, "--no-instructions"],
            folder=self.folder,
            environment={"PGDATA": str(new)},
            keep_open=[start_lock],
        )  # fmt: skip
        if made.returncode != 0:
            raise DataInsightError(
                f"the embedded PostgreSQL could not be made in {self.folder}: {_last_words(made.stderr)}",
                hint="see that the disk has room and that the folder can be written",
            )
        with (new / "postgresql.conf").open("a") as file:
            file.write("\ninclude '../server.conf'\n")
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.data)
        sync_folder(self.folder)
        shutil.rmtree(workshop)

    def _start(self, binaries: Binaries, account: ServerAccount, deadline: float) -> Postmaster:
        """Start the server, past whatever a killed one left behind."""
        open_to_pass(self.log.parent)
        account.own(self.log.parent)
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        write_whole(self.folder / "server.conf", configuration(machine_memory_bytes(), binaries.major), mode=0o644)
        port = self._remembered_port()
        while True:
            end_orphans(self.data, deadline)
            remove_misleading_pid_file(self.data)
            if not is_free(port):
                port = free_port()
            write_whole(self.folder / "port", f"{port}\n", mode=0o644)
            words = self._try_start(binaries, account, port)
            running = self._wait_until_ready(deadline)
            if running is not None:
                return running
            # Another program took the port in between, or a dying process of the old server still holds its
            # memory.
            passing = re.search("Address already in use|shared memory block|lock file", words)
            if not passing or time.monotonic() > deadline:
                raise DataInsightError(
                    f"the embedded PostgreSQL did not start: {_last_words(words)}", hint=f"see {self.log}"
                )
            time.sleep(_POLL_SECONDS)

    def _try_start(self, binaries: Binaries, account: ServerAccount, port: int) -> str:
        """One call of `pg_ctl start`; it puts the server into a session of its own, out of reach of our Ctrl-C.

        Returns:
            What the server wrote into its log, or `pg_ctl` on its standard error, during this call.
        """
        before = self.log.stat().st_size if self.log.exists() else 0
        # pg_ctl hands paths to a shell within double quotes: a relative log and PGDATA keep odd paths out of it.
        options = f"-p {port} -c cluster_name={server_name(self.data)}"
        started = account.execute(
            [binaries.program("pg_ctl"), "start", "--silent", "--wait", f"--timeout={_START_SECONDS}",
             f"--log={self.log.relative_to(self.folder)}", f"--options={options}"],
            folder=self.folder,
            environment={"PGDATA": str(self.data)},
        )  # fmt: skip
        if not self.log.exists():
            return started.stderr
        with self.log.open(errors="replace") as file:
            file.seek(before)
            return file.read() or started.stderr

    def _remembered_port(self) -> int:
        path = self.folder / "port"
        text = path.read_text().strip() if path.exists() else ""
        return int(text) if text.isdigit() else free_port()

    def _wait_until_ready(self, deadline: float) -> Postmaster | None:
        """The server once it takes connections, however it came to run; None when there is none."""
        while (found := find_postmaster(self.data)) is not None and not found.ready:
            if time.monotonic() > deadline:
                raise DataInsightError(
                    f"the embedded PostgreSQL is not ready after {_START_SECONDS} seconds",
                    hint=f"it may still be recovering: see {self.log}, and try again",
                )
            time.sleep(_POLL_SECONDS)
        return found


def _last_words(words: str) -> str:
    """The line that explains a failure: the last fatal or error line, else the last one, without time and process."""
    lines = [line for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if re.search("FATAL|PANIC|error:", line)] or lines or ["it said nothing"]
    return re.sub(r"^\S+ \S+ UTC \[\d+\] ", "", telling[-1]).strip()
