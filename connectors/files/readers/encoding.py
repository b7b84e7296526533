"""Text in UTF-8, whatever encoding a file has: found out from its first bytes, and turned over while it is read."""

import codecs
import io
import re
import uuid
from typing import IO, Literal

from connectors.files.readers.reading import UnreadableFileError

SAMPLE_BYTES = 256 << 10

# Stands in for a byte that is no UTF-8, and says which; no file of anyone's holds it. The row is set aside by it.
BROKEN = uuid.uuid4().hex
_BROKEN_BYTE = re.compile(BROKEN + "[0-9a-f]{2}")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BLOCK_BYTES = 2 << 20
_NUL_SHARE = 0.3


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"{BROKEN}{byte:02x}" for byte in error.object[error.start : error.end]), error.end


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """The five bytes that Windows-1252 leaves undefined are the control characters they are in Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("connectors.mark_broken", _mark_broken)
codecs.register_error("connectors.as_latin_1", _as_latin_1)


def without_marks(text: str) -> str:
    """The text with a replacement character for each broken byte."""
    return _BROKEN_BYTE.sub("\N{REPLACEMENT CHARACTER}", text)


def encoding_of(sample: bytes) -> str:
    """The encoding of a file that starts with `sample`: by its byte order mark, by its NULs, else UTF-8.

    Whether a file without a mark is UTF-8 to its end, or is in Windows-1252, shows while it is read; see `Utf8Text`.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    even, odd = sample[0::2], sample[1::2]
    if odd and not even.count(0) and odd.count(0) >= _NUL_SHARE * len(odd):
        return "utf-16-le"
    if even and not odd.count(0) and even.count(0) >= _NUL_SHARE * len(even):
        return "utf-16-be"
    return "utf-8"


class Utf8Text(io.RawIOBase):
    """The content of a text file as UTF-8, read in blocks.

    A file that is not said to be in any encoding is UTF-8, until a byte shows that it is not. When all before that
    byte was ASCII, and what follows is not UTF-8 either, the file is in Windows-1252 (of which Latin-1's letters are
    a part); otherwise the byte is broken, and `BROKEN` marks it.

    Args:
        content: The bytes as they are in the file.
        encoding: What they are said to be; None to find out.
        guesses: Whether Windows-1252 comes into question.

    Attributes:
        encoding: What they turned out to be.
        has_broken: Whether any byte was broken.
    """

    def __init__(self, content: IO[bytes], encoding: str | None, *, guesses: bool = True) -> None:
        self._content = content
        first = content.read(SAMPLE_BYTES)
        # A file may trickle in; the sample is whole unless the file is shorter.
        while first and len(first) < SAMPLE_BYTES and (more := content.read(SAMPLE_BYTES - len(first))):
            first += more
        self.sample_is_all = len(first) < SAMPLE_BYTES
        found = encoding_of(first)
        self.encoding = codecs.lookup(encoding).name if encoding else found
        self._fixed = encoding is not None or found != "utf-8"
        if self.encoding in {"utf-16", "utf-32"}:
            self.encoding = found if found.startswith(self.encoding) else f"{self.encoding}-le"
        self._guesses = guesses and not self._fixed
        self.had_mark = False
        for mark, name in _MARKS:
            if name == self.encoding.replace("utf-8-sig", "utf-8") and first.startswith(mark):
                first, self.had_mark = first[len(mark) :], True
        if self.encoding == "utf-8-sig":
            self.encoding = "utf-8"
        if self.had_mark:
            self._guesses = False
        self.has_broken = False
        self._only_ascii = True
        self._ended = False
        self._rest = b""
        self._decoder = self._new_decoder()
        self._ready = self._turned(first)

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def peek(self) -> bytes:
        """What comes next, without reading it."""
        return self._ready

    def read(self, size: int = -1) -> bytes:
        """The next bytes; those of the first sample at once, whatever `size` says, when it is smaller."""
        if not self._ready and not self._ended:
            self._ready = self._turned(self._content.read(_BLOCK_BYTES))
            while not self._ready and not self._ended:
                self._ready = self._turned(self._content.read(_BLOCK_BYTES))
        if size < 0:
            found = [self._ready]
            self._ready = b""
            while block := (self.read(_BLOCK_BYTES) if not self._ended else b""):
                found.append(block)
            return b"".join(found)
        found_now, self._ready = self._ready[:size], self._ready[size:]
        return found_now

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """See `io.RawIOBase`."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _new_decoder(self) -> codecs.IncrementalDecoder:
        errors: Literal["connectors.as_latin_1", "connectors.mark_broken"]
        errors = "connectors.as_latin_1" if self.encoding == "cp1252" else "connectors.mark_broken"
        return codecs.getincrementaldecoder(self.encoding)(errors)

    def _turned(self, block: bytes) -> bytes:
        self._ended = not block
        if self.encoding == "utf-8":
            return self._checked(self._rest + block)
        try:
            text = self._decoder.decode(block, final=self._ended)
        except UnicodeError as error:
            raise UnreadableFileError(f"it is not text in {self.encoding}: {error}") from error
        self.has_broken = self.has_broken or BROKEN in text
        return text.encode("utf-8", "replace")

    def _checked(self, block: bytes) -> bytes:
        """UTF-8 as it is; what is not becomes Windows-1252 or is marked."""
        if block.isascii():
            self._rest = b""
            return block
        block, self._rest = (block, b"") if self._ended else _at_boundary(block)
        try:
            block.decode()
        except UnicodeDecodeError:
            if self._guesses and self._only_ascii and not _looks_like_utf_8(block):
                self.encoding = "cp1252"
                self._decoder = self._new_decoder()
                whole, self._rest = block + self._rest, b""
                return self._decoder.decode(whole).encode()
            self.has_broken = True
            self._only_ascii = False
            return block.decode("utf-8", "connectors.mark_broken").encode()
        self._only_ascii = False
        return block


def _at_boundary(block: bytes) -> tuple[bytes, bytes]:
    """The block without a last character that is not complete yet, and that."""
    for back in range(1, min(4, len(block)) + 1):
        byte = block[-back]
        if byte < 0x80:  # noqa: PLR2004 - ASCII.
            break
        if byte >= 0xC0:  # noqa: PLR2004 - the first byte of a character.
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4  # noqa: PLR2004
            return (block[:-back], block[-back:]) if length > back else (block, b"")
    return block, b""


def _looks_like_utf_8(block: bytes) -> bool:
    """Whether a block with bytes that are no UTF-8 is UTF-8 all the same.

    Letters of Windows-1252 hardly ever stand so that they make a character of UTF-8: one in ten broken ones will do.
    """
    text = block.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    return 10 * (sum(character > "\x7f" for character in text) - broken) >= broken
