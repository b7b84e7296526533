"""Sends requests until they are answered: within limits, with time-outs, retries, back-off, and one new token.

Credentials go to the API's own host and nowhere else.
"""

import random
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException

from connectors.rest.definition import Errors
from connectors.rest.endpoint_settings import ResponseAction
from connectors.rest.held import HeldAdapter, ReplyAdapter
from connectors.rest.limits import Limiter
from connectors.rest.replies import (
    Format,
    LargeAnswerError,
    Reply,
    UnreadableAnswerError,
    message,
    shows,
    wait_seconds,
)
from connectors.secrets import redacted
from warehouse.errors import DataInsightError
from warehouse.reach import Reach

_HARMLESS_HEADERS = {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
_PASSING = {408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524}
_LONGEST_PAUSE_SECONDS = 60.0
_HINTS = {
    401: "is the credential right, and still valid? It is under `parameters`",
    403: "may this credential read this? Give it the right, or leave the table out of `tables`",
    404: "is base_url right, and the `parameters` that belong to the path?",
}


class RenewableAuth(Protocol):
    """An authentication that can get itself another token."""

    def __call__(self, request: requests.PreparedRequest, /) -> requests.PreparedRequest:
        """Put the credential on a request."""
        ...

    def renew(self) -> None:
        """Get another token."""
        ...


@dataclass(frozen=True)
class Patience:
    """How long to go on trying.

    Attributes:
        retries: Tries after the first one.
        seconds: The longest that one request may wait altogether.
        timeout_seconds: The longest to wait for the server to say something.
        first_pause_seconds: What the back-off begins with; it doubles.
    """

    retries: int = 5
    seconds: float = 600.0
    timeout_seconds: float = 60.0
    first_pause_seconds: float = 1.0


@dataclass
class Call:
    """What belongs to all requests of one table.

    Attributes:
        body_format: How the answers are written.
        actions: Answers that count as an empty last page.
        limiters: What to keep to, besides the source's limits.
        auth: What can get a new token when the old one has expired.
        requests: How many were sent.
        retries: How many of them again.
        ignored: How many answers the endpoint ignores.
    """

    body_format: Format = "json"
    actions: Sequence[ResponseAction] = ()
    limiters: Sequence[Limiter] = ()
    auth: RenewableAuth | None = None
    requests: int = 0
    retries: int = 0
    ignored: int = 0


class ApiSession(requests.Session):
    """A session with one API.

    Args:
        hosts: Origins (scheme, host, port) that requests may go to.
        errors: How the API says that something is wrong.
        patience: How long to go on trying.
        limiter: What all requests keep to.
        secrets: Texts that no error may hold; may grow.
        sleep: Waits that many seconds.
        reach: Where requests may go; None: anywhere.
    """

    def __init__(
        self,
        hosts: Collection[tuple[str, str, int]],
        errors: Errors,
        patience: Patience,
        limiter: Limiter,
        secrets: set[str],
        sleep: Callable[[float], None] = time.sleep,
        reach: Reach | None = None,
    ) -> None:
        super().__init__()
        self.secrets = secrets
        self._hosts, self._errors, self._patience, self._limiter, self._sleep = hosts, errors, patience, limiter, sleep
        self.headers["User-Agent"] = "datainsight"
        for scheme in ("https://", "http://"):
            self.mount(scheme, ReplyAdapter() if reach is None else HeldAdapter(reach))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """A request with its credentials.

        Raises:
            DataInsightError: Its address or headers are no such thing.
        """
        try:
            return super().prepare_request(request)
        except (UnicodeError, requests.exceptions.InvalidHeader):
            raise self._error("a header has characters that no header can carry", "look at `parameters`") from None
        except requests.RequestException as error:
            raise self._error(f"no request can be made: {error}", "look at base_url and `parameters`") from None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request; with a `call`, until it is answered.

        Raises:
            DataInsightError: There is no answer, or none that helps.
            IgnoreResponseException: The answer is one that the endpoint ignores.
        """
        kwargs["timeout"] = self._patience.timeout_seconds
        call: Call | None = kwargs.pop("call", None)
        if call is None:  # A redirect within a request.
            return super().send(request, **kwargs)
        return self._answered(request, call, kwargs)

    def _answered(self, request: requests.PreparedRequest, call: Call, kwargs: dict[str, Any]) -> Reply:
        self._check_host(request)
        renewed, waited, tries = False, 0.0, 0
        while True:
            for limiter in (self._limiter, *call.limiters):
                limiter.wait()
            call.requests += 1
            try:
                reply, problem, pause = self._once(request, call, kwargs)
            except LargeAnswerError as error:
                raise self._error(
                    f"{_said(request)} was answered with {error}", "ask for smaller pages, or fewer rows at once"
                ) from None
            if reply is not None and self._has_expired(reply) and call.auth and not renewed:
                call.auth.renew()
                call.auth(request)
                renewed = True
                continue
            if problem is None and reply is not None:
                return self._sound(reply, request, call)
            pause = self._pause(tries) if pause is None else pause
            tries += 1
            if tries > self._patience.retries or waited + pause > self._patience.seconds:
                raise self._gave_up(request, str(problem), tries, waited, pause)
            call.retries += 1
            waited += pause
            self._sleep(pause)

    def _once(
        self, request: requests.PreparedRequest, call: Call, kwargs: dict[str, Any]
    ) -> tuple[Reply | None, str | None, float | None]:
        """The answer, what is wrong with it that may pass, and how long it asks to wait."""
        try:
            reply = super().send(request, **kwargs)
        except requests.TooManyRedirects:
            raise self._error(f"{_said(request)} is redirected without end") from None
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            return None, _reason(error, self._patience), None
        except requests.exceptions.ContentDecodingError:
            return None, "an answer whose compression is broken", None
        except requests.RequestException as error:
            raise self._error(f"{_said(request)} cannot be sent: {error}") from None
        except ValueError:
            # Python's own text would repeat the header, which may be the credential.
            raise self._error(
                f"{_said(request)} cannot be sent: a header or credential has characters that no header can carry"
            ) from None
        assert isinstance(reply, Reply)  # noqa: S101 - the adapter makes no other.
        reply.body_format = call.body_format
        asked = wait_seconds(reply, self._errors)
        if self._is_limited(reply, asked):
            return reply, f"{reply.status_code} {reply.reason}: too many requests", asked
        if reply.status_code in _PASSING:
            return reply, self._status(reply), asked
        if reply.ok and reply.status_code < 300:  # noqa: PLR2004 - success, not a redirect.
            try:
                reply.exact  # noqa: B018 - read now, so that a broken body is asked for again.
            except UnreadableAnswerError as error:
                return reply, str(error), None
        return reply, None, None

    def _sound(self, reply: Reply, request: requests.PreparedRequest, call: Call) -> Reply:
        for action in call.actions:
            if action.status_code in (None, reply.status_code) and (action.content or "") in reply.text:
                call.ignored += 1
                raise IgnoreResponseException
        failed = self._errors.failed_when
        if reply.status_code >= 300 or (failed is not None and shows(failed, reply)):  # noqa: PLR2004
            hint = _HINTS.get(reply.status_code, _HINTS[401] if self._has_expired(reply) else None)
            raise self._error(f"{_said(request)} was answered {self._status(reply)}", hint)
        return reply

    def _is_limited(self, reply: Reply, asked: float | None) -> bool:
        if reply.status_code == 429 or (reply.status_code == 503 and asked is not None):  # noqa: PLR2004
            return True
        return any(shows(sign, reply) for sign in self._errors.rate_limited)

    def _has_expired(self, reply: Reply) -> bool:
        return reply.status_code == 401 or any(shows(sign, reply) for sign in self._errors.expired)  # noqa: PLR2004

    def _status(self, reply: Reply) -> str:
        words = message(reply, self._errors)
        return f"{reply.status_code} {reply.reason}".strip() + (f": {words}" if words else "")

    def _pause(self, tries: int) -> float:
        longest = min(_LONGEST_PAUSE_SECONDS, self._patience.first_pause_seconds * 2.0**tries)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter.

    def _gave_up(
        self, request: requests.PreparedRequest, problem: str, tries: int, waited: float, pause: float
    ) -> DataInsightError:
        if tries > self._patience.retries:
            counted = "1 try" if tries == 1 else f"{tries} tries"
            told = f"{_said(request)} got no usable answer in {counted}: {problem}"
        else:
            told = (
                f"{_said(request)} would have to wait {pause:,.0f} s more after {waited:,.0f} s,"
                f" longer than its patience of {self._patience.seconds:,.0f} s: {problem}"
            )
        return self._error(told, "the next run asks again; `retries` and `patience` of the source say how long to try")

    def _check_host(self, request: requests.PreparedRequest) -> None:
        if origin(str(request.url)) not in self._hosts:
            host = urlsplit(str(request.url)).netloc.rpartition("@")[2]
            raise self._error(
                f"the API names {host} as the host of the next page; credentials are not sent to another host",
                "base_url says which host the API is at",
            )

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep credentials, whatever header they are in, from another host that a redirect leads to."""
        if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
            for name in [name for name in prepared_request.headers if name.lower() not in _HARMLESS_HEADERS]:
                del prepared_request.headers[name]

    def _error(self, told: str, hint: str | None = None) -> DataInsightError:
        return DataInsightError(redacted(told, self.secrets), hint)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _said(request: requests.PreparedRequest) -> str:
    """A request without its query, which may hold a key."""
    parts = urlsplit(str(request.url))
    return f"{request.method} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: Exception, patience: Patience) -> str:
    if isinstance(error, requests.Timeout):
        return f"no answer within {patience.timeout_seconds:g} s"
    cause: Any = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    # urllib3 begins with the connection it had: <…>: or HTTPConnection(…):
    text = re.sub(r"^(?:<.*?>|\w+\(.*?\)): ", "", str(cause)) or type(cause).__name__
    return f"the connection failed: {text}"
