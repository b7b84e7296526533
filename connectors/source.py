"""What every kind of source has in common: a name, a schedule, tables with keys, and a door of its own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from connectors.cron import is_schedule
from connectors.extraction.request import DiscoveredTable, Request, TableCheck
from connectors.extraction.spool import Spool
from connectors.extraction.window import parse_lag
from warehouse.reach import Reach


@dataclass(frozen=True)
class Surroundings:
    """What a configuration may depend on besides its own text.

    Attributes:
        name: The source's name.
        folder: Where its `sources.yaml` stands; relative paths start there.
        home: The platform's home folder.
        draft: Whether the source is only to be looked at: its tables need not be chosen yet.
        variables: Values that are nothing but what the environment says.
    """

    name: str
    folder: Path
    home: Path
    draft: bool = False
    variables: frozenset[str] = frozenset()


def one_or_more(value: Any) -> Any:
    """A single text as a list of one; anything else as it is."""
    return [value] if isinstance(value, str) else value


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not all(item.strip() for item in value):
        raise PydanticCustomError("empty", "must not be empty")
    return value


def _cron(value: str) -> str:
    if not is_schedule(value):
        raise PydanticCustomError("cron", "is no schedule")
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(one_or_more), AfterValidator(_some)]


def _retention(value: Any) -> Any:
    try:
        span = parse_lag(value)
    except ValueError:
        span = None
    if value is not None and not isinstance(span, timedelta):
        raise PydanticCustomError("retention", "is no span of time")
    return span


Retention = Annotated[
    Annotated[timedelta | None, BeforeValidator(_retention)],
    Field(description='a span of time such as "30 days" or "8 weeks"'),
]


class TableConfig(BaseModel):
    """A table of a source: what tells its rows apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[Texts | None, Field(description="a column name or a list of them")] = None
    retention: Retention = None


class SourceConfig(BaseModel, ABC):
    """A source as it is configured; each kind adds its own keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    schedule: Annotated[
        Annotated[str, AfterValidator(_cron)] | None,
        Field(
            description="a cron line of minute (0-59), hour (0-23), day (1-31), month (1-12, jan-dec) and weekday"
            ' (0-7, sun-sat), such as "*/15 * * * *"'
        ),
    ] = None
    retention: Retention = None
    tables: Mapping[str, TableConfig]
    _organization: str | None = PrivateAttr(default=None)
    _reach: Reach | None = PrivateAttr(default=None)

    def bind(self, organization: str, reach: Reach) -> None:
        """Make it the source of an organization, which reads from nowhere that it may not reach."""
        self._organization, self._reach = organization, reach

    @property
    def organization(self) -> str | None:
        """Whose source it is; None: the platform's own, of `sources.yaml`."""
        return self._organization

    @property
    def reach(self) -> Reach | None:
        """Where it may be read from; None: from anywhere, as whoever writes `sources.yaml` is trusted."""
        return self._reach

    @property
    def schema_name(self) -> str:
        """The PostgreSQL schema it lands in."""
        return f"raw_{self.name}"

    def retention_of(self, table: str) -> timedelta | None:
        """How long a row that was replaced stays in raw; None: for ever."""
        config = self.tables.get(table)
        return config.retention if config and config.retention is not None else self.retention

    @property
    def open_ended(self) -> bool:
        """Whether more tables than those of `tables` may land, because they are only found when it is read."""
        return False

    @property
    def names_tables(self) -> bool:
        """Whether its tables are for whoever configures it to name."""
        return True

    def prepare(self) -> None:
        """Make ready whatever has to be there before the tables are read; most kinds need nothing."""

    @abstractmethod
    def check(self) -> list[TableCheck]:
        """Whether each table can be read.

        Raises:
            DataInsightError: The source cannot be reached at all.
        """

    @abstractmethod
    def discover(self) -> list[DiscoveredTable]:
        """Every table in reach, with what is proposed for it.

        Raises:
            DataInsightError: The source cannot be reached at all.
        """

    @abstractmethod
    def extract(self, request: Request, spool: Spool) -> None:
        """Put into `spool` what has not landed before.

        Raises:
            DataInsightError: Something failed; nothing of this extraction counts.
        """
