"""The kind `platform`: the events that applications report to the HTTP API, read from the warehouse itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from connectors.secrets import redacting
from connectors.source import SourceConfig
from warehouse.database import LOADER, Warehouse

if TYPE_CHECKING:
    from connectors.database.kind import DatabaseSource
    from connectors.extraction.request import DiscoveredTable, Request, TableCheck
    from connectors.extraction.spool import Spool

NAME = "platform"
EVENTS = "events"
_KEY = ["organization_id", "event_id"]
_CURSOR = "received_seq"
_COLUMNS = (
    "organization_id, event_id, user_id, action, occurred_at, received_at, dashboard_id, feature, object,"
    " cast(properties as text) as properties, received_seq"
)


class PlatformSource(SourceConfig):
    """The source `platform`; its table follows from what the API takes."""

    kind: Literal["platform"]

    @model_validator(mode="before")
    @classmethod
    def _own_table(cls, values: Any, info: ValidationInfo) -> Any:
        if not isinstance(values, dict) or info.context is None:
            return values
        if values.get("name") != NAME:
            raise PydanticCustomError(NAME, f"is of the kind {NAME}, which models know by that name alone; rename it")
        if "tables" in values:
            raise PydanticCustomError(NAME, f"has tables, but the kind {NAME} has its own; remove it")
        return {**values, "tables": {EVENTS: {"key": _KEY}}}

    @property
    def names_tables(self) -> bool:
        """Its one table follows from what the API takes."""
        return False

    def check(self) -> "list[TableCheck]":
        """Whether the events can be read."""
        with _opened() as warehouse, self._read_from(warehouse) as database:
            return database.check()

    def discover(self) -> "list[DiscoveredTable]":
        """The table of events, with what it has."""
        with _opened() as warehouse, self._read_from(warehouse) as database:
            found = [table for table in database.discover() if table["table_name"] in self.tables]
            for table in found:
                table["settings"] = {}  # How it is read is not the user's to say.
            return found

    def extract(self, request: "Request", spool: "Spool") -> None:
        """Read the events that were committed since the last run, and every one of them, into `spool`."""
        from connectors.platform.settled import PATIENCE_SECONDS, newest_settled

        newest = newest_settled(request.warehouse)
        if newest is None:
            request.progress.say(
                f"{EVENTS}: somebody has been writing for more than {PATIENCE_SECONDS:.0f} s; the next run takes them"
            )
            return
        # Only a copy of everything can say that what had landed is gone.
        may_be_gone = newest == 0 and EVENTS in request.states
        if newest <= _taken(request.state(EVENTS)) and not may_be_gone:
            return
        from connectors.database.extract import extract

        with self._read_from(request.warehouse, up_to=newest) as database:
            extract(database, request, spool)

    @contextmanager
    def _read_from(self, warehouse: Warehouse, *, up_to: int | None = None) -> "Iterator[DatabaseSource]":
        """The same as a source of kind `database`, which knows how to read a table by a cursor."""
        from connectors.database.kind import DatabaseSource

        limit = "" if up_to is None else f" where {_CURSOR} <= {up_to}"
        table = {"query": f"select {_COLUMNS} from app.events{limit}", "key": _KEY, "cursor": _CURSOR}
        database = DatabaseSource.model_validate(
            {"name": self.name, "kind": "database", "url": warehouse.url(LOADER), "tables": {EVENTS: table}}
        )
        with redacting(database):
            yield database


def _taken(state: Any) -> int:
    """The number of the newest event that has landed; 0 for none."""
    from connectors.extraction.cursor_values import read

    return 0 if state is None else int(read(state.get("cursor")) or 0)


@contextmanager
def _opened() -> Iterator[Warehouse]:
    """The warehouse of the settings: whoever looks at a source has not opened it."""
    from warehouse.connect import open_warehouse
    from warehouse.settings import load_settings

    with open_warehouse(load_settings()) as warehouse:
        yield warehouse
