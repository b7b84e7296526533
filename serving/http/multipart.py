"""A form with a file in it, written to disk while it arrives: nothing of it is kept in memory, or beyond its limit.

Starlette's own forms write the whole file before anybody can look at its size.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

import anyio
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from serving.http.problems import ProblemError
from warehouse.errors import UnavailableError

FILE = "file"
# What the form has besides the file.
_MOST_FIELD_BYTES = 4096
_MOST_FIELDS = 10
_MOST_BESIDES_BYTES = 64 * 1024
_PATIENCE_SECONDS = 30


@dataclass
class Received:
    """A form that has arrived.

    Attributes:
        path: Where its file is, to be moved away or removed.
        file_name: What its sender calls the file.
        sha256: Of the file's bytes, in hexadecimal.
        fields: The other fields.
    """

    path: Path
    file_name: str
    size_bytes: int
    sha256: str
    fields: dict[str, str]


@dataclass
class _Arriving:
    """A form as far as it has arrived: the callbacks of the parser fill it in."""

    fields: dict[str, bytes] = field(default_factory=dict)
    file_name: str | None = None
    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    # What of the file has arrived and is not on disk yet.
    unwritten: list[bytes] = field(default_factory=list)
    is_whole: bool = False
    _header: tuple[bytes, bytes] = (b"", b"")
    _disposition: bytes = b""
    _name: str = ""
    _is_file: bool = False

    def on_part_begin(self) -> None:
        self._disposition = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def on_header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = (b"", b"")

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if self._is_file:
            if self._name != FILE or self.file_name is not None:
                raise _not_acceptable(f"the form must have one file, called {FILE!r}")
            self.file_name = options[b"filename"].decode("utf-8", "replace")
        elif self._name in self.fields or len(self.fields) >= _MOST_FIELDS:
            raise _not_acceptable("the form has a field twice, or too many")
        else:
            self.fields[self._name] = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = data[start:end]
        if self._is_file:
            self.size_bytes += len(part)
            self.digest.update(part)
            self.unwritten.append(part)
            return
        self.fields[self._name] += part
        if len(self.fields[self._name]) > _MOST_FIELD_BYTES:
            raise _not_acceptable(f"the form has a field of more than {_MOST_FIELD_BYTES:,} bytes")

    def on_end(self) -> None:
        self.is_whole = True

    @property
    def callbacks(self) -> Any:
        names = [name for name in dir(type(self)) if name.startswith("on_")]
        return {name: getattr(self, name) for name in names}


async def _parts(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives; others of the same organization wait for it."""
    stream = aiter(request.stream())
    while True:
        try:
            with anyio.fail_after(_PATIENCE_SECONDS):
                part = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise _not_acceptable(f"nothing of the form has come for {_PATIENCE_SECONDS} s") from None
        yield part


async def received(request: Request, folder: Path, most: int) -> Received:
    """Write the file of a form into a folder, under a name of its own.

    Args:
        request: Whose body is the form; nobody has read of it.
        folder: It is there.
        most: How many bytes the file may have.

    Raises:
        ProblemError: It has more, or the body is no such form, or ends before it is whole; nothing of it stays.
        UnavailableError: It cannot be written.
    """
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and int(stated) > most + _MOST_BESIDES_BYTES:
        raise _too_large(most)
    arriving = _Arriving()
    parser = _parser(request, arriving)
    path = folder / secrets.token_hex(16)
    with _removed_unless_whole(path):
        with await run_in_threadpool(path.open, "xb") as file:
            size = 0
            async for part in _parts(request):
                size += len(part)
                _parse(parser, part)
                if arriving.size_bytes > most or size > most + _MOST_BESIDES_BYTES:
                    raise _too_large(most)
                await run_in_threadpool(_write, file, arriving)
        if not arriving.is_whole or arriving.file_name is None:
            raise _not_acceptable(f"the form is not whole, or has no file called {FILE!r}")
        if not arriving.size_bytes:
            raise _not_acceptable("the file is empty")
        fields = {name: value.decode("utf-8", "replace").strip() for name, value in arriving.fields.items()}
        return Received(path, arriving.file_name, arriving.size_bytes, arriving.digest.hexdigest(), fields)


def _parser(request: Request, arriving: _Arriving) -> MultipartParser:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise _not_acceptable("the body must be a form, multipart/form-data")
    try:
        return MultipartParser(options[b"boundary"], arriving.callbacks)
    except FormParserError:
        raise _not_acceptable("the body is no form that can be read") from None


def _parse(parser: MultipartParser, part: bytes) -> None:
    try:
        parser.write(part)
    except FormParserError:
        raise _not_acceptable("the body is no form that can be read") from None


def _write(file: IO[bytes], arriving: _Arriving) -> None:
    file.writelines(arriving.unwritten)
    arriving.unwritten.clear()


@contextmanager
def _removed_unless_whole(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UnavailableError(f"the file cannot be kept: {error.strerror}", hint="send it again later") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _not_acceptable(problem: str) -> ProblemError:
    # The rest of the body is not read, so that nothing can follow on this connection.
    return ProblemError(
        HTTPStatus.BAD_REQUEST, problem, "send `curl -F file=@orders.csv`; docs/datasources.md", {"Connection": "close"}
    )


def _too_large(most: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the file has more than {most:,} bytes",
        "send it in parts, as files of one datasource; nothing of this one is kept",
        {"Connection": "close"},
    )
