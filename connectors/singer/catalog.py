"""A tap's catalog: its streams, what is known of them, and which of them and of their columns are selected."""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.names import column_name
from warehouse.errors import DataInsightError

FULL_TABLE = "FULL_TABLE"
INCREMENTAL = "INCREMENTAL"


@dataclass(frozen=True)
class Stream:
    """A stream of a catalog.

    Attributes:
        entry: What the catalog says of it.
    """

    entry: Mapping[str, Any]

    @property
    def id(self) -> str:
        """What tells it apart in the catalog."""
        return str(self.entry.get("tap_stream_id") or self.entry.get("stream"))

    @property
    def name(self) -> str:
        """What its messages most likely call it."""
        return str(self.entry.get("stream") or self.id)

    @property
    def names(self) -> set[str]:
        """Whatever its messages and bookmarks may call it: taps of databases put the schema before the table."""
        schema = self.facts.get("schema-name")
        return {self.id, self.name, str(self.entry.get("stream_alias") or self.name)} | (
            {f"{schema}-{self.name}"} if schema else set()
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """Its metadata."""
        return self.metadata.get((), {})

    @property
    def metadata(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """Metadata of the stream and its columns, by breadcrumb."""
        return {
            tuple(item.get("breadcrumb") or ()): dict(item.get("metadata") or {})
            for item in self.entry.get("metadata") or ()
            if isinstance(item, Mapping)
        }

    @property
    def schema(self) -> Mapping[str, Any]:
        """Its JSON schema."""
        found = self.entry.get("schema")
        return found if isinstance(found, Mapping) else {}

    @property
    def key(self) -> list[str]:
        """What tells its rows apart, as the stream names it."""
        facts = self.facts
        found = (
            facts.get("table-key-properties")
            or facts.get("view-key-properties")
            or self.entry.get("key_properties")
            or ()
        )
        return [str(name) for name in found]

    @property
    def cursor(self) -> str | None:
        """What tells its new rows: the replication key, else the only one that it would take."""
        facts = self.facts
        if found := facts.get("replication-key") or self.entry.get("replication_key"):
            return str(found)
        valid = facts.get("valid-replication-keys") or ()
        return str(valid[0]) if len(valid) == 1 and isinstance(valid, list) else None

    @property
    def method(self) -> str | None:
        """How the tap replicates it; None when the catalog leaves that open."""
        facts = self.facts
        found = (
            facts.get("forced-replication-method")
            or facts.get("replication-method")
            or self.entry.get("replication_method")
        )
        # Some taps write the forced method as an object with a reason.
        return str(found.get("replication-method") if isinstance(found, Mapping) else found) if found else None

    @property
    def of_database(self) -> bool:
        """Whether the tap reads a database, which has to be told how to replicate each table."""
        return "database-name" in self.facts or "schema-name" in self.facts

    @property
    def row_count(self) -> int | None:
        """How many rows it has, as far as the catalog knows."""
        found = self.facts.get("row-count")
        return found if isinstance(found, int) and found > 0 else None


def read_catalog(output: bytes, tap: str) -> list[Stream]:
    """The streams in what a tap's discovery wrote.

    Raises:
        DataInsightError: It is no catalog.
    """
    try:
        # Libraries print a line now and then before the catalog.
        streams = json.loads(output[max(output.find(b"{"), 0) :])["streams"]
        return [Stream(dict(entry)) for entry in streams]
    except (ValueError, KeyError, TypeError):
        start = output[:120].decode(errors="replace").strip().splitlines()
        raise DataInsightError(
            f"{tap} --discover wrote no catalog, but {start[0] if start else 'nothing'}",
            hint="for a tap that has no discovery, say discovery: false",
        ) from None


def find_stream(streams: Iterable[Stream], wanted: str) -> Stream:
    """The stream of that name; also told by the name that its table would have.

    Raises:
        DataInsightError: There is none, or more than one.
    """
    streams = list(streams)
    for told in (
        [stream for stream in streams if stream.id == wanted],
        [stream for stream in streams if wanted in stream.names],
        [stream for stream in streams if wanted in map(column_name, stream.names)],
    ):
        if len(told) == 1:
            return told[0]
        if told:
            raise DataInsightError(
                f"more than one stream is named {wanted!r}: {', '.join(stream.id for stream in told)}",
                hint="say the whole name under stream",
            )
    raise DataInsightError(
        f"there is no stream {wanted!r}; the tap has {', '.join(sorted(stream.id for stream in streams)) or 'none'}",
        hint="say under stream what the tap calls it; sources discover shows all",
    )


@dataclass(frozen=True)
class Choice:
    """A stream that is to be extracted, and how.

    Attributes:
        method: FULL_TABLE, INCREMENTAL or None: as the tap likes.
        cursor: The replication key; None: the tap's own.
        select: The columns wanted; all by default.
        key: What tells rows apart, if it is not the stream's own.
    """

    stream: Stream
    method: str | None = None
    cursor: str | None = None
    select: Sequence[str] | None = None
    key: Sequence[str] = ()

    @property
    def is_full(self) -> bool:
        """Whether the tap gives the whole table each time."""
        return (self.method or self.stream.method) == FULL_TABLE


def selected(streams: Iterable[Stream], choices: Sequence[Choice]) -> dict[str, Any]:
    """The catalog with the chosen streams selected and all others not."""
    by_id = {choice.stream.id: choice for choice in choices}
    return {"streams": [_entry(stream, by_id.get(stream.id)) for stream in streams]}


def _entry(stream: Stream, choice: Choice | None) -> dict[str, Any]:
    entry: dict[str, Any] = copy.deepcopy(dict(stream.entry))
    metadata = stream.metadata
    facts = metadata.setdefault((), {})
    facts["selected"] = choice is not None
    entry["selected"] = choice is not None
    if isinstance(entry.get("schema"), dict):
        entry["schema"]["selected"] = choice is not None
    if choice is not None:
        if choice.method:
            facts["replication-method"] = entry["replication_method"] = choice.method
        if choice.cursor and choice.method != FULL_TABLE:
            facts["replication-key"] = entry["replication_key"] = choice.cursor
        _select_columns(stream, choice, metadata)
    entry["metadata"] = [{"breadcrumb": list(place), "metadata": said} for place, said in metadata.items()]
    return entry


def _select_columns(stream: Stream, choice: Choice, metadata: dict[tuple[str, ...], dict[str, Any]]) -> None:
    needed = {*stream.key, *choice.key, choice.cursor or stream.cursor}
    properties = stream.schema.get("properties")
    names = list(properties) if isinstance(properties, Mapping) else []
    if choice.select is not None and (unknown := [name for name in choice.select if name not in names]):
        raise DataInsightError(
            f"the stream {stream.id} has no {', '.join(unknown)}; it has {', '.join(names)[:300]}",
            hint="select names columns as the stream has them",
        )
    for name in names:
        said = metadata.setdefault(("properties", name), {"inclusion": "available"})
        if choice.select is None:
            wanted = said.get("selected", said.get("selected-by-default", True))
        else:
            wanted = name in choice.select or name in needed
        said["selected"] = bool(wanted) and said.get("inclusion") != "unsupported"
