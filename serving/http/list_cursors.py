"""Cursors of lists in the warehouse: after which row the next page begins, in a form that only this platform can write.

Those of answers to questions, which belong to a snapshot, are in `cursors`.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from http import HTTPStatus

from serving.http.problems import ProblemError
from warehouse.secret_keys import purpose_key
from warehouse.settings import Settings

_PLACE = struct.Struct(">QQ")
# As many bytes as make the whole a multiple of three, so that a cursor is written in one way only.
_SIGNATURE_BYTES = 20


@dataclass(frozen=True)
class ListCursors:
    """The cursors of one list.

    Attributes:
        of: What is listed, and whose it is: a cursor of another list is none of this one.
    """

    settings: Settings
    of: tuple[str | None, ...]

    def written(self, first: int, second: int = 0) -> str:
        """The cursor of the page after a row, told by two numbers."""
        place = _PLACE.pack(first, second)
        return _text(place + self._signature(place))

    def read(self, given: str | None) -> tuple[int, int] | None:
        """The row that the page comes after; None for the first page.

        Raises:
            ProblemError: The cursor is none of this list's.
        """
        if given is None:
            return None
        try:
            whole = base64.urlsafe_b64decode(given.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            whole = b""
        place, signature = whole[: _PLACE.size], whole[_PLACE.size :]
        # What is no part of the alphabet is skipped by the decoder: the same bytes could be written in many ways.
        if _text(whole) != given or not hmac.compare_digest(signature, self._signature(place)):
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "cursor: it is none that this list was answered with",
                "send the `next_cursor` of an answer to the same request",
            )
        first, second = _PLACE.unpack(place)
        return first, second

    def _signature(self, place: bytes) -> bytes:
        key = purpose_key(self.settings, "list cursors")
        return hmac.new(key, place + repr(self.of).encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _text(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).decode("ascii")
