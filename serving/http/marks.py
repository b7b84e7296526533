"""Marks: after which number a list goes on, for lists that are sorted by a number and only ever grow.

Like the cursors of answers, a mark is signed, and belongs to the list that it was given with.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from http import HTTPStatus

from serving.http.problems import ProblemError
from serving.identity.secret_keys import purpose_key
from warehouse.settings import Settings

_NUMBER = struct.Struct(">Q")
# As many bytes as make the whole a multiple of three, so that a mark is written in one way only.
_SIGNATURE_BYTES = 16


def mark(settings: Settings, what: object, number: int) -> str:
    """The mark of what comes after a number.

    Args:
        settings: They name the platform's secret.
        what: Which list it is, and for whom, by its `repr`.
        number: The last one that was told.
    """
    packed = _NUMBER.pack(number)
    return base64.urlsafe_b64encode(packed + _signature(settings, what, packed)).decode("ascii")


def marked(settings: Settings, what: object, given: str | None) -> int | None:
    """The number of a mark; None without one.

    Raises:
        ProblemError: It is none of this list's.
    """
    if given is None:
        return None
    try:
        whole = base64.urlsafe_b64decode(given.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        whole = b""
    packed, signature = whole[: _NUMBER.size], whole[_NUMBER.size :]
    is_written_so = base64.urlsafe_b64encode(whole).decode("ascii") == given
    if not is_written_so or not hmac.compare_digest(signature, _signature(settings, what, packed)):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "cursor: it is none that this list was answered with",
            "send the `next_cursor` of an answer with the same parameters, for the same organization",
        )
    (number,) = _NUMBER.unpack(packed)
    return int(number)


def _signature(settings: Settings, what: object, packed: bytes) -> bytes:
    text = repr(what).encode("utf-8", "surrogatepass")
    return hmac.new(purpose_key(settings, "marks"), packed + text, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
