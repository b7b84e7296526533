"""Pages: which part of a long answer is sent as JSON, with the cursor of the next one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from serving.answer import Answer
from serving.http.cursors import Place, Thread, cursor
from serving.kept_answers import MOST_ROWS_AS_JSON
from warehouse.settings import Settings

PAGE_ROWS = 10_000

GivenCursor = Annotated[
    str | None,
    Query(
        alias="cursor",
        max_length=200,
        description="`next_cursor` of the page before, sent with the same question: the page after it, from the same"
        " snapshot.",
    ),
]


@dataclass(frozen=True)
class Paging:
    """Which page is wanted."""

    size: int = PAGE_ROWS
    cursor: str | None = None


async def _paging(
    size: Annotated[
        int,
        Query(
            alias="page_size",
            ge=1,
            le=MOST_ROWS_AS_JSON,
            description="How many rows an answer in JSON has at most; the other forms have all of them.",
            examples=[1000],
        ),
    ] = PAGE_ROWS,
    given: GivenCursor = None,
) -> Paging:
    return Paging(size, given)


WhichPage = Annotated[Paging, Depends(_paging)]


@dataclass(frozen=True)
class Page:
    """A part of an answer.

    Attributes:
        thread: What its cursors belong to.
        place: The snapshot, and the row it begins with.
        size: How many rows it has at most.
    """

    settings: Settings
    thread: Thread
    place: Place
    size: int = PAGE_ROWS

    def next_cursor(self, rows: int) -> str | None:
        """Where an answer of so many rows goes on; None at its end."""
        end = self.place.start + self.size
        return None if end >= rows else cursor(self.settings, self.thread, self.place.standing.snapshot, end)

    def json(self, answer: Answer) -> bytes:
        """The part as JSON."""
        rows = answer.table.num_rows
        if self.place.start == 0 and rows <= self.size:
            return answer.to_json()
        following = self.next_cursor(rows)
        more = {} if following is None else {"next_cursor": following}
        return answer.page(self.place.start, self.size).to_json(**more)
