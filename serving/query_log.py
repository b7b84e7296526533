"""Writes down each call of the metrics, what was asked and how long it took, in `ops.metric_queries`.

Nobody waits for it: a thread of its own writes, and what cannot be written, since the warehouse is read-only or busy,
is let go. Values of filters are not written down, and neither are answers.
"""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import orjson
import sqlalchemy as sa

from serving.query import MetricQuery
from serving.snapshots import Snapshot
from warehouse.database import API, Warehouse

_WAITING = 1_000
# What comes meanwhile is written together: one statement for many costs less than one for each.
_GATHERING_SECONDS = 0.25
_PATIENCE_SECONDS = 5

# Nobody's metric has so long a name, and a question may be anything.
_LONGEST_NAME = 200

# An answer, the values of a dimension, where an answer comes from, or what metrics there are.
Kind = Literal["query", "values", "explain", "list"]


@dataclass(frozen=True)
class Caller:
    """Who calls, and by which way.

    Attributes:
        door: `http`, or the platform's own `command`.
        principal: The subject of whoever calls, as `key:<key_id>`; None: whoever runs the command.
    """

    door: Literal["http", "command"] = "command"
    principal: str | None = None


COMMAND = Caller()


@dataclass
class Call:
    """A row of `ops.metric_queries`, filled in while the call is answered.

    Attributes:
        started: The clock's reading from which its milliseconds count.
    """

    kind: Kind
    organization_id: str | None
    metrics: list[str]
    group_by: list[str]
    grain: str | None
    door: str
    principal: str | None
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    snapshot_id: int | None = None
    admission_seq: int | None = None
    milliseconds: float = 0.0
    row_count: int | None = None
    is_cache_hit: bool | None = None
    outcome: str = "failed"
    started: float = field(default_factory=time.perf_counter)

    def stands_on(self, snapshot: Snapshot) -> None:
        """Note the snapshot that answers."""
        self.snapshot_id, self.admission_seq = snapshot.snapshot_id, snapshot.admission_seq

    def answered(self, row_count: int | None = None, *, is_cache_hit: bool | None = None) -> None:
        """Note the answer; its rows are unknown when whoever asked has kept them, or has asked for none."""
        self.row_count, self.is_cache_hit, self.outcome = row_count, is_cache_hit, "answered"


_INSERT = sa.text(
    "insert into ops.metric_queries (kind, organization_id, metrics, group_by, grain, door, principal, asked_at,"
    " snapshot_id, admission_seq, milliseconds, row_count, is_cache_hit, outcome)"
    " select kind, organization_id, metrics, group_by, grain, door, principal, asked_at, snapshot_id, admission_seq,"
    " milliseconds, row_count, is_cache_hit, outcome"
    " from jsonb_to_recordset(cast(:calls as jsonb)) as call (kind text, organization_id text, metrics text[],"
    " group_by text[], grain text, door text, principal text, asked_at timestamptz, snapshot_id bigint,"
    " admission_seq bigint, milliseconds double precision, row_count bigint, is_cache_hit boolean, outcome text)"
)


class QueryLog:
    """Takes calls at once and writes them soon; `close` writes those that wait.

    Args:
        warehouse: Where the log is.

    Attributes:
        lost: How many were not written, since the warehouse was away or too slow.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.lost = 0
        self._warehouse = warehouse
        self._lock = threading.Lock()
        self._waiting: queue.Queue[Call | None] = queue.Queue(_WAITING)
        self._writer: threading.Thread | None = None
        self._ending = threading.Event()

    @contextmanager
    def call(
        self,
        kind: Kind,
        caller: Caller,
        organization: str | None,
        metrics: Sequence[str] = (),
        group_by: Sequence[str] = (),
        grain: str | None = None,
    ) -> Iterator[Call]:
        """The call is over at the end of the context; one that was not answered by then has failed."""
        call = Call(
            kind,
            organization if organization is None else _storable(organization),
            [_storable(name) for name in metrics],
            [_storable(name) for name in group_by],
            grain,
            caller.door,
            caller.principal,
        )
        try:
            yield call
        finally:
            call.milliseconds = round((time.perf_counter() - call.started) * 1000, 2)
            self._take(call)

    def question(
        self, caller: Caller, organization: str | None, query: MetricQuery, kind: Kind = "query"
    ) -> AbstractContextManager[Call]:
        """The same of a call that asks a question."""
        return self.call(kind, caller, organization, query.metrics, query.group_by, query.grain)

    def close(self) -> None:
        """Write what waits, unless the warehouse takes too long."""
        with self._lock:
            writer, self._writer = self._writer, None
            self._ending.set()
        if writer is not None:
            with suppress(queue.Full):
                self._waiting.put(None, timeout=_PATIENCE_SECONDS)
            writer.join(_PATIENCE_SECONDS)

    def _take(self, call: Call) -> None:
        with self._lock:
            if self._writer is None:
                self._ending = threading.Event()
                self._writer = threading.Thread(target=self._write, args=(self._ending,), name="query log", daemon=True)
                self._writer.start()
        try:
            self._waiting.put_nowait(call)
        except queue.Full:
            self._lose(1)

    def _lose(self, count: int) -> None:
        with self._lock:
            self.lost += count

    def _write(self, ending: threading.Event) -> None:
        """Write until told to end: whatever waits, together."""
        engine = self._warehouse.engine(API).execution_options(isolation_level="AUTOCOMMIT")
        while (first := self._waiting.get()) is not None:
            ending.wait(_GATHERING_SECONDS)
            rows: list[Call] = [first]
            following: Call | None = first
            while following is not None and not self._waiting.empty():
                following = self._waiting.get()
                if following is not None:
                    rows.append(following)
            # Without its log the platform answers all the same; a row of it is not worth an error.
            try:
                with engine.connect() as connection:
                    connection.execute(_INSERT, {"calls": orjson.dumps(rows).decode()})
            except sa.exc.SQLAlchemyError:
                self._lose(len(rows))
            if following is None:
                return


def _storable(name: str) -> str:
    """A name as PostgreSQL's text can hold it."""
    return name[:_LONGEST_NAME].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
