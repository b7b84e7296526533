"""The bytes of a file: plain, or unpacked where their first bytes say that they are gzip or zstd; and zip archives."""

import gzip
import io
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, cast

from connectors.files.readers.reading import UnreadableFileError

_MAGIC: dict[bytes, Literal["gzip", "zstd", "zip"]] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}


def compression_of(path: Path) -> Literal["gzip", "zstd", "zip"] | None:
    """How the content is packed, whatever the name says."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)


@contextmanager
def open_content(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked where they are gzip or zstd.

    Raises:
        UnreadableFileError: The packed data is broken or cut off.
    """
    match compression_of(path):
        case "gzip":
            try:
                with gzip.open(path, "rb") as content:
                    yield cast(IO[bytes], content)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise UnreadableFileError(f"its gzip data is broken: {str(error).rstrip('.')}") from error
        case "zstd":
            import pyarrow as pa

            stream: Any = _Zstd(pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd"))
            with io.BufferedReader(stream, 1 << 20) as content:
                yield cast(IO[bytes], content)
        case _:
            with path.open("rb") as content:
                yield content


def unpacked(path: Path, scratch: Path) -> Path:
    """The path itself, or that of an unpacked copy: for formats that are read from their end."""
    if compression_of(path) not in {"gzip", "zstd"}:
        return path
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / "unpacked"
    with open_content(path) as content, target.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
    return target


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive.

    Raises:
        UnreadableFileError: It is broken, cut off or encrypted, or packed in a way that is not known.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    # NotImplementedError is how zipfile says that it does not know a way of packing.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UnreadableFileError(f"its zip data is broken: {str(error).rstrip('.')}") from error


def members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive that hold data, by name: no folders, nothing hidden, none of macOS's own.

    Raises:
        UnreadableFileError: One of them is encrypted.
    """
    found = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(member.filename).parts)
    ]
    if any(member.flag_bits & 1 for member in found):
        raise UnreadableFileError("its zip archive is encrypted")
    return sorted(found, key=lambda member: member.filename)


class _Zstd(io.RawIOBase):
    """Arrow's stream as one of Python's, with errors in our words."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            found = self._stream.read(len(buffer))
        except OSError as error:
            if error.errno is not None:
                raise
            raise UnreadableFileError(f"its zstd data is broken: {str(error).splitlines()[0]}") from error
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
