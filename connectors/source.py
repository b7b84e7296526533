"""What every kind of source has in common: a name, a schedule, tables with keys, and a door of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from connectors.cron import is_schedule


@dataclass(frozen=True)
class Surroundings:
    """What a configuration may depend on besides its own text.

    Attributes:
        name: The source's name.
        folder: Where its `sources.yaml` stands; relative paths start there.
        home: The platform's home folder.
    """

    name: str
    folder: Path
    home: Path


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


class TableConfig(BaseModel):
    """A table of a source: what tells its rows apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[Texts | None, Field(description="a column name or a list of them")] = None


class SourceConfig(BaseModel):
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
    tables: Mapping[str, TableConfig]

    @property
    def schema_name(self) -> str:
        """The PostgreSQL schema it lands in."""
        return f"raw_{self.name}"

    def prepare(self) -> None:
        """Make ready whatever has to be there before the tables are read; most kinds need nothing."""
