"""What landing and a kind of source say to each other: the request, what is coming, and what is refused.

The rows themselves go through the spool.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from warehouse.database import Warehouse

_SECONDS_BETWEEN_LINES = 2.0


class RefusedError(Exception):
    """What was to be read is not the table it belongs to; nothing of it lands.

    Args:
        reason: Why, in words for the ledger.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TableCheck(TypedDict):
    """Whether a table can be read; each kind adds what it knows (`files`, `size_bytes`, `rows` …)."""

    table_name: str
    ok: bool
    problem: str | None
    files: NotRequired[int]
    size_bytes: NotRequired[int]
    rows: NotRequired[int | None]


class DiscoveredTable(TypedDict):
    """A table in reach.

    Attributes:
        key: The columns that tell its rows apart, as configured or as the source has it; empty when nothing is known.
        cursor: The column that tells new and changed rows.
        columns: Names as in raw.
        types: What the source calls the type of each column.
        configured: Whether `sources.yaml` names the table already.
        settings: What to write under `tables.<table_name>`, so that it is landed that way.
    """

    table_name: str
    key: list[str]
    cursor: str | None
    columns: list[str]
    types: dict[str, str]
    configured: bool
    settings: dict[str, Any]


@dataclass
class Progress:
    """Tells, every few seconds, how many rows were read, how fast, and how long the rest will take.

    Args:
        say: Passes one line on to the user.
    """

    say: Callable[[str], None] = lambda line: None  # noqa: ARG005
    _expected: dict[str, tuple[str, float]] = field(default_factory=dict)
    _done: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, table: str, *, rows: float | None = None, bytes: float | None = None) -> None:  # noqa: A002
        """Say how much is coming; without it there is no time left to tell."""
        amount = ("rows", rows) if rows is not None else ("bytes", bytes)
        if amount[1]:
            self._expected[table] = (amount[0], float(amount[1]))

    def add(self, table: str, rows: int, size_bytes: int = 0) -> None:
        """Count what was read."""
        with self._lock:
            now = time.monotonic()
            done = self._done.setdefault(table, [0.0, 0.0, now, now])
            done[0] += rows
            done[1] += size_bytes
            if now - done[3] < _SECONDS_BETWEEN_LINES:
                return
            done[3] = now
        self.say(self._line(table, *done))

    def _line(self, table: str, rows: float, size_bytes: float, started: float, now: float) -> str:
        seconds = max(now - started, 1e-9)
        line = f"{table}: {rows:,.0f} rows, {rows / seconds:,.0f} rows/s"
        unit, expected = self._expected.get(table, ("", 0.0))
        done = rows if unit == "rows" else size_bytes
        if expected > done > 0:
            line += f", about {_duration(seconds * (expected - done) / done)} left"
        return line


def _duration(seconds: float) -> str:
    if seconds < 90:  # noqa: PLR2004 - as people say it: 80 seconds, 2 minutes, 3 hours.
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004


@dataclass(frozen=True)
class Request:
    """What a kind is asked to extract.

    Attributes:
        warehouse: Where it will land; a kind reads what the ledger knows of it.
        home: The platform's home folder.
        scratch: A folder of this run's own; removed afterwards.
        full_refresh: Extract everything, whatever has landed before.
        progress: Where to say what is coming.
        states: By table, what its newest batch that was not refused left for the next run.
    """

    warehouse: Warehouse
    home: Path
    scratch: Path
    full_refresh: bool = False
    progress: Progress = field(default_factory=Progress)
    states: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def state(self, table: str) -> dict[str, Any] | None:
        """Where the last extraction of `table` ended; None when everything is to be extracted."""
        return None if self.full_refresh else self.states.get(table)
