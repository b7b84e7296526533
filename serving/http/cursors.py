"""Cursors: where the next page of an answer begins, in a form that nobody but this platform can write.

A cursor is bound to what it continues: the snapshot, whose rows are asked for by which policy, and the question. One
that belongs to another of these, or that was changed, is refused in the same words, whatever is wrong with it.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool

from serving.http.problems import ProblemError
from serving.http.state import State
from serving.query import MetricQuery
from serving.snapshots import Snapshot
from serving.standing import Standing
from warehouse.secret_keys import purpose_key
from warehouse.settings import Settings

# The snapshot's number, when it was published in microseconds, and how many rows come before.
_PLACE = struct.Struct(">QQQ")
# As many bytes as make the whole a multiple of three, so that a cursor is written in one way only.
_SIGNATURE_BYTES = 18


@dataclass(frozen=True)
class Thread:
    """What a cursor belongs to.

    Attributes:
        route: What kind of answer it continues.
        policy: By which rules rows are shown.
        organization: Whose rows they are; None: everybody's.
    """

    route: str
    policy: str
    organization: str | None
    query: MetricQuery

    @property
    def text(self) -> bytes:
        """Its name, equal for equal ones only."""
        return repr((self.route, self.policy, self.organization, self.query)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Place:
    """Where an answer goes on."""

    standing: Standing
    start: int


def cursor(settings: Settings, thread: Thread, snapshot: Snapshot, start: int) -> str:
    """The cursor of the page that begins with a row."""
    place = _PLACE.pack(snapshot.snapshot_id, _published(snapshot), start)
    return _written(place + _signature(settings, thread, place))


async def where(state: State, thread: Thread, given: str | None) -> Place:
    """Where an answer begins: without a cursor, with the first row of the newest snapshot.

    Raises:
        ProblemError: The cursor is none of this answer's, or its snapshot is gone.
        UnavailableError: Nothing was published yet, or the warehouse is away.
    """
    if given is None:
        return Place(state.metrics.standing(), 0)
    snapshot_id, published, start = _read(state.settings, thread, given)
    standing = await run_in_threadpool(state.metrics.standing_at, snapshot_id)
    if standing is None or _published(standing.snapshot) != published:
        raise ProblemError(
            HTTPStatus.GONE,
            "the snapshot that this cursor goes on with is no longer kept",
            "ask again without the cursor, for the first page of the newest one",
        )
    return Place(standing, start)


def _read(settings: Settings, thread: Thread, given: str) -> tuple[int, int, int]:
    try:
        whole = base64.urlsafe_b64decode(given.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        whole = b""
    place, signature = whole[: _PLACE.size], whole[_PLACE.size :]
    # What is no part of the alphabet is skipped by the decoder, so that the same bytes could be written in many ways.
    is_ours = _written(whole) == given and hmac.compare_digest(signature, _signature(settings, thread, place))
    if not is_ours:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "cursor: it is none that this question was answered with",
            "send the `next_cursor` of an answer with the same question, for the same organization",
        )
    snapshot_id, published, start = _PLACE.unpack(place)
    return snapshot_id, published, start


def _signature(settings: Settings, thread: Thread, place: bytes) -> bytes:
    return hmac.new(purpose_key(settings, "cursors"), place + thread.text, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _written(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).decode("ascii")


def _published(snapshot: Snapshot) -> int:
    at: datetime = snapshot.published_at
    return int(at.timestamp()) * 1_000_000 + at.microsecond
