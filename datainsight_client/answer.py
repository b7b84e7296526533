"""An answer of the API, typed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

_MOMENTS = ("as_of", "warehouse_unreachable_since", "cache_unreachable_since")


@dataclass(frozen=True)
class Checks:
    """How many checks stand behind an answer, by outcome."""

    passed: int
    warned: int
    failed: int


@dataclass(frozen=True)
class Trust:
    """What an answer stands on.

    Attributes:
        as_of: When the newest batch behind the answer landed.
        quarantined_rows: Rows of those batches that are set aside.
        refused_batches: Batches of the same tables that were refused.
        warehouse_unreachable_since: Since when the server cannot ask whether there is anything newer.
        cache_unreachable_since: Since when the server goes without the cache that it shares with others.
    """

    snapshot_id: int
    as_of: datetime
    freshness_seconds: int
    checks: Checks
    quarantined_rows: int
    refused_batches: int
    definition_version: str
    warehouse_unreachable_since: datetime | None = None
    cache_unreachable_since: datetime | None = None

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """The envelope as the API writes it; what a newer server says besides is left out."""
        known = {name: told[name] for name in cls.__dataclass_fields__ if told.get(name) is not None}
        moments = {name: datetime.fromisoformat(known[name]) for name in _MOMENTS if name in known}
        return cls(**{**known, **moments, "checks": Checks(**known["checks"])})


@dataclass(frozen=True)
class Answer:
    """The answer to a question.

    Attributes:
        columns: Names, in the order of each row's values.
        types: Their types: string, integer, decimal, double, boolean, date or timestamp.
        rows: Days and moments are ISO texts.
        told: The whole JSON.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[list[Any]]
    trust: Trust
    told: dict[str, Any]

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """The answer as the API writes it."""
        return cls(
            tuple(column["name"] for column in told["columns"]),
            tuple(column["type"] for column in told["columns"]),
            told["rows"],
            Trust.from_json(told["trust"]),
            told,
        )

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each row by its columns' names."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]
