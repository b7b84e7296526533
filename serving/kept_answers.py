"""Answers that were computed before: in this process up to so many bytes, and by `shared_answers` in others."""

import hashlib
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from serving.json_values import columns_and_rows
from serving.query import MetricQuery
from serving.snapshots import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from serving.shared_answers import SharedAnswers

# More are sent as JSON page by page, and nobody has all of them as one text.
MOST_ROWS_AS_JSON = 100_000

# What an answer takes besides its table: the same as JSON, which is about as large, and the objects around both (a
# process that drops 1,800 small answers is smaller by 22 KB for each).
_WITH_JSON = 3
_OVERHEAD_BYTES = 16_000
# Of a larger one the room for more is a small part.
_SMALL_BYTES = 2**20


@dataclass(frozen=True)
class AnswerKey:
    """What makes two answers the same.

    Attributes:
        snapshot: Which rows there are.
        policy: Which of them who may see.
        organization: Whose they are; None: everybody's.
    """

    snapshot: Snapshot = field(repr=False, compare=False)
    snapshot_id: int
    policy: str
    organization: str | None
    query: MetricQuery = field(repr=False, compare=False)
    # Its text, since as values True and 1 are equal, and as questions they are not.
    question: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "question", repr(self.query))

    @cached_property
    def digest(self) -> str:
        """The key as a name; two installations that share a Redis have different ones."""
        published = self.snapshot.published_at.isoformat()
        which = (self.snapshot_id, published, self.snapshot.fingerprint, self.snapshot.definition_version)
        parts = repr((which, self.policy, self.organization, self.question))
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class KeptAnswer:
    """The rows of an answer, and the marts that they stand on.

    Attributes:
        totals: One row with what the metrics come to in all; None when that was not asked for.
    """

    table: "pa.Table"
    marts: frozenset[str]
    totals: "pa.Table | None" = None

    @cached_property
    def json(self) -> bytes:
        """Columns, rows and totals as JSON."""
        return orjson.dumps({**columns_and_rows(self.table), **self.totals_by_name})

    @property
    def totals_by_name(self) -> dict[str, Any]:
        """`{"totals": {metric: value}}` as JSON values; nothing when they were not asked for."""
        if self.totals is None:
            return {}
        (row,) = columns_and_rows(self.totals)["rows"]
        return {"totals": dict(zip(self.totals.column_names, row, strict=True))}

    def compact(self) -> "KeptAnswer":
        """The same in memory of its own: DuckDB's holds room for many more rows than a small answer has."""
        import pyarrow as pa

        def copied(table: "pa.Table") -> "pa.Table":
            return table if table.nbytes > _SMALL_BYTES else pa.ipc.open_stream(stream_of(table)).read_all()

        return KeptAnswer(copied(self.table), self.marts, None if self.totals is None else copied(self.totals))

    def page(self, start: int, size: int) -> "KeptAnswer":
        """Some of its rows."""
        return KeptAnswer(self.table.slice(start, size), self.marts, self.totals)

    @property
    def bytes(self) -> int:
        """About what it takes in memory."""
        times = _WITH_JSON if self.table.num_rows <= MOST_ROWS_AS_JSON else 1
        totals = 0 if self.totals is None else self.totals.nbytes
        return int(self.table.nbytes + totals) * times + _OVERHEAD_BYTES


class KeptAnswers:
    """The answers of this process.

    Args:
        most_bytes: What they may take together.
        shared: Those of other processes.
    """

    def __init__(self, most_bytes: int, shared: "SharedAnswers | None" = None) -> None:
        self._most_bytes = most_bytes
        self._shared = shared
        self._lock = threading.Lock()
        self._kept: OrderedDict[AnswerKey, KeptAnswer] = OrderedDict()
        self._bytes = 0
        self._asked: Counter[AnswerKey] = Counter()
        self._withdrawn_up_to = 0

    @property
    def bytes(self) -> int:
        """What they take together."""
        return self._bytes

    def most_used(self, count: int) -> list[AnswerKey]:
        """What was asked for most often of late; it is counted anew from here."""
        with self._lock:
            found = [key for key, _ in self._asked.most_common(count)]
            self._asked.clear()
            return found

    @property
    def unreachable_since(self) -> datetime | None:
        """Since when the answers of other processes cannot be had; None: they can, or there are none."""
        return None if self._shared is None else self._shared.unreachable_since

    def near(self, key: AnswerKey) -> KeptAnswer | None:
        """The answer, if this process has it."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                self._asked[key] += 1
            return found

    def far(self, key: AnswerKey) -> KeptAnswer | None:
        """The answer, if another process had it; that takes a moment."""
        found = self._shared.get(key) if self._shared is not None else None
        if found is not None:
            self._keep(key, found)
        return found

    def put(self, key: AnswerKey, answer: KeptAnswer) -> None:
        """Keep an answer; the ones that were not asked for the longest make room."""
        self._keep(key, answer)
        if self._shared is not None and key.snapshot_id > self._withdrawn_up_to:
            self._shared.put(key, answer)

    def forget_up_to(self, snapshot_id: int) -> None:
        """Keep nothing of these snapshots any more: they were withdrawn, and no answer of theirs may be given again."""
        with self._lock:
            self._withdrawn_up_to = max(self._withdrawn_up_to, snapshot_id)
            for key in [one for one in self._kept if one.snapshot_id <= self._withdrawn_up_to]:
                self._bytes -= self._kept.pop(key).bytes
                del self._asked[key]

    def _keep(self, key: AnswerKey, answer: KeptAnswer) -> None:
        # One that would push out all others is not worth it.
        if answer.bytes > self._most_bytes // 4:
            return
        with self._lock:
            # One that was being computed when its snapshot was withdrawn comes late.
            if key in self._kept or key.snapshot_id <= self._withdrawn_up_to:
                return
            self._kept[key] = answer
            self._bytes += answer.bytes
            while self._bytes > self._most_bytes:
                forgotten, old = self._kept.popitem(last=False)
                self._bytes -= old.bytes
                del self._asked[forgotten]


def stream_of(table: "pa.Table") -> bytes:
    """A table as an Arrow stream, in one piece of memory."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())
