"""The records of one stream on their way into portions: batched, checked against the SCHEMA, told apart by version."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.extraction.request import RefusedError
from connectors.extraction.window import Lag, Window
from connectors.singer.columns import Column, columns_of, fitting

if TYPE_CHECKING:
    import pyarrow as pa

    from connectors.extraction.spool import Portion, Spool

_BATCH_ROWS = 10_000
_BATCH_BYTES = 8 << 20
MOST_UNFIT = 100_000
_TEXT_CHARACTERS = 100_000
_ALL_CHARACTERS = 32 << 20
_SHORT_CHARACTERS = 1_000


@dataclass(frozen=True)
class Wanted:
    """What is known of a table before its stream is read.

    Attributes:
        table: Its name.
        key: What tells rows apart; empty: what the SCHEMA says.
        cursor: What tells new rows; None: what the SCHEMA says.
        select: The columns wanted; None: all.
        state: What the table's newest batch that counts has left.
        complete: Whether the tap is asked for everything.
        origin: Where the rows come from.
    """

    table: str
    key: Sequence[str] = ()
    cursor: str | None = None
    lag: Lag = None
    select: Sequence[str] | None = None
    state: Mapping[str, Any] | None = None
    complete: bool = False
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Part:
    """The records of one version of the stream."""

    version: int | None
    portion: "Portion"
    scope: ExitStack
    waiting: list[Mapping[str, Any]] = field(default_factory=list)
    waiting_bytes: int = 0
    unfit: int = 0
    refused: RefusedError | None = None


class StreamRows:
    """Takes the messages of one stream; memory is bounded by a batch.

    Args:
        wanted: The table it becomes.
        spool: Where its portions are made.
        scope: Closes the portions, however the run ends.
        say: Told what is odd.
    """

    def __init__(self, wanted: Wanted, spool: "Spool", scope: ExitStack, say: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._spool = spool
        self._scope = scope
        self._say = say
        self._columns: dict[str, Column] = {}
        self._key: list[str] = list(wanted.key)
        self._cursor = wanted.cursor
        self._parts: list[_Part] = []
        self._activated: int | None = None
        self._undeclared: list[str] = []
        self._records = 0
        self._characters = 0
        self._window: Window | None = None
        self.declared = False

    @property
    def exact(self) -> bool:
        """Whether its records have to be read digit by digit."""
        return any(column.exact for column in self._columns.values())

    def declare(self, message: Mapping[str, Any]) -> None:
        """A SCHEMA; a later one may bring more columns."""
        self._flush_all()
        self._key = self._key or [str(name) for name in message.get("key_properties") or ()]
        bookmarks = message.get("bookmark_properties") or ()
        if self._cursor is None and isinstance(bookmarks, list) and len(bookmarks) == 1:
            self._cursor = str(bookmarks[0])
        found = columns_of(message["schema"])
        self._columns = {name: column for name, column in found.items() if self._is_wanted(name)}
        self._columns |= {name: Column(name, "undeclared", "text") for name in self._undeclared if name not in found}
        if not self.declared and self._cursor in found:
            earlier = None if self._wanted.complete else (self._wanted.state or {}).get("window")
            self._window = Window(earlier, self._cursor, self._wanted.lag)
        self.declared = True

    def add(self, message: Mapping[str, Any], size_bytes: int) -> None:
        """A RECORD."""
        record: Mapping[str, Any] = message["record"]
        self._records += 1
        if not record.keys() <= self._columns.keys():
            self._take_in(record)
        part = self._part(message.get("version"))
        part.waiting.append(record)
        part.waiting_bytes += size_bytes
        if len(part.waiting) >= _BATCH_ROWS or part.waiting_bytes >= _BATCH_BYTES:
            self._flush(part)

    def activate(self, version: int) -> None:
        """An ACTIVATE_VERSION: from now on, only rows of this version are there."""
        self._activated = version
        for part in [part for part in self._parts if part.version != version]:
            part.scope.close()
            self._parts.remove(part)
            self._spool.portions.remove(part.portion)

    def finish(self, state: Mapping[str, Any], origin: Mapping[str, Any]) -> None:
        """The tap has ended well.

        Args:
            state: What of the tap's STATE is this table's.
            origin: What is only known now of where the rows come from.
        """
        if not self.declared:
            return
        if not self._parts:
            self._part(self._activated)
        for part in self._parts:
            with part.scope:
                self._flush(part)
                self._seal(part, state, origin)

    def _seal(self, part: _Part, state: Mapping[str, Any], origin: Mapping[str, Any]) -> None:
        if part.refused:
            raise part.refused
        portion = part.portion
        if part.unfit > portion.rows and part.unfit:
            raise RefusedError(
                f"{part.unfit:,} of {part.unfit + portion.rows:,} records do not fit the stream's own SCHEMA;"
                f" the first: {portion.unreadable[0][0]['reason']}"
            )
        if not portion.rows:
            # The columns are known all the same, and a table can be made of them.
            portion.write(fitting(list(self._columns.values()), [])[0])
        portion.complete = self._wanted.complete or self._starts_anew(part)
        portion.origin |= dict(origin)
        if self._undeclared:
            portion.origin["undeclared"] = self._undeclared
        kept = dict(state)
        version = self._activated if self._activated is not None else part.version
        if version is not None:
            kept["version"] = version
        if self._window and (window := self._window.state(portion.read())):
            kept["window"] = window
        portion.state = kept or None

    def _starts_anew(self, part: _Part) -> bool:
        """Whether the activated version is not the one that earlier batches brought, so that their rows are gone."""
        return self._activated is not None and self._activated == part.version and self._is_new(part.version)

    def _is_new(self, version: int | None) -> bool:
        return version is not None and version != (self._wanted.state or {}).get("version")

    def _is_wanted(self, name: str) -> bool:
        select = self._wanted.select
        return select is None or name in select or name in self._key or name == self._cursor

    def _take_in(self, record: Mapping[str, Any]) -> None:
        """Make columns of text of what the SCHEMA does not declare, rather than lose it."""
        for name in record.keys() - self._columns.keys():
            if self._is_wanted(name):
                self._columns[name] = Column(name, "undeclared", "text")
                self._undeclared.append(name)
                self._say(f"{self._wanted.table}: its SCHEMA does not declare {name}, which lands as text")

    def _part(self, version: int | None) -> _Part:
        if self._parts and self._parts[-1].version == version:
            return self._parts[-1]
        for part in self._parts:
            if part.version == version:
                return part
        portion = self._spool.portion(
            self._wanted.table,
            key=self._key,
            origin=self._wanted.origin,
            complete=self._wanted.complete,
            changelog=True,
        )
        scope = ExitStack()
        scope.enter_context(portion)
        self._scope.push(scope.__exit__)
        self._parts.append(_Part(version, portion, scope))
        return self._parts[-1]

    def _flush_all(self) -> None:
        for part in self._parts:
            self._flush(part)

    def _flush(self, part: _Part) -> None:
        waiting, part.waiting, part.waiting_bytes = part.waiting, [], 0
        if not waiting or part.refused:
            return
        batch, unfit = fitting(list(self._columns.values()), waiting)
        for place, reason in unfit.items():
            part.portion.set_aside(self._unfit(waiting[place], self._records - len(waiting) + place + 1, reason))
        part.unfit += len(unfit)
        if part.unfit > MOST_UNFIT:
            part.refused = RefusedError(f"more than {MOST_UNFIT:,} records do not fit the stream's own SCHEMA")
            return
        try:
            part.portion.write(self._fresh(batch, part.version))
        except RefusedError as error:
            part.refused = error

    def _fresh(self, batch: "pa.RecordBatch", version: int | None) -> "pa.RecordBatch":
        """Without the rows that the last run has landed already, which most taps give again."""
        return batch if self._window is None or self._is_new(version) else self._window.fresh(batch)

    def _unfit(self, record: Mapping[str, Any], number: int, reason: str) -> dict[str, Any]:
        longest = _TEXT_CHARACTERS if self._characters < _ALL_CHARACTERS else _SHORT_CHARACTERS
        text = json.dumps(record, default=str)
        self._characters += min(len(text), longest)
        return {
            "stream": str(self._wanted.origin.get("stream")),
            "record": number,
            "text": text[:longest],
            "reason": reason if len(text) <= longest else f"{reason}; the text is cut",
        }
