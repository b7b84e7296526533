"""Paging: dlt's paginators by name, one of ours, and a guard against pages without end."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from dlt.sources.helpers.rest_client import paginators
from dlt.sources.helpers.rest_client.detector import PaginatorFactory
from dlt.sources.helpers.rest_client.paginators import BasePaginator, BaseReferencePaginator
from requests import Request, Response

from connectors.extraction.records import json_text
from connectors.rest.paginator_settings import LastItem, Paginator
from connectors.rest.paths import find, find_one, put
from warehouse.errors import DataInsightError

_OURS = {"type", "has_more_path", "end_path"}
# Left unset, dlt looks for a total at "total" and raises when there is none.
_TOTAL = {"offset", "page_number"}


class StepOffsetPaginator(paginators.OffsetPaginator):
    """dlt's, but the next page begins after the rows that came: an API may give fewer than were asked for."""

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """See `BasePaginator`."""
        self.value_step = len(data or ()) or self.limit
        super().update_state(response, data)


class LastItemPaginator(BaseReferencePaginator):
    """The next page begins after the last row of this one; an empty page is the end."""

    def __init__(self, item_path: str, param: str | None, body_path: str | None) -> None:
        super().__init__()
        self._item_path, self._param, self._body_path = item_path, param, body_path

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:  # noqa: ARG002 - dlt's signature.
        """See `BasePaginator`."""
        self._next_reference = json_text(find_one(self._item_path, data[-1])) if data else None

    def update_request(self, request: Request) -> None:
        """See `BasePaginator`."""
        if self._body_path:
            body: dict[str, Any] = request.json if isinstance(request.json, dict) else {}
            put(self._body_path, body, self._next_reference)
            request.json = body
        else:
            given: Any = request.params or {}
            request.params = {**given, str(self._param): self._next_reference}


_DLT: dict[str, Callable[..., BasePaginator]] = {
    "single_page": paginators.SinglePagePaginator,
    "header_link": paginators.HeaderLinkPaginator,
    "json_link": paginators.JSONLinkPaginator,
    "header_cursor": paginators.HeaderCursorPaginator,
    "cursor": paginators.JSONResponseCursorPaginator,
    "offset": StepOffsetPaginator,
    "page_number": paginators.PageNumberPaginator,
}


class GuardedPaginator(BasePaginator):
    """A paginator that stops when the API says so, and fails when pages repeat.

    Args:
        settings: The definition's.
        table: For errors.

    Attributes:
        pages: How many were read.
    """

    def __init__(self, settings: Paginator, table: str) -> None:
        super().__init__()
        self._settings, self._table = settings, table
        self._inner: BasePaginator | None = _built(settings)
        self._asked: set[bytes] = set()
        self._last_rows: bytes | None = None
        self.pages = 0

    def init_request(self, request: Request) -> None:
        """See `BasePaginator`."""
        self._has_next_page = True
        if self._inner is not None:
            self._inner.init_request(request)
        self._asked = {_fingerprint(request)}

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """See `BasePaginator`."""
        self.pages += 1
        if self._inner is None:
            self._inner, _ = PaginatorFactory().create_paginator(response)
            if self._inner is None:
                raise self._error("has no paging that can be found out", "write its paginator")
        try:
            self._inner.update_state(response, data)
        except ValueError as error:
            # dlt's text repeats the whole answer.
            raise self._error(f"has an answer without its paging: {str(error).split('.')[0][:120]}") from None
        if isinstance(self._inner, BaseReferencePaginator) and not self._inner._next_reference:  # noqa: SLF001
            self._inner._next_reference = None  # noqa: SLF001 - an empty text is no next page either.
        self._has_next_page = self._inner.has_next_page and not self._is_end(response)
        rows = hashlib.sha256(response.content).digest() if data else None
        if rows is not None and rows == self._last_rows and self._has_next_page:
            raise self._error(f"gave the same page twice, as pages {self.pages - 1} and {self.pages}")
        self._last_rows = rows

    def update_request(self, request: Request) -> None:
        """See `BasePaginator`."""
        if not self._has_next_page or self._inner is None:
            return
        self._inner.update_request(request)
        fingerprint = _fingerprint(request)
        if fingerprint in self._asked:
            raise self._error(f"names a page as the next one, after page {self.pages}, that was read before")
        self._asked.add(fingerprint)

    def _is_end(self, response: Response) -> bool:
        if (path := self._settings.end_path) and any(value in (True, "true") for value in find(path, response.json())):
            return True
        path = self._settings.has_more_path
        return bool(path) and not any(value in (True, "true") for value in find(str(path), response.json()))

    def _error(self, problem: str, hint: str | None = None) -> DataInsightError:
        return DataInsightError(
            f"table {self._table}: the API {problem}", hint or "the paginator in its definition does not fit this API"
        )


def _built(settings: Paginator) -> BasePaginator | None:
    if isinstance(settings, LastItem):
        return LastItemPaginator(settings.item_path, settings.param, settings.body_path)
    if settings.type == "auto":
        return None
    given = {name: value for name, value in settings.model_dump(exclude=_OURS).items() if value is not None}
    if settings.type in _TOTAL:
        given.setdefault("total_path", None)
    return _DLT[settings.type](**given)


def _fingerprint(request: Request) -> bytes:
    said = json.dumps([request.method, request.url, request.params, request.json], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).digest()[:16]
