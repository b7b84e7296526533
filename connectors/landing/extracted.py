"""A table as a source gave it: its portions, what raw has of it, and whether there is anything to land."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from connectors.extraction.spool import Portion
from connectors.landing.append import TableLoad
from connectors.landing.merge import merged_batches, merged_schema
from warehouse.ledger import TableHistory


@dataclass
class ExtractedTable:
    """A table with its portions.

    Attributes:
        known: The columns that raw has, with their types.
        history: What earlier batches left; None for the first.
        content_hash: Of the rows, for what is no file.
        append_seconds: How long its rows took into raw.
        deleted_count: How many keys of earlier batches a complete copy no longer has.
        had_refusals: Whether part of the table was refused, now or for a known reason: then it is not all there is.
    """

    name: str
    portions: list[Portion]
    known: dict[str, str]
    history: TableHistory | None
    content_hash: str | None = None
    append_seconds: float = 0.0
    deleted_count: int = 0
    had_refusals: bool = False

    @property
    def sound(self) -> list[Portion]:
        """The portions that were not refused."""
        return [portion for portion in self.portions if portion.refused is None]

    @property
    def refused(self) -> list[Portion]:
        """The portions that were."""
        return [portion for portion in self.portions if portion.refused is not None]

    @property
    def key(self) -> list[str]:
        """What tells its rows apart."""
        return self.portions[0].key

    @property
    def rows(self) -> int:
        """Rows that land."""
        return sum(portion.rows for portion in self.sound)

    @property
    def unreadable_count(self) -> int:
        """Lines and records that were set aside while the rest lands."""
        return sum(len(portion.unreadable) for portion in self.sound)

    @property
    def is_complete(self) -> bool:
        """Whether the portions are the whole table as it is now; a refused file is no part of it."""
        has_all = not self.had_refusals or any(portion.file for portion in self.portions)
        return has_all and all(portion.complete for portion in self.portions)

    @property
    def columns(self) -> list[str]:
        """Every column that came, those without a value included."""
        return list(dict.fromkeys(column for portion in self.sound for column in portion.columns))

    @cached_property
    def load(self) -> TableLoad:
        """What is to be appended to raw."""
        sound = self.sound
        schema = merged_schema(sound)
        return TableLoad(self.name, schema, self.rows, lambda: merged_batches(sound, schema), self.key)

    def says_something_new(self, *, full_refresh: bool) -> bool:
        """Whether the table is to be landed, or refused, at all; a file always is.

        Not so: nothing came; what came is, to the letter, what the newest batch was; or a part is refused for the very
        reason for which it was refused the last time. A complete copy that is empty all of a sudden is refused: it
        would delete everything, and is more often a failure of the source than the truth.
        """
        self.had_refusals = bool(self.refused)
        if any(portion.file for portion in self.portions):
            return True
        if self.history is not None:
            self._drop_known_refusals(self.history, full_refresh=full_refresh)
        if not any(
            portion.rows or portion.refused or portion.unreadable or portion.complete for portion in self.portions
        ):
            return False
        self.content_hash = self._hash()
        if self.history is None:
            return any(portion.refused or portion.columns for portion in self.portions)
        if full_refresh:
            return True
        if self.content_hash == self.history.content_hash:
            return False
        if self.is_complete and not (self.rows or self.unreadable_count) and self.history.had_rows:
            for portion in self.portions:
                portion.refuse(
                    "it came without a single row, which would delete all there are; if that is so: run --full-refresh"
                )
            self.had_refusals = True
            self._drop_known_refusals(self.history, full_refresh=False)
        return bool(self.portions)

    def _drop_known_refusals(self, history: TableHistory, *, full_refresh: bool) -> None:
        if not full_refresh:
            self.portions = [
                portion
                for portion in self.portions
                if portion.refused is None or refusal_version(portion) != history.refused_version
            ]

    def _hash(self) -> str:
        # Two equal rows may come one after the other: where the cursor stands tells whether they are the same ones.
        said = [
            (portion.content_hash(), portion.unreadable, None if portion.complete else portion.state)
            for portion in self.sound
        ]
        return hashlib.sha256(repr(said).encode()).hexdigest()


def refusal_version(portion: Portion) -> str:
    """Tells one reason for refusing a portion from another."""
    return hashlib.sha256(str(portion.refused).encode()).hexdigest()[:12]
