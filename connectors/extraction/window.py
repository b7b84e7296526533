"""What an incremental table remembers between two runs: how far its cursor went, and which rows it saw there.

A source is asked again from the highest cursor less the lag, so that rows which come late are found; what has landed
from there already is told by a digest of each row, and does not land twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import compress
from typing import TYPE_CHECKING, Any

from connectors.extraction.arrow_types import to_landing
from connectors.extraction.cursor_values import (
    at_least,
    cursor_kind,
    highest,
    lowered,
    read,
    refuse_changed_kind,
    written,
)
from connectors.extraction.digests import packed, record_digest, row_digests, unpacked
from connectors.names import column_name
from warehouse.spans import Lag, parse_lag

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Lag", "Window", "parse_lag"]


class Window:
    """The rows at the end of an incremental table that are asked for again.

    The next run is told of the rows that this one met again or landed, as far as they are in its window: a row that
    changes and changes back lands each time, and what has left the window is forgotten.

    Args:
        state: What the last run left; None: nothing has landed yet.
        cursor: The column that tells new rows.
        lag: How far behind the highest cursor a late row may come.
    """

    def __init__(self, state: Mapping[str, Any] | None, cursor: str, lag: Lag = None) -> None:
        self.cursor = column_name(cursor)
        self.lag = lag
        known = state if state and state.get("column", self.cursor) == self.cursor else {}
        self._high: Any = read(known.get("cursor"))
        self._seen = unpacked(known.get("seen", "")) if self._high is not None else Counter()
        self._left = self._seen.copy()
        self._kind = None if self._high is None else type(self._high).__name__
        self._met: list[tuple[Any, list[bytes]]] = []
        self._aside: Counter[bytes] = Counter()

    @property
    def start(self) -> Any:
        """The cursor to ask from, itself included; None asks for everything."""
        return None if self._high is None else lowered(self._high, self.lag, self.cursor)

    def check(self, found: Any) -> None:
        """Compare the cursor's Arrow type with what it was.

        Raises:
            RefusedError: It is another one, or none that a cursor may have.
        """
        kind = cursor_kind(self.cursor, found)
        if self._kind is None:
            self._kind = kind
        else:
            refuse_changed_kind(self.cursor, self._kind, kind)

    def fresh(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        """The rows that have not landed before, byte for byte the same; of several such, as many as are new.

        Raises:
            RefusedError: The cursor has another type than before, or none that a cursor may have.
        """
        import pyarrow as pa

        values = self._values(batch)
        if not self._seen or not batch.num_rows:
            return batch
        digests = list(row_digests(batch))
        known = [self._is_known(digest) for digest in digests]
        self._met.append((values.filter(pa.array(known)), list(compress(digests, known))))
        return batch.filter(pa.array([not one for one in known]))

    def seen_before(self, payload: Mapping[str, Any]) -> bool:
        """Whether the last run has set this record aside already, so that it need not be again.

        Args:
            payload: What would be set aside; nothing in it may change from run to run.
        """
        digest = record_digest(payload)
        self._aside[digest] += 1
        return self._is_known(digest)

    def state(self, batches: Iterable["pa.RecordBatch"]) -> dict[str, Any] | None:
        """What to hand to the next run, from the rows that landed now; None while no row had a cursor.

        Args:
            batches: The spooled rows; gone through twice.

        Raises:
            RefusedError: See `fresh`.
        """
        high = self._high
        for batch in batches:
            top = highest(self._values(batch))
            high = top if high is None or (top is not None and top > high) else high
        if high is None:
            return None
        low = lowered(high, self.lag, self.cursor)
        again: set[bytes] = set()
        for values, digests in self._met:
            again.update(compress(digests, at_least(values, low).to_pylist()))
        seen = Counter({digest: self._seen[digest] for digest in again})
        for batch in batches:
            seen.update(row_digests(batch.filter(at_least(self._values(batch), low))))
        return {"column": self.cursor, "cursor": written(high), "seen": packed(seen | self._aside)}

    def _is_known(self, digest: bytes) -> bool:
        if not self._left[digest]:
            return False
        self._left[digest] -= 1
        return True

    def _values(self, batch: "pa.RecordBatch") -> Any:
        """The cursor of each row; null in all of them where there is no such column."""
        import pyarrow as pa

        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            if column_name(name) == self.cursor:
                self.check(values.type)
                return to_landing(values)
        return pa.nulls(batch.num_rows)
