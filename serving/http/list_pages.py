"""Pages of lists, and their cursors: after which row the next one begins, as only this platform writes it.

Those of answers to questions, which belong to a snapshot, are in `pages` and `cursors`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, TypeVar

import orjson
from fastapi import Depends, Query

from serving.http.problems import ProblemError
from serving.http.state import State, state_of
from warehouse.portions import Portion
from warehouse.secret_keys import purpose_key
from warehouse.settings import Settings

NEXT_CURSOR = "Where the list goes on, as `cursor`; null on its last page."

_SIGNATURE_BYTES = 20

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class ListPage:
    """The page of a list that a request asks for.

    Attributes:
        limit: How many rows it has at most.
        cursor: Of which page it is the next; None: the first.
    """

    settings: Settings
    limit: int
    cursor: str | None = None

    def read(
        self,
        of: Sequence[str | None],
        rows: Callable[[Portion], Sequence[_Row]],
        place: Callable[[_Row], Sequence[str | int | datetime]],
    ) -> tuple[Sequence[_Row], str | None]:
        """The rows of the page, and the cursor of the next one.

        Args:
            of: What is listed, and whose it is: a cursor of another list is none of this one.
            rows: Reads a portion of the list.
            place: What tells where in the list a row is.

        Raises:
            ProblemError: The cursor is none of this list's.
        """
        after = None if self.cursor is None else self._after(of, self.cursor)
        # One more, to see whether there is a next page.
        found = rows(Portion(after, self.limit + 1))
        page = found[: self.limit]
        return page, self._cursor(of, place(page[-1])) if len(found) > self.limit else None

    def _cursor(self, of: Sequence[str | None], place: Sequence[str | int | datetime]) -> str:
        told = orjson.dumps(place)
        return _text(self._signature(of, told) + told)

    def _after(self, of: Sequence[str | None], cursor: str) -> tuple[str | int, ...]:
        try:
            whole = base64.urlsafe_b64decode(cursor.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            whole = b""
        signature, told = whole[:_SIGNATURE_BYTES], whole[_SIGNATURE_BYTES:]
        # What is no part of the alphabet is skipped by the decoder: the same bytes could be written in many ways.
        if _text(whole) != cursor or not hmac.compare_digest(signature, self._signature(of, told)):
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "cursor: it is none that this list was answered with",
                "send the `next_cursor` of an answer to the same request",
            )
        return tuple(orjson.loads(told))

    def _signature(self, of: Sequence[str | None], told: bytes) -> bytes:
        key = purpose_key(self.settings, "list cursors")
        return hmac.digest(key, orjson.dumps(of) + told, hashlib.sha256)[:_SIGNATURE_BYTES]


def _text(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).decode("ascii")


async def _list_page(
    state: Annotated[State, Depends(state_of)],
    limit: Annotated[
        int, Query(ge=1, le=1_000, description="How many there are at most in an answer.", examples=[100])
    ] = 100,
    cursor: Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before.")] = None,
) -> ListPage:
    return ListPage(state.settings, limit, cursor)


WhichListPage = Annotated[ListPage, Depends(_list_page)]
