"""One extraction of a source of kind `singer`: which rounds of the tap it takes, and what each table gets of them."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.extraction.request import Request
from connectors.extraction.window import parse_lag
from connectors.secret_config import revealed
from connectors.secrets import redacted, secret_texts
from connectors.singer.bookmarks import Round, of_table, rounds
from connectors.singer.catalog import FULL_TABLE, INCREMENTAL, Choice, Stream, find_stream
from connectors.singer.environment import make
from connectors.singer.reading import Tap
from connectors.singer.rows import StreamRows, Wanted
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from connectors.extraction.spool import Spool
    from connectors.singer.kind import SingerSource, StreamTable


def tap_of(source: "SingerSource", scratch: Path, say: Callable[[str], None]) -> Tap:
    """The source's tap, its environment made if it is not there.

    Raises:
        DataInsightError: It cannot be made.
    """
    secrets = secret_texts(source)

    def say_safely(line: str) -> None:
        say(redacted(line, secrets))

    return Tap(
        name=f"the tap {Path(source.tap).name}",
        executable=_executable(source, say_safely),
        config=revealed(source.config),
        folder=source.folder,
        scratch=scratch,
        patience_seconds=_seconds(source.patience),
        say=say_safely,
    )


def streams_of(source: "SingerSource", tap: Tap) -> list[Stream]:
    """The streams of the tap: of its catalog; for a tap that has none, those that the tables name."""
    if source.discovery:
        return tap.discover()
    return [Stream({"stream": table.stream or name}) for name, table in source.tables.items()]


def choice_of(name: str, table: "StreamTable", streams: Iterable[Stream]) -> Choice:
    """How a table's stream is extracted.

    Raises:
        DataInsightError: The tap has no such stream.
    """
    stream = find_stream(streams, table.stream or name)
    method = {"full_table": FULL_TABLE, "incremental": INCREMENTAL, None: None}[table.replication]
    if method is None and table.cursor:
        method = INCREMENTAL
    if method is None and stream.of_database and stream.method is None:
        method = FULL_TABLE
    cursor = table.cursor or stream.cursor
    return Choice(stream, method, cursor, table.select, table.key or ())


def extract(source: "SingerSource", request: Request, spool: "Spool") -> None:
    """See `SourceConfig.extract`."""
    tap = tap_of(source, request.scratch, request.progress.say)
    streams = streams_of(source, tap)
    choices = {name: choice_of(name, table, streams) for name, table in source.tables.items()}
    states = {
        # A full table is extracted in a round without STATE: then nothing can keep a part of it back.
        name: None if choice.is_full else request.state(name)
        for name, choice in choices.items()
    }
    with ExitStack() as scope:
        for round_ in rounds(states):
            _extract(source, request, (tap, streams, choices), round_, (spool, scope))


def _extract(
    source: "SingerSource",
    request: Request,
    found: tuple[Tap, list[Stream], Mapping[str, Choice]],
    round_: Round,
    into: tuple["Spool", ExitStack],
) -> None:
    tap, streams, choices = found
    by_table = {}
    for name in round_.tables:
        choice = choices[name]
        wanted = Wanted(
            table=name,
            key=choice.key or choice.stream.key,
            cursor=None if choice.is_full else choice.cursor,
            lag=parse_lag(source.tables[name].lag),
            select=choice.select,
            state=request.state(name),
            # A tap that is given no STATE gives everything, unless it is said that it never does.
            complete=not round_.state and (source.tables[name].replication != "incremental" or request.full_refresh),
            origin={"tap": source.tap, "stream": choice.stream.id},
        )
        if wanted.complete:
            request.progress.expect(name, rows=choice.stream.row_count)
        by_table[name] = StreamRows(wanted, *into, tap.say)
    rows = {called: by_table[name] for name in round_.tables for called in choices[name].stream.names}
    catalog = (streams, [choices[name] for name in round_.tables]) if source.discovery else None
    state, log = tap.extract(rows, round_.state, catalog)
    of_anyone = {called for choice in choices.values() for called in choice.stream.names}
    for name, stream_rows in by_table.items():
        kept = of_table(round_.state if state is None else state, choices[name].stream.names, of_anyone)
        stream_rows.finish(kept, {"metrics": log.metrics} if log.metrics else {})


def _executable(source: "SingerSource", say: Callable[[str], None]) -> Path:
    if "/" in source.tap:
        path = source.folder / Path(source.tap).expanduser()
        if not os.access(path, os.X_OK) or path.is_dir():
            raise DataInsightError(f"the tap {path} is no executable file", hint="is it there, and is chmod +x done?")
        return path
    return make(source.tap, source.home, source.package or (), say)


def _seconds(span: str) -> float:
    found = parse_lag(span)
    return found.total_seconds() if isinstance(found, timedelta) else float(found or 0)
