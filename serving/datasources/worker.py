"""The worker: one thread that does the jobs on datasources, one after the other, for as long as the API runs.

One, because what lands waits for its turn anyway, and each looks at a source in a process of hundreds of megabytes.
"""

import logging
import threading

import sqlalchemy as sa

from serving.datasources.commands import Command, Outcome
from serving.datasources.jobs import Job, end, give_up_lost, take_up
from warehouse.database import Warehouse
from warehouse.settings import Settings

log = logging.getLogger("datainsight.jobs")

# How soon jobs are looked for that another process has been asked for and could not do.
_LOOK_SECONDS = 60.0
_END_SECONDS = 30.0


class Worker:
    """See the charter.

    Args:
        settings: What the commands are to see.
        warehouse: Where jobs are.
    """

    def __init__(self, settings: Settings, warehouse: Warehouse) -> None:
        self._settings, self._warehouse = settings, warehouse
        self._something_new = threading.Event()
        self._is_closing = False
        self._running: Command | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="datasource-jobs", daemon=True)

    def start(self) -> None:
        """Begin with what waits already."""
        self._thread.start()

    def wake(self) -> None:
        """Say that a job was added."""
        self._something_new.set()

    def close(self) -> None:
        """End the job that is being done, which the next worker begins anew."""
        with self._lock:
            self._is_closing = True
            running = self._running
        self._something_new.set()
        if running is not None:
            running.stop()
        # A warehouse that does not answer must not keep the server from ending.
        self._thread.join(_END_SECONDS)

    def _work(self) -> None:
        while not self._is_closing:
            # Cleared first: what is added from here on wakes it again.
            self._something_new.clear()
            try:
                self._do_all()
            except sa.exc.SQLAlchemyError as error:
                # The warehouse is away; its errors may repeat a statement's values.
                log.warning("jobs of datasources wait: %s", type(error).__name__)
            except Exception:
                # The one thread that does everybody's jobs goes on; the job itself was noted as failed.
                log.exception("a job of a datasource failed unexpectedly")
            if not self._is_closing:
                self._something_new.wait(_LOOK_SECONDS)

    def _do_all(self) -> None:
        # As the owner, who alone may take an advisory lock (warehouse/doors/server.py).
        with self._warehouse.engine().connect() as connection:
            give_up_lost(connection)
            while not self._is_closing:
                job = take_up(connection)
                if job is None:
                    return
                outcome = Outcome("failed", {"detail": "it ended unexpectedly", "hint": "try again; nothing is lost"})
                try:
                    outcome = self._done(job)
                finally:
                    self._end(connection, job, outcome)

    @staticmethod
    def _end(connection: sa.Connection, job: Job, outcome: Outcome) -> None:
        try:
            end(connection, job, outcome.status, outcome.result)
        except BaseException:
            # With its session goes the lock, by which others know that somebody is at work.
            connection.invalidate()
            raise

    def _done(self, job: Job) -> Outcome:
        command = Command(self._settings, job)
        with self._lock:
            if self._is_closing:
                return Outcome("queued", None)
            self._running = command
        try:
            return command.run(self._warehouse)
        finally:
            with self._lock:
                self._running = None
