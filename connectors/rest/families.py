"""How far the children of each parent were read: every parent has a cursor of its own.

With one for all of them, a parent that appears later would never be asked for what it had before, and one that was
read early in a long run not for what came to it before the run ended.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.extraction.cursor_values import lowered
from connectors.extraction.digests import digest_of, packed, unpacked
from connectors.extraction.records import json_text
from connectors.names import column_name
from connectors.rest import cursors
from connectors.rest.endpoint_settings import Incremental

MOST_REMEMBERED = 100_000
_MANY_ROWS = 50_000


@dataclass
class _Family:
    """How far one parent's children were read.

    Attributes:
        high: The highest cursor; None: there was no row with one.
        seen: Counted digests of the rows that the next run is given again.
    """

    high: Any = None
    seen: Counter[bytes] = field(default_factory=Counter)


@dataclass
class _Reading:
    """The parent whose children are being read."""

    name: str
    known: _Family
    start: Any
    high: Any
    left: Counter[bytes]
    near: list[tuple[Any, bytes]] = field(default_factory=list)
    prune_at: int = _MANY_ROWS


class Families:
    """Which children are new, parent by parent.

    Args:
        state: What the last run left.
        bounds: The definition's.
        cursor: The column that tells new rows.
        lag: How late rows may come.
    """

    def __init__(self, state: Mapping[str, Any] | None, bounds: Incremental, cursor: str, lag: Any) -> None:
        self._cursor, self._format, self._lag = column_name(cursor), bounds.row_format, lag
        self._named: str | None = None
        self._without: list[str] = []
        said = state.get("families", {}) if state and state.get("column") == self._column else {}
        self._known = {name: _Family(self._value(high), unpacked(seen)) for name, (high, seen) in said.items()}
        self._now: dict[str, _Family] = {}
        self._reading: _Reading | None = None
        self.forgotten = 0

    @property
    def are_new(self) -> bool:
        """Whether every parent is asked for all of its children."""
        return not self._known

    def begin(self, key: Sequence[Any]) -> Any:
        """Go to a parent's children.

        Args:
            key: What tells the parent from others.

        Returns:
            The cursor to ask from, itself included; None: this parent was not read yet.
        """
        name = packed({digest_of(repr(list(key))): 1})
        known = self._now.get(name) or self._known.get(name) or _Family()
        self._reading = _Reading(name, known, self._low(known.high), known.high, known.seen.copy())
        return self._reading.start

    def is_fresh(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of the present parent has not landed before, byte for byte the same.

        Raises:
            DataInsightError: Its cursor cannot be read.
        """
        now = self._reading
        assert now is not None  # noqa: S101 - rows come between `begin` and `end`.
        value = self._cursor_of(row)
        if value is not None and now.start is not None and value < now.start:
            return False
        digest = _digest(row)
        now.near.append((value, digest))
        if value is not None and (now.high is None or value > now.high):
            now.high = value
        if len(now.near) >= now.prune_at:
            now.near = self._near(now)
            now.prune_at = max(_MANY_ROWS, 2 * len(now.near))
        if not now.left[digest]:
            return True
        now.left[digest] -= 1
        return False

    def end(self, *, whole: bool) -> None:
        """Leave the present parent.

        Args:
            whole: Whether all its children were given; when not, the next run asks again from where this one did.
        """
        now = self._reading
        assert now is not None  # noqa: S101 - see above.
        if not whole:
            found = now.known
        else:
            given = Counter(digest for _, digest in self._near(now))
            found = _Family(now.high, Counter({name: max(n, now.known.seen[name]) for name, n in given.items()}))
        if found.high is not None or found.seen:
            self._now[now.name] = found
        self._reading = None

    def state(self, *, all_listed: bool) -> dict[str, Any] | None:
        """What to hand to the next run.

        Above `MOST_REMEMBERED` parents, those with the oldest rows are forgotten: they are asked for everything again.

        Args:
            all_listed: Whether all parents there are were read; one that was not is gone, and forgotten.

        Raises:
            DataInsightError: No row had a cursor.
        """
        if self._without and self._named is None:
            raise cursors.no_cursor(self._cursor, self._without)
        families = self._now if all_listed else {**self._known, **self._now}
        if not families:
            return None
        self.forgotten = max(0, len(families) - MOST_REMEMBERED)
        if self.forgotten:
            by_age = sorted(families, key=lambda name: (families[name].high is not None, families[name].high))
            families = {name: families[name] for name in by_age[self.forgotten :]}
        said = {name: [_said(family.high), packed(family.seen)] for name, family in families.items()}
        return {"column": self._column, "families": said}

    @property
    def _column(self) -> str:
        """The cursor and how it is written: what was read by another one tells nothing."""
        return f"{self._cursor} {self._format}"

    def _value(self, said: str | None) -> Any:
        kinds: dict[str, Any] = {"text": str, "number": Decimal}
        return None if said is None else kinds.get(self._format, datetime.fromisoformat)(said)

    def _low(self, high: Any) -> Any:
        return None if high is None else lowered(high, self._lag, self._cursor)

    def _near(self, now: _Reading) -> list[tuple[Any, bytes]]:
        low = self._low(now.high)
        return [(value, digest) for value, digest in now.near if value is None or low is None or value >= low]

    def _cursor_of(self, row: Mapping[str, Any]) -> Any:
        if self._named is None:
            self._named = next((name for name in row if column_name(name) == self._cursor), None)
        if self._named is None:
            self._without = list(row)
            return None
        text = json_text(row.get(self._named))
        return None if text is None else cursors.read(self._cursor, text, self._format)


def _digest(row: Mapping[str, Any]) -> bytes:
    texts = [(name, json_text(value)) for name, value in sorted(row.items())]
    return digest_of(repr([(name, text) for name, text in texts if text is not None]))


def _said(value: Any) -> str | None:
    return None if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
