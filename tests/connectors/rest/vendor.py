"""A loopback server that speaks a vendor's API: its authentication, paging, limits and errors, over data of its own.

One module per vendor in `vendors/`, each with one subclass of `Vendor`; `vendor_run.py` runs them.
"""

import copy
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, unquote, urlsplit

from requests.structures import CaseInsensitiveDict

from connectors.names import column_name
from connectors.rest.definition import load_catalog


@dataclass
class Reply:
    """What the server answers.

    Attributes:
        status: The HTTP status.
        body: JSON.
        headers: Besides the content type.
        raw: Bytes in place of the JSON.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass
class Call:
    """What was asked.

    Attributes:
        path: Without query, unquoted.
        query: The last value of each parameter.
        queries: All values of each parameter.
        headers: By name, in whatever case.
        body: The body's bytes.
    """

    method: str
    path: str
    query: dict[str, str]
    queries: dict[str, list[str]]
    headers: CaseInsensitiveDict[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


class Server(ABC):
    """A loopback server; as a context manager, it runs.

    Attributes:
        url: Where it is.
        calls: Everything that was asked.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    @abstractmethod
    def respond(self, call: Call) -> Reply:
        """The answer to a call."""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Vendor(Server):
    """A vendor's API; see the attributes that a subclass sets.

    Attributes:
        catalog: The catalogue's name of the API.
        parameters: As under `parameters:` in sources.yaml.
        wrong: Parameters in place of those, with a credential that the server does not know.
        rate_limit: The answer to one request of each run, the first one after `authorize` let two through.
        page_size: The most rows that the server puts on a page.
        rows: By table, the API's objects.
        changes: By table, objects that are new or changed, by `key_of`, before the second run.
        expected: By table, columns and texts of the rows that land, where they are not simply `rows`.
        data: By table, the objects as they are now.
    """

    catalog: ClassVar[str]
    parameters: ClassVar[Mapping[str, Any]] = {}
    wrong: ClassVar[Mapping[str, Any]] = {}
    rate_limit: ClassVar[Reply] = Reply(429, {"error": "too many requests"}, {"Retry-After": "0"})
    page_size: ClassVar[int] = 2
    rows: ClassVar[Mapping[str, list[dict[str, Any]]]]
    changes: ClassVar[Mapping[str, list[dict[str, Any]]]] = {}
    expected: ClassVar[Mapping[str, list[dict[str, str | None]]]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, list[dict[str, Any]]] = copy.deepcopy(dict(self.rows))
        self._lock = threading.Lock()
        self._until_limit = -1
        self.limited = 0
        self._tables = load_catalog(self.catalog).tables

    @abstractmethod
    def authorize(self, call: Call) -> Reply | None:
        """None when the call may be answered, else the vendor's refusal."""

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """The answer to an authorized call; the vendor's own 404 for a route there is not."""

    def token(self, call: Call) -> Reply | None:
        """The answer to a request for a token, before authorization; None when the call is none."""
        del call
        return None

    def key_of(self, table: str, row: Mapping[str, Any]) -> Any:
        """What tells the objects of a table apart: what the definition calls its key."""
        values = {column_name(name): value for name, value in row.items()}
        return tuple(values[column_name(column)] for column in self._tables[table].key or ())

    def change(self) -> None:
        """Apply `changes`: objects with a known key are replaced, others added."""
        for table, changed in self.changes.items():
            by_key = {self.key_of(table, row): row for row in self.data.get(table, [])}
            by_key |= {self.key_of(table, row): copy.deepcopy(row) for row in changed}
            self.data[table] = list(by_key.values())

    def page(self, rows: list[Any], start: int, size: int) -> list[Any]:
        """Rows from `start` on, no more than asked for and than the server gives."""
        return rows[start : start + min(size, self.page_size)]

    def limit_next(self) -> None:
        """Answer the second request from now on with the rate limit, once."""
        self._until_limit = 2

    def respond(self, call: Call) -> Reply:
        with self._lock:
            if (given := self.token(call)) is not None:
                return given
            if (refused := self.authorize(call)) is not None:
                return refused
            if self._until_limit > 0:
                self._until_limit -= 1
                if self._until_limit == 0:
                    self.limited += 1
                    return self.rate_limit
            return self.answer(call)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20
        disable_nagle_algorithm = True

        def _respond(self) -> None:
            parts = urlsplit(self.path)
            queries = parse_qs(parts.query, keep_blank_values=True)
            call = Call(
                method=self.command,
                path=unquote(parts.path),
                query={name: values[-1] for name, values in queries.items()},
                queries=queries,
                headers=CaseInsensitiveDict(self.headers.items()),
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            server.calls.append(call)
            reply = server.respond(call)
            body = reply.raw if reply.raw is not None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _respond  # noqa: N815 - the base class's names.

        def log_message(self, *_: object) -> None:
            """The tests look at `calls`."""

    return Handler
