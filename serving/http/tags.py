"""`ETag`: which answers are the same, so that whoever has one already is not sent it again."""

import hashlib
from http import HTTPStatus

from fastapi import Request, Response

from serving.http.formats import JSON
from serving.http.pages import Page
from serving.http.state import State
from serving.query_log import Call


def tagged(state: State, page: Page, media_type: str) -> dict[str, str]:
    """The headers by which an answer is kept by whoever has asked for it, and by nobody on the way."""
    tag = _tag(state, page, media_type)
    return {"Vary": "Accept, Authorization", "Cache-Control": "private, no-cache", "ETag": tag}


def not_modified(request: Request, page: Page, headers: dict[str, str], call: Call) -> Response | None:
    """What is answered to somebody who has the answer already; None: they have it not."""
    if headers["ETag"] not in request.headers.get("if-none-match", ""):
        return None
    call.stands_on(page.place.standing.snapshot)
    call.answered(is_cache_hit=True)
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)


def _tag(state: State, page: Page, media_type: str) -> str:
    """Two answers with the same tag are the same, whoever asks, in rows and trust but for how old they are by now."""
    thread, place = page.thread, page.place
    of_what = "\0".join(
        (
            state.metrics.version_of(place.standing),
            thread.route,
            thread.policy,
            repr(thread.organization),
            thread.query.model_dump_json(),
            media_type,
            # The other forms have no pages.
            f"{place.start}+{page.size}" if media_type == JSON else "",
        )
    )
    return f'"{hashlib.sha256(of_what.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'
