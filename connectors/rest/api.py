"""An API that can be asked: a definition with the user's parameters filled in, one session, dlt's client for pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.utils import join_url
from requests import Request

from connectors.rest.authentication import OAuth2, build_auth
from connectors.rest.definition import Definition, Limit, RestTable
from connectors.rest.endpoint_settings import RequestSettings
from connectors.rest.limits import Limiter
from connectors.rest.paginator_settings import SinglePage
from connectors.rest.paging import GuardedPaginator
from connectors.rest.paths import find
from connectors.rest.placeholders import ABSENT, Lookup, fill
from connectors.rest.replies import Reply
from connectors.rest.session import ApiSession, Call, Patience, origin
from warehouse.errors import DataInsightError
from warehouse.reach import Reach


@dataclass(frozen=True)
class Access:
    """What a user says about an API, besides its definition.

    Attributes:
        parameters: Values by name; None for optional ones that are not given.
        base_url: Replaces scheme, host and port of every address; its path, if any, that of the base address.
        limits: In place of the definition's; None keeps those.
        kept: The file for a refresh token that the API replaces.
        secrets: Texts that no error may hold.
        reach: Where requests may go, those that follow a redirect too; None: anywhere.
    """

    parameters: Mapping[str, Any]
    base_url: str | None
    limits: Sequence[Limit] | None
    patience: Patience
    kept: Path
    secrets: frozenset[str]
    reach: Reach | None = None


@dataclass(frozen=True)
class Page:
    """Rows of one answer, as they are in it."""

    rows: list[Any]
    reply: Reply


class Api:
    """See the charter.

    Args:
        definition: What the API is like.
        access: What the user says.
    """

    def __init__(self, definition: Definition, access: Access) -> None:
        self._definition, self._access = definition, access
        base_url = str(self._fill(definition.client.base_url))
        self._base_url = _moved(
            base_url, access.base_url, keep_path=not urlsplit(access.base_url or "").path.strip("/")
        )
        if origin(self._base_url)[0] not in {"http", "https"} or not origin(self._base_url)[1]:
            raise DataInsightError(
                f"base_url {self._base_url!r} is no address", "it is like https://api.example.com; look at `parameters`"
            )
        hosts = {origin(self._base_url)} | {origin(self._host_of(table)) for table in definition.tables.values()}
        auth = self._auth_settings()
        if auth and "access_token_url" in auth:
            hosts.add(origin(auth["access_token_url"]))
        limits = definition.limits if access.limits is None else access.limits
        self._session = ApiSession(
            hosts, definition.errors, access.patience, Limiter(limits), set(access.secrets), reach=access.reach
        )
        self._auth = build_auth(auth, self._session, access.kept)
        self._limiters = {name: Limiter(table.limits) for name, table in definition.tables.items()}
        self._headers = self._fill(definition.client.headers)

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def call(self, table_name: str) -> Call:
        """A new count of requests for a table."""
        endpoint = self._definition.tables[table_name].endpoint
        own = self._access.limits is None
        return Call(
            body_format=endpoint.format,
            actions=endpoint.response_actions,
            limiters=[self._limiters[table_name]] if own else [],
            auth=self._auth if isinstance(self._auth, OAuth2) else None,
        )

    def address(self, table_name: str) -> str:
        """Method and address of a table's endpoint, for people; no query, no parent's values."""
        table = self._definition.tables[table_name]
        lookup: Lookup = lambda name: f"{{{name}}}" if "." in name else self._parameter(name)  # noqa: E731
        path = fill(table.endpoint.path, lookup)
        return f"{table.endpoint.method} {join_url(self._host_of(table), str(path))}"

    def ask(self, settings: RequestSettings) -> Reply:
        """One request without paging.

        Raises:
            DataInsightError: It was not answered as it should be.
        """
        request = Request(
            settings.method,
            join_url(self._base_url, str(fill(settings.path, lambda name: _quoted(self._parameter(name))))),
            params=_query(self._fill(settings.params)),
            json=self._fill(settings.json_body),
            headers={**self._headers, **self._fill(settings.headers)},
            auth=self._auth,
        )
        call = Call(auth=self._auth if isinstance(self._auth, OAuth2) else None)
        reply = self._session.send(self._session.prepare_request(request), call=call, allow_redirects=True)
        assert isinstance(reply, Reply)  # noqa: S101 - the session gives no other.
        return reply

    def pages(
        self, table_name: str, call: Call, values: Mapping[str, Any], more_params: Mapping[str, Any]
    ) -> Iterator[Page]:
        """The pages of a table.

        Args:
            table_name: The table.
            call: Where requests are counted.
            values: What placeholders of parents and bounds stand for.
            more_params: Query parameters besides the definition's.

        Raises:
            DataInsightError: The API does not answer, or not as its definition says.
        """
        table = self._definition.tables[table_name]
        endpoint = table.endpoint
        lookup: Lookup = lambda name: values.get(name, ABSENT) if "." in name else self._parameter(name)  # noqa: E731
        path = fill(endpoint.path, lambda name: _quoted(lookup(name)))
        settings = endpoint.paginator or self._definition.client.paginator or SinglePage(type="single_page")
        client = _ExactClient(
            self._host_of(table),
            headers=self._headers,
            auth=self._auth,
            session=self._session,
            config=RuntimeConfiguration(),
        )
        pages = client.paginate(
            str(path),
            method=endpoint.method,
            params=_query({**fill(endpoint.params, lookup), **more_params}),
            json=fill(endpoint.json_body, lookup),
            headers=self._fill(endpoint.headers),
            paginator=GuardedPaginator(settings, table_name),
            data_selector=endpoint.data_selector,
            hooks={"response": []},
            call=call,
        )
        for page in pages:
            assert isinstance(page.response, Reply)  # noqa: S101 - the session gives no other.
            if not page:
                _check_place(table_name, table, page.response)
            yield Page(list(page), page.response)

    def _parameter(self, name: str) -> Any:
        value = self._access.parameters.get(name)
        return ABSENT if value is None else value

    def _fill(self, value: Any) -> Any:
        return fill(value, self._parameter)

    def _host_of(self, table: RestTable) -> str:
        if table.base_url is None:
            return self._base_url
        return _moved(str(self._fill(table.base_url)), self._access.base_url, keep_path=True)

    def _auth_settings(self) -> dict[str, Any] | None:
        auth = self._definition.client.auth
        if auth is None:
            return None
        settings: dict[str, Any] = fill(
            {name: getattr(auth, name) for name in type(auth).model_fields}, self._parameter
        )
        if url := settings.get("access_token_url"):
            absolute = urljoin(self._base_url, url)
            settings["access_token_url"] = _moved(absolute, self._access.base_url, keep_path=True)
        return settings


class _ExactClient(RESTClient):
    """dlt's client, but rows keep their numbers as they were written."""

    def extract_response(self, response: Any, data_selector: Any) -> list[Any]:
        found = find(str(data_selector), response.exact)
        data = found[0] if len(found) == 1 else found
        if data is None:
            return []
        return data if isinstance(data, list) else [data]


def _check_place(table_name: str, table: RestTable, reply: Reply) -> None:
    """No rows are well; no place for them is a definition that does not fit."""
    selector = table.endpoint.data_selector
    if not selector or table.endpoint.data_may_be_missing or reply.status_code != 200:  # noqa: PLR2004
        return
    place = selector.partition("[*]")[0]
    if place and not find(place, reply.json()):
        keys = ", ".join(reply.json()) if isinstance(reply.json(), dict) else type(reply.json()).__name__
        raise DataInsightError(
            f"table {table_name}: the answer has nothing at {selector}; it has {keys[:200]}",
            "data_selector says where the rows are; data_may_be_missing that they may be missing",
        )


def _quoted(value: Any) -> Any:
    if value is ABSENT:
        return value
    return quote(",".join(value) if isinstance(value, list) else str(value), safe="")


def _query(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in params.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _moved(url: str, to: str | None, *, keep_path: bool) -> str:
    if not to:
        return url
    there, here = urlsplit(to), urlsplit(url)
    path = here.path if keep_path else there.path
    return urlunsplit((there.scheme, there.netloc, path, here.query, ""))
