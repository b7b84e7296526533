"""What is served: the newest snapshot and what the ledger says of it, read with each question or watched.

A command reads it for its one question. A server watches it from a thread of its own, so that no request waits for the
warehouse, and none fails while the warehouse is away: what was published is in files.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from serving.snapshots import Snapshot, latest_snapshot
from serving.trust import Figures, LedgerReader, Trust
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError, UnavailableError

_LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """What answers stand on.

    Attributes:
        unreachable_since: Since when the warehouse cannot be asked whether there is anything newer.
    """

    snapshot: Snapshot
    figures: Figures
    unreachable_since: datetime | None = None

    def trust(self, marts: frozenset[str]) -> Trust:
        """The trust envelope of an answer that reads these marts."""
        return self.figures.trust(self.snapshot, marts, self.unreachable_since)


class Standings:
    """Knows what is served.

    Args:
        warehouse: Where snapshots and ledger are.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._reader = LedgerReader()
        self._watched: Standing | None = None
        self._prepare: Callable[[Standing], None] | None = None
        self._ending = threading.Event()
        self._watcher: threading.Thread | None = None

    def now(self) -> Standing:
        """The newest there is; of a watched one, what was seen last.

        Raises:
            UnavailableError: Nothing was published yet.
        """
        standing = self.now_if_any()
        if standing is None:
            raise UnavailableError("nothing was published yet", hint="`datainsight run` publishes the metrics")
        return standing

    def now_if_any(self) -> Standing | None:
        """The same, or None when nothing was published yet."""
        return self._read() if self._watcher is None else self._watched

    def watch(self, prepare: Callable[[Standing], None]) -> None:
        """Look for something newer from now on, until `close`.

        Args:
            prepare: Makes ready for a new snapshot, before the first question gets to see it.
        """
        self._prepare = prepare
        self._look()
        self._watcher = threading.Thread(target=self._keep_looking, name="standing", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Look no more."""
        self._ending.set()
        if self._watcher is not None:
            self._watcher.join()

    def _keep_looking(self) -> None:
        while not self._ending.wait(_LOOK_SECONDS):
            try:
                self._look()
            except sa.exc.SQLAlchemyError as error:
                if self._watched is not None and self._watched.unreachable_since is None:
                    _log.warning("the warehouse cannot be reached: %s", str(error).splitlines()[0])
                    self._watched = replace(self._watched, unreachable_since=datetime.now(UTC))
            except DataInsightError as error:
                # What was served until now is served on.
                _log.warning("the newest snapshot cannot be served: %s", error)

    def _look(self) -> None:
        standing = self._read()
        if standing is None:
            return
        known = self._watched
        if self._prepare is not None and (known is None or known.snapshot.snapshot_id != standing.snapshot.snapshot_id):
            self._prepare(standing)
        self._watched = standing

    def _read(self) -> Standing | None:
        with self._warehouse.engine(API).connect() as connection:
            snapshot = latest_snapshot(connection)
            if snapshot is None:
                return None
            return Standing(snapshot, self._reader.figures(connection, snapshot.admission_seq))
