"""What `sources check` and `sources discover` tell of a tap."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.extraction.request import DiscoveredTable, TableCheck
from connectors.names import column_name
from connectors.singer.catalog import FULL_TABLE, Stream
from connectors.singer.columns import columns_of
from connectors.singer.extracting import choice_of, streams_of, tap_of
from warehouse.errors import DataInsightError
from warehouse.processes import is_alive

if TYPE_CHECKING:
    from connectors.singer.kind import SingerSource, StreamTable


def check(source: "SingerSource") -> list[TableCheck]:
    """See `SingerSource.check`."""
    streams = _streams(source)
    found: list[TableCheck] = []
    for name, table in source.tables.items():
        problem = None
        rows = None
        try:
            stream = choice_of(name, table, streams).stream
            rows = stream.row_count
            problem = _missing(stream, [*(table.key or ()), *(table.select or ())])
        except DataInsightError as error:
            problem = error.message
        found.append({"table_name": name, "ok": problem is None, "problem": problem, "rows": rows})
    return found


def discover(source: "SingerSource") -> list[DiscoveredTable]:
    """See `SingerSource.discover`."""
    streams = _streams(source)
    names = _configured(source, streams)
    taken = set(names.values())
    found = []
    for stream in streams:
        name = names.get(stream.id) or _free_name(stream, taken)
        taken.add(name)
        found.append(_table(stream, name, source.tables[name] if stream.id in names else None))
    return found


def _table(stream: Stream, name: str, configured: "StreamTable | None") -> DiscoveredTable:
    columns = columns_of(stream.schema)
    key = (configured and configured.key) or stream.key
    cursor = (configured and configured.cursor) or stream.cursor
    settings: dict[str, Any] = {} if name == stream.id else {"stream": stream.id}
    if stream.key:
        settings["key"] = stream.key[0] if len(stream.key) == 1 else stream.key
    if stream.cursor and stream.method != FULL_TABLE:
        settings["cursor"] = stream.cursor
    return {
        "table_name": name,
        "key": [column_name(column) for column in key],
        "cursor": column_name(cursor) if cursor else None,
        "columns": [column_name(column) for column in columns],
        "types": {column_name(column): found.said for column, found in columns.items()},
        "configured": configured is not None,
        "settings": settings,
    }


def _configured(source: "SingerSource", streams: list[Stream]) -> dict[str, str]:
    """The tables that are configured, by stream; one whose stream is not there is left to `check`."""
    names = {}
    for name, table in source.tables.items():
        with suppress(DataInsightError):
            names[choice_of(name, table, streams).stream.id] = name
    return names


def _free_name(stream: Stream, taken: set[str]) -> str:
    name = column_name(stream.name).strip("_")
    if name in taken or not name[:1].isalpha():
        name = f"stream_{column_name(stream.id).strip('_')}"
    return name


def _missing(stream: Stream, wanted: list[str]) -> str | None:
    properties = columns_of(stream.schema)
    known = {*properties, *map(column_name, properties)}
    missing = [name for name in wanted if name not in known]
    if not properties or not missing:
        return None
    return f"the stream {stream.id} has no {', '.join(missing)}; it has {', '.join(properties)[:300]}"


def _streams(source: "SingerSource") -> list[Stream]:
    with _scratch(source.home / "singer" / "looking") as folder:
        return streams_of(source, tap_of(source, folder, lambda line: None))  # noqa: ARG005


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for as long as the context lasts; what killed processes left there, with their secrets, goes too."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        with suppress(ValueError):
            if not is_alive(int(left.name.partition("-")[0])):
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=folder) as made:
        yield Path(made)
