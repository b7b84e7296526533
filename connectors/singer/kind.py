"""The kind `singer`: what is configured of a tap and its streams."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from connectors.extraction.request import DiscoveredTable, Request, TableCheck
from connectors.extraction.window import parse_lag
from connectors.secret_config import hidden
from connectors.source import SourceConfig, Surroundings, TableConfig, Texts

if TYPE_CHECKING:
    from connectors.extraction.spool import Spool

_TAP = re.compile(r"[^\s-]\S*")


def _tap(value: str) -> str:
    if not _TAP.fullmatch(value):
        raise PydanticCustomError("tap", "must be the name of a tap's executable, or a path to it")
    return value


def _packages(value: tuple[str, ...]) -> tuple[str, ...]:
    if any(item.lstrip().startswith("-") for item in value):
        raise PydanticCustomError("package", "must be what pip is to install, not an option of pip")
    return value


def _span(value: Any) -> Any:
    try:
        parse_lag(value)
    except ValueError:
        raise PydanticCustomError("span", "must be a number, or a span of time such as 2 days") from None
    return None if value is None else str(value)


Span = Annotated[str | None, BeforeValidator(_span)]


class StreamTable(TableConfig):
    """A table that is a stream of the tap."""

    stream: Annotated[str | None, Field(description="what the tap calls the stream")] = None
    replication: Annotated[
        Literal["full_table", "incremental"] | None, Field(description="full_table or incremental")
    ] = None
    cursor: Annotated[str | None, Field(description="the column that tells new and changed rows")] = None
    lag: Annotated[Span, Field(description="a number, or a span of time such as 2 days")] = None
    select: Annotated[Texts | None, Field(description="a column or a list of columns, as the stream has them")] = None


class SingerSource(SourceConfig):
    """A source whose tables are streams of a Singer tap."""

    tap: Annotated[
        Annotated[str, AfterValidator(_tap)],
        Field(description="the name of the tap's executable, such as tap-github, or a path to one"),
    ]
    package: Annotated[
        Annotated[Texts, AfterValidator(_packages)] | None,
        Field(description="what pip is to install, or a list of it"),
    ] = None
    config: Annotated[
        Annotated[Mapping[str, Any], AfterValidator(hidden)],
        Field(description="a mapping: what the tap's config file says", repr=False),
    ] = {}
    discovery: Annotated[bool, Field(description="false for a tap that has no --discover")] = True
    patience: Annotated[
        Annotated[str, BeforeValidator(_span)],
        Field(description="how long the tap may write nothing: seconds, or a span of time such as 30 minutes"),
    ] = "30 minutes"
    tables: Annotated[Mapping[str, StreamTable], Field(description="a mapping of tables to their settings")] = {}
    _folder: Path = PrivateAttr()
    _home: Path = PrivateAttr()

    @model_validator(mode="after")
    def _in_its_surroundings(self, info: ValidationInfo) -> "SingerSource":
        known = info.context if isinstance(info.context, Surroundings) else None
        if not self.tables and not (known and known.draft):
            raise PydanticCustomError("singer_tables", "names no table: it needs tables")
        self._folder = known.folder if known else Path.cwd()
        self._home = known.home if known else Path.cwd()
        return self

    @property
    def folder(self) -> Path:
        """Where the tap runs, so that paths in its config are relative to the file that configures it."""
        return self._folder

    @property
    def home(self) -> Path:
        """The platform's home folder."""
        return self._home

    def check(self) -> list[TableCheck]:
        """Whether the tap starts, finds its streams, and they are the tables'.

        Raises:
            DataInsightError: The tap cannot be installed, or fails.
        """
        from connectors.singer.looking import check

        return check(self)

    def discover(self) -> list[DiscoveredTable]:
        """The streams of the tap's catalog.

        Raises:
            DataInsightError: The tap cannot be installed, or fails.
        """
        from connectors.singer.looking import discover

        return discover(self)

    def extract(self, request: Request, spool: "Spool") -> None:
        """Run the tap, as often as its tables' states ask for; see `SourceConfig`."""
        from connectors.singer.extracting import extract

        extract(self, request, spool)
