"""What an API's answer says: its JSON to the letter, its error text, whether it asks to wait or for a new token."""

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Literal

import orjson
from requests import Response

from connectors.extraction.records import json_text
from connectors.rest.definition import Errors, Sign
from connectors.rest.paths import find

Format = Literal["json", "jsonl", "zip_jsonl"]
_MAX_MESSAGE = 300
_NONE_CONTENT = {204, 205}
# A number that a parser would not give back as written: a fraction, an exponent, 18 digits or more, a minus zero.
_DELICATE_NUMBER = re.compile(rb"(?:^|[:\[,])\s*(?:-?\d+[.eE]|-?\d{18}|-0\s*[,}\]])", re.MULTILINE)


class UnreadableAnswerError(Exception):
    """An answer that is not what it should be."""


class LargeAnswerError(Exception):
    """An answer of more bytes than may be read.

    Args:
        most_bytes: How many may be.
    """

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"more than {most_bytes:,} bytes")


class Reply(Response):
    """A response whose JSON is parsed once, for paging and, with every number as it was written, for rows.

    Attributes:
        body_format: How it is written.
        most_bytes: How many it may have, unpacked; None: however many.
    """

    body_format: Format = "json"
    most_bytes: int | None = None

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: Any = False) -> Iterator[Any]:
        """The body bit by bit, unpacked; all that requests reads of it goes through here.

        Raises:
            LargeAnswerError: It is too large; the rest of it is not read.
        """
        size = 0
        for part in super().iter_content(chunk_size, decode_unicode):
            size += len(part)
            if self.most_bytes is not None and size > self.most_bytes:
                self.close()
                raise LargeAnswerError(self.most_bytes)
            yield part

    def json(self, **_: Any) -> Any:
        """The body with ordinary numbers: what paging looks at."""
        return self._plain

    @cached_property
    def exact(self) -> Any:
        """The body with numbers as they were written: what lands.

        Raises:
            UnreadableAnswerError: The body is no JSON.
        """
        if not self._delicate:
            return self._plain
        return self._parsed(lambda text: json.loads(text, parse_float=_literal, parse_int=_literal))

    @cached_property
    def _plain(self) -> Any:
        return self._parsed(json.loads if self._delicate else orjson.loads)

    @cached_property
    def _bodies(self) -> list[bytes]:
        if self.body_format == "zip_jsonl":
            return list(_unzipped(self.content, self.most_bytes))
        return [self.content.removeprefix(b"\xef\xbb\xbf")]

    @cached_property
    def _delicate(self) -> bool:
        return any(_DELICATE_NUMBER.search(body) for body in self._bodies)

    def _parsed(self, loads: Any) -> Any:
        if self.status_code in _NONE_CONTENT:
            return []
        try:
            if self.body_format == "json":
                return loads(self._bodies[0])
            return [loads(line) for body in self._bodies for line in body.split(b"\n") if line.strip()]
        except (ValueError, RecursionError, UnicodeDecodeError) as error:
            kind = self.headers.get("Content-Type", "no content type").split(";")[0]
            reason = str(error).splitlines()[0]
            raise UnreadableAnswerError(
                f"an answer that is no JSON ({kind}, {len(self.content):,} bytes): {reason}"
            ) from None


def message(reply: Reply, errors: Errors) -> str:
    """The API's own words about what is wrong, in one line; empty when it has none."""
    try:
        body = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        is_page = "html" in reply.headers.get("Content-Type", "")
        return "" if is_page else _one_line(reply.text)
    for path in errors.message_path:
        found = [item for value in find(path, body) for item in (value if isinstance(value, list) else [value])]
        if words := [json_text(value) or "" for value in found if value not in (None, "", {})]:
            return _one_line("; ".join(words))
    return _one_line(json_text(body) or "")


def shows(sign: Sign, reply: Reply) -> bool:
    """Whether an answer is what the sign describes."""
    return (
        (sign.status_code is None or sign.status_code == reply.status_code)
        and all(reply.headers.get(name) == value for name, value in sign.header.items())
        and (sign.content is None or sign.content in reply.text)
        and (sign.path is None or _holds(sign, reply))
    )


def wait_seconds(reply: Reply, errors: Errors) -> float | None:
    """How long the answer asks to wait; None when it does not say, or not in a way that can be read."""
    now = datetime.now(UTC)
    if said := reply.headers.get(errors.retry_after_header):
        seconds = _seconds(said, "seconds", now)
        return seconds if seconds is not None else _seconds(said, "http_date", now)
    if errors.reset_header and (said := reply.headers.get(errors.reset_header)):
        return _seconds(said, errors.reset_format, now)
    return None


def _seconds(said: str, written: str, now: datetime) -> float | None:
    try:
        match written:
            case "seconds":
                return max(0.0, float(said))
            case "unix" | "unix_ms":
                moment = float(said) / (1000 if written == "unix_ms" else 1)
                return max(0.0, moment - now.timestamp())
            case "iso8601":
                then = datetime.fromisoformat(said)
            case _:
                then = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds())


def _holds(sign: Sign, reply: Reply) -> bool:
    try:
        values = find(str(sign.path), orjson.loads(reply.content))
    except orjson.JSONDecodeError:
        return False
    if "equals" not in sign.model_fields_set:
        return any(values)
    return any(value == sign.equals for value in values)


def _unzipped(content: bytes, most_bytes: int | None) -> Iterator[bytes]:
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in sorted(archive.namelist()):
                with archive.open(name) as packed:
                    unpacked: Any = gzip.GzipFile(fileobj=packed) if name.endswith(".gz") else packed
                    body = unpacked.read(-1 if most_bytes is None else most_bytes - size + 1)
                size += len(body)
                if most_bytes is not None and size > most_bytes:
                    raise LargeAnswerError(most_bytes)
                yield body
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableAnswerError(f"an answer that is no zip of JSON lines: {error}") from None


def _literal(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}…"
