"""What is served: the newest snapshot and what the ledger says of it, read with each question or watched.

A command reads it for its one question. A server watches it from a thread of its own, so that no request waits for the
warehouse, and none fails while the warehouse is away: what was published is in files.
"""

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from serving.snapshots import Snapshot, kept_snapshot, latest_snapshot, withdrawn_up_to
from serving.trust import Figures, LedgerReader, Trust
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError, UnavailableError

_LOOK_SECONDS = 0.5
# A warehouse that has not answered for so long is taken to be away.
_PATIENCE_SECONDS = 3.0

# Whoever reads a long answer page by page goes on with the snapshot they began with.
_EARLIER = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """What answers stand on.

    Attributes:
        unreachable_since: Since when the warehouse cannot be asked whether there is anything newer.
        withdrawn_up_to: The newest snapshot from which nothing may be answered any more.
    """

    snapshot: Snapshot
    figures: Figures
    unreachable_since: datetime | None = None
    withdrawn_up_to: int = 0

    @cached_property
    def version(self) -> str:
        """A name for the rows that are served and for what is said of them: another one when either is another."""
        snapshot = self.snapshot
        which = (snapshot.snapshot_id, snapshot.published_at.isoformat(), snapshot.fingerprint)
        # What no mart stands on is in no answer, and may be the business of one organization alone.
        behind = self.figures.behind(snapshot, snapshot.tables)
        said = (sorted(behind.amounts.items()), self.unreachable_since is None)
        return hashlib.sha256(repr((which, snapshot.definition_version, said)).encode()).hexdigest()

    def trust(self, marts: frozenset[str]) -> Trust:
        """The trust envelope of an answer that reads these marts."""
        return self.figures.trust(self.snapshot, marts, self.unreachable_since)

    def freshness(self, marts: frozenset[str]) -> dict[str, Any] | None:
        """How fresh these marts are, as JSON values; None when the snapshot lacks one of them."""
        if not marts <= self.snapshot.tables.keys():
            return None
        trust = self.trust(marts).to_dict()
        return {"as_of": trust["as_of"], "freshness_seconds": trust["freshness_seconds"]}


@dataclass(frozen=True)
class _Asking:
    """A question to the warehouse that is under way: since when, by a clock that only ever grows and as a moment."""

    since: float
    at: datetime


class Standings:
    """Knows what is served.

    Args:
        warehouse: Where snapshots and ledger are.
        retention_hours: How long the store keeps what was superseded.
    """

    def __init__(self, warehouse: Warehouse, retention_hours: int) -> None:
        self._warehouse = warehouse
        self._retention_hours = retention_hours
        self._lock = threading.Lock()
        self._earlier: OrderedDict[int, Standing] = OrderedDict()
        self._reader = LedgerReader()
        self._watched: Standing | None = None
        self._asking: _Asking | None = None
        self._prepare: Callable[[Standing], None] | None = None
        self._forget: Callable[[int], None] | None = None
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
        if self._watcher is None:
            return self._read()
        watched, asking = self._watched, self._asking
        if watched is None or asking is None or watched.unreachable_since is not None:
            return watched
        # Nothing comes back from a server that hangs, not even an error.
        is_hanging = time.monotonic() - asking.since > _PATIENCE_SECONDS
        return replace(watched, unreachable_since=asking.at) if is_hanging else watched

    def at(self, snapshot_id: int) -> Standing | None:
        """What answered when that snapshot was served; None when the store keeps it no more.

        Raises:
            UnavailableError: Nothing was published yet, or the warehouse is away and cannot be asked.
        """
        now = self.now()
        if now.snapshot.snapshot_id == snapshot_id:
            return now
        with self._lock:
            known = self._earlier.get(snapshot_id)
        try:
            with self._warehouse.engine(API).connect() as connection:
                snapshot = kept_snapshot(connection, snapshot_id, self._retention_hours)
                if snapshot is None:
                    return None
                if known is None:
                    # A reader of its own: the other one would forget the newest figures over the older ones.
                    known = Standing(snapshot, LedgerReader().figures(connection, snapshot.admission_seq))
                    self._remember(known)
        except sa.exc.DBAPIError as error:
            if known is None:
                raise UnavailableError(
                    f"the warehouse cannot be reached, so nobody knows whether snapshot {snapshot_id} is still there"
                ) from error
        return known

    def watch(self, prepare: Callable[[Standing], None], forget: Callable[[int], None] | None = None) -> None:
        """Look for something newer from now on, until `close`.

        Args:
            prepare: Makes ready for a new snapshot, before the first question gets to see it; not for one that follows
                a withdrawn one, whose rows nobody may get any longer than it takes to look.
            forget: Lets go of all that is known of snapshots up to a number, since they were withdrawn.
        """
        self._prepare, self._forget = prepare, forget
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
            except Exception:  # noqa: BLE001  Whatever it was: it is told, with where it came from.
                # A watcher that has ended would never see another snapshot, nor that one was withdrawn.
                _log.exception("the newest snapshot cannot be served")

    def _look(self) -> None:
        self._asking = _Asking(time.monotonic(), datetime.now(UTC))
        try:
            standing = self._read()
        finally:
            self._asking = None
        if standing is None:
            return
        known = self._watched
        is_new = known is None or known.snapshot.snapshot_id != standing.snapshot.snapshot_id
        is_withdrawn = known is not None and known.snapshot.snapshot_id <= standing.withdrawn_up_to
        if self._prepare is not None and is_new and not is_withdrawn:
            self._prepare(standing)
        self._watched = standing
        if known is not None and is_new:
            self._remember(known)
        if known is None or known.withdrawn_up_to < standing.withdrawn_up_to:
            self._let_go(standing.withdrawn_up_to)

    def _let_go(self, snapshot_id: int) -> None:
        with self._lock:
            for earlier in [one for one in self._earlier if one <= snapshot_id]:
                del self._earlier[earlier]
        if self._forget is not None:
            self._forget(snapshot_id)

    def _remember(self, standing: Standing) -> None:
        with self._lock:
            self._earlier[standing.snapshot.snapshot_id] = standing
            if len(self._earlier) > _EARLIER:
                self._earlier.popitem(last=False)

    def _read(self) -> Standing | None:
        with self._warehouse.engine(API).connect() as connection:
            snapshot = latest_snapshot(connection)
            if snapshot is None:
                return None
            figures = self._reader.figures(connection, snapshot.admission_seq)
            return Standing(snapshot, figures, withdrawn_up_to=withdrawn_up_to(connection))
