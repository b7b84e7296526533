"""Runs a tap: its discovery, and rounds of extraction whose messages go to the rows of their streams."""

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.singer.catalog import Choice, Stream, read_catalog, selected
from connectors.singer.logs import Log
from connectors.singer.messages import Message, exactly, parse
from connectors.singer.process import Command
from connectors.singer.rows import StreamRows
from warehouse.errors import DataInsightError

_NOISE_SHOWN = 3


@dataclass
class Tap:
    """A tap and what it is given.

    Attributes:
        name: What errors call it.
        executable: Its command.
        config: What its config file says.
        folder: Where it runs.
        scratch: Where its files are put; removed by the caller.
        patience_seconds: How long it may write nothing.
        say: Told its log, with nothing secret in it.
    """

    name: str
    executable: Path
    config: Mapping[str, Any]
    folder: Path
    scratch: Path
    patience_seconds: float
    say: Callable[[str], None]
    _options: str | None = field(default=None)

    def discover(self) -> list[Stream]:
        """Its catalog.

        Raises:
            DataInsightError: It fails, or writes none.
        """
        with self._command("--discover", hear=Log(self.name, self.say).hear) as command:
            output = b"".join(command.lines())
            command.end()
        return read_catalog(output, self.name)

    def extract(
        self,
        rows: Mapping[str, StreamRows],
        state: Mapping[str, Any],
        catalog: tuple[Sequence[Stream], Sequence[Choice]] | None,
    ) -> tuple[Any, Log]:
        """Run it once.

        Args:
            rows: By every name that a message may give a stream, where its records go.
            state: Where it starts; empty: at the beginning.
            catalog: The streams there are, and those wanted; None for a tap without discovery.

        Returns:
            The last STATE, and what its log has told.

        Raises:
            DataInsightError: It fails; nothing of what it wrote counts.
        """
        arguments = []
        if catalog:
            path = self._file("catalog.json", selected(*catalog))
            # Old taps read --properties alone, new ones know only --catalog, and those in between list both.
            known = self._known_options()
            options = [option for option in ("--catalog", "--properties") if option in known] or ["--catalog"]
            arguments += [word for option in options for word in (option, path)]
        if state:
            arguments += ["--state", self._file("state.json", state)]
        log = Log(self.name, self.say)
        with self._command(*arguments, hear=log.hear) as command:
            last = _Reader(self, rows).read(command)
        return last, log

    def _command(self, *arguments: str, hear: Callable[[str], None]) -> Command:
        return Command(
            self.name,
            [str(self.executable), "--config", self._file("config.json", self.config), *arguments],
            folder=self.folder,
            patience_seconds=self.patience_seconds,
            hear=hear,
        )

    def _known_options(self) -> str:
        if self._options is None:
            arguments = [str(self.executable), "--help"]
            with Command(self.name, arguments, folder=self.folder, patience_seconds=self.patience_seconds) as command:
                self._options = b"".join(command.lines()).decode(errors="replace")
        return self._options

    def _file(self, name: str, values: Mapping[str, Any]) -> str:
        """A file that nobody else can read."""
        path = self.scratch / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(values, file)
        return str(path)


@dataclass
class _Reader:
    """Hands out the messages of one run."""

    tap: Tap
    rows: Mapping[str, StreamRows]
    state: Any = None
    messages: int = 0
    noise: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def read(self, command: Command) -> Any:
        """All that the command writes; gives the last STATE."""
        for line in command.lines():
            try:
                self._take(line)
            except DataInsightError:
                if not line.endswith(b"\n"):
                    command.end()  # A line that was cut off has a cause, which is the better thing to say.
                raise
        command.end()
        if self.noise and not self.messages:
            raise DataInsightError(
                f"{self.tap.name} wrote {self.noise:,} lines, none of them a Singer message",
                hint="is it a tap at all? Nothing of this load counts",
            )
        if self.noise > _NOISE_SHOWN:
            self.tap.say(f"{self.tap.name} wrote {self.noise:,} lines that are no messages")
        for stream, count in self.left_out.items():
            self.tap.say(f"{self.tap.name} wrote {count:,} records of {stream}, which is no table here: left out")
        return self.state

    def _take(self, line: bytes) -> None:
        message = parse(line, self.tap.name)
        if message is None:
            self._hear_noise(line.decode(errors="replace").strip())
            return
        self.messages += 1
        stream = str(message.get("stream"))
        if message["type"] == "STATE":
            self.state = message["value"]
        elif stream in self.rows:
            _hand_over(self.tap, self.rows[stream], message, line)
        elif message["type"] == "RECORD":
            self.left_out[stream] += 1

    def _hear_noise(self, text: str) -> None:
        if text:
            self.noise += 1
            if self.noise <= _NOISE_SHOWN:
                self.tap.say(f"{self.tap.name} wrote what is no message: {text[:200]}")


def _hand_over(tap: Tap, rows: StreamRows, message: Message, line: bytes) -> None:
    match message["type"]:
        case "SCHEMA":
            rows.declare(message)
        case "ACTIVATE_VERSION":
            rows.activate(message["version"])
        case "RECORD":
            _add(tap, rows, message, line)
        case "BATCH":
            for record in _batch(tap, message):
                line = b'{"record":' + record + b"}"
                rows.add(exactly(line) if rows.exact else json.loads(line), len(line))


def _add(tap: Tap, rows: StreamRows, message: Message, line: bytes) -> None:
    if not rows.declared or not isinstance(message["record"], dict):
        what = "before its SCHEMA" if not rows.declared else "that is no object"
        raise DataInsightError(
            f"{tap.name} wrote a record of {message['stream']} {what}",
            hint="nothing of this load counts; this is a mistake of the tap: try another version of it",
        )
    rows.add(exactly(line) if rows.exact else message, len(line))


def _batch(tap: Tap, message: Message) -> Iterator[bytes]:
    """The records in the files of a BATCH, which are removed once they are read."""
    encoding = message["encoding"]
    packed = encoding.get("compression")
    for address in message["manifest"]:
        parts = urlsplit(address)
        if (
            encoding.get("format") != "jsonl"
            or packed not in {None, "none", "gzip"}
            or parts.scheme not in {"", "file"}
        ):
            raise DataInsightError(
                f"{tap.name} wrote a BATCH of {encoding.get('format')} {packed or ''} at {parts.scheme or 'file'}://",
                hint="batches have to be local files of JSON lines, plain or gzipped; see batch_config of the tap",
            )
        path = Path(unquote(parts.path))
        with closing(gzip.open(path) if packed == "gzip" else path.open("rb")) as file:
            yield from (line.strip() for line in file if line.strip())
        path.unlink()
