"""A REST API as its YAML defines it, and how that is read: whatever is wrong is said with file, line and key."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from connectors.rest.auth_settings import Auth, Settings
from connectors.rest.endpoint_settings import Endpoint, RequestSettings
from connectors.rest.paginator_settings import Paginator
from connectors.rest.placeholders import names_in
from connectors.source import Texts
from connectors.yaml_document import read_yaml
from warehouse.errors import DataInsightError

CATALOG = Path(__file__).parent.parent / "catalog"
HINT = "docs/connectors/rest.md shows every key with an example"
_TABLE_NAME = re.compile(r"[a-z](?:_?[a-z0-9])*")
_Address = Annotated[str, Field(description="an address such as https://api.example.com")]
_Prose = Annotated[str, Field(min_length=1, description="a text")]


class Parameter(Settings):
    """What the user of a definition gives; optional when it has a default, be it null."""

    description: _Prose
    secret: Annotated[bool, Field(description="true or false")] = False
    default: Annotated[str | int | tuple[str, ...] | None, Field(description="a text, a list of them, or null")] = None
    example: Annotated[str | int | None, Field(description="a text")] = None

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return "default" not in self.model_fields_set

    @model_validator(mode="after")
    def _sound(self) -> "Parameter":
        if self.secret and isinstance(self.default, tuple):
            raise PydanticCustomError("definition", "is secret, and so cannot be a list")
        return self


class Client(Settings):
    """What all requests have in common."""

    base_url: _Address
    headers: Annotated[Mapping[str, SecretStr], Field(description="a mapping of names to texts")] = {}
    auth: Auth | None = None
    paginator: Paginator | None = None


class Limit(Settings):
    """As many requests in as many seconds, no more."""

    requests: Annotated[int, Field(gt=0, description="a whole number")]
    seconds: Annotated[float, Field(gt=0, description="a number of seconds")]
    documentation: Annotated[_Address | None, Field(description="an address")] = None
    wording: Annotated[_Prose | None, Field(description="the documentation's words")] = None


class Sign(Settings):
    """How an answer is recognized: by status, a header, a text in it, a value in it; all that are given must hold.

    A path without `equals` holds when something is there: not null, false, zero or empty.
    """

    status_code: Annotated[int | None, Field(description="an HTTP status")] = None
    header: Annotated[Mapping[str, str], Field(description="a mapping of headers to values")] = {}
    content: Annotated[str | None, Field(description="a text in the answer")] = None
    path: Annotated[str | None, Field(description="a JSON path in the answer")] = None
    equals: Annotated[Any, Field(description="a value")] = None

    @model_validator(mode="after")
    def _sound(self) -> "Sign":
        if not {"status_code", "header", "content", "path"} & self.model_fields_set:
            raise PydanticCustomError("definition", "needs a status_code, header, content or path to go by")
        if "equals" in self.model_fields_set and self.path is None:
            raise PydanticCustomError("definition", "has equals and no path")
        return self


class Errors(Settings):
    """How the API says that something is wrong."""

    message_path: Annotated[Texts, Field(description="a JSON path or a list of them")] = (
        "error.message",
        "error_description",
        "message",
        "[*].message",
        "errors[*].message",
        "error.detail",
        "detail",
        "errors",
        "error",
    )
    failed_when: Annotated[Sign | None, Field(description="a mapping such as {path: ok, equals: false}")] = None
    rate_limited: Annotated[tuple[Sign, ...], Field(description="a list of signs")] = ()
    expired: Annotated[tuple[Sign, ...], Field(description="a list of signs")] = ()
    retry_after_header: Annotated[str, Field(description="the name of a header")] = "Retry-After"
    reset_header: Annotated[str | None, Field(description="the name of a header")] = None
    reset_format: Annotated[
        Literal["unix", "unix_ms", "seconds", "iso8601", "http_date"],
        Field(description="unix, unix_ms, seconds, iso8601 or http_date"),
    ] = "unix"


class RestTable(Settings):
    """A table and the endpoint that its rows come from."""

    documentation: Annotated[_Address | None, Field(description="an address")] = None
    description: Annotated[_Prose | None, Field(description="a text")] = None
    key: Annotated[Texts | None, Field(description="a column name or a list of them")] = None
    cursor: Annotated[str | None, Field(description="a column name")] = None
    columns: Annotated[Mapping[str, str], Field(description="a mapping of columns to JSON paths in the row")] = {}
    include_from_parent: Annotated[tuple[str, ...], Field(description="a list of the parent's fields")] = ()
    parents: Annotated[Literal["changed", "all"], Field(description="changed or all")] = "changed"
    limits: Annotated[tuple[Limit, ...], Field(description="a list of requests and seconds")] = ()
    base_url: Annotated[_Address | None, Field(description="an address")] = None
    endpoint: Annotated[Endpoint, Field(description="a mapping with at least a path")]

    @model_validator(mode="after")
    def _sound(self) -> "RestTable":
        bounds = self.endpoint.incremental
        if bounds and not (bounds.cursor_path or self.cursor):
            raise PydanticCustomError("table", "is incremental and names no cursor")
        if bounds and not self.key:
            raise PydanticCustomError("table", "is incremental and has no key")
        if len(self.endpoint.parent_fields) > 1:
            raise PydanticCustomError("table", "has more than one parent; a table can have one")
        if (self.include_from_parent or self.parents == "all") and not self.parent:
            raise PydanticCustomError("table", "has no {resources.parent.field} in its endpoint, so no parent")
        return self

    @property
    def parent(self) -> str | None:
        """The table for each of whose rows the endpoint is asked."""
        return next(iter(self.endpoint.parent_fields), None)


class Definition(Settings):
    """An API: what the user gives, how it is asked, and its tables."""

    title: Annotated[_Prose | None, Field(description="the API's name")] = None
    documentation: Annotated[_Address | None, Field(description="an address")] = None
    parameters: Annotated[Mapping[str, Parameter], Field(description="a mapping of names to parameters")] = {}
    client: Annotated[Client, Field(description="a mapping with at least a base_url")]
    limits: Annotated[tuple[Limit, ...], Field(description="a list of requests and seconds")] = ()
    errors: Annotated[Errors, Field(description="a mapping")] = Errors()
    check: Annotated[RequestSettings | None, Field(description="a mapping with at least a path")] = None
    tables: Annotated[Mapping[str, RestTable], Field(min_length=1, description="a mapping of names to tables")]

    @model_validator(mode="after")
    def _sound(self) -> "Definition":
        for name, table in self.tables.items():
            if not _TABLE_NAME.fullmatch(name):
                raise PydanticCustomError("definition", f"has a table {name!r}; allowed are a-z, 0-9 and single _")
            if table.parent is not None and (table.parent == name or table.parent not in self.tables):
                raise PydanticCustomError("definition", f"has a table {name} with the unknown parent {table.parent!r}")
            self._check_ancestry(name)
        for name in names_in(self):
            if "." not in name and name not in self.parameters:
                raise PydanticCustomError(
                    "definition", f"mentions {{{name}}}, which is no parameter; a brace is written {{{{ or }}}}"
                )
        return self

    def _check_ancestry(self, name: str) -> None:
        seen = [name]
        while (parent := self.tables[seen[-1]].parent) in self.tables and parent is not None:
            if parent in seen:
                raise PydanticCustomError("definition", f"has tables that are their own parents: {', '.join(seen)}")
            seen.append(parent)


def load_definition(path: Path) -> Definition:
    """Read a definition.

    Raises:
        DataInsightError: It cannot be read or something is wrong in it; the message names file, line and key.
    """
    if not path.is_file():
        raise DataInsightError(f"there is no definition {path}", hint=HINT)
    document = read_yaml(path)
    if not isinstance(document.values, dict):
        raise document.mistake((), "must be a mapping of keys to values", HINT)
    try:
        return Definition.model_validate(document.values)
    except ValidationError as error:
        where, problem = first_mistake(error)
        raise document.mistake(where, problem, HINT) from None


def load_catalog(name: str) -> Definition:
    """Read a ready definition; one that a catalogue must have more of than a definition of one's own.

    Raises:
        DataInsightError: There is none of that name, or something is wrong in it.
    """
    if name not in catalog_names():
        raise DataInsightError(f"there is no {name!r} in the catalogue; it has {', '.join(catalog_names())}", hint=HINT)
    path = CATALOG / f"{name}.yaml"
    definition = load_definition(path)
    missing = [key for key in ("title", "documentation") if not getattr(definition, key)]
    for table_name, table in definition.tables.items():
        wanted = {key: getattr(table, key) for key in ("documentation", "description", "key")}
        wanted["endpoint.data_selector"] = table.endpoint.data_selector or table.endpoint.format != "json"
        missing += [f"tables.{table_name}.{key}" for key, value in wanted.items() if not value]
    if missing:
        raise DataInsightError(f"{path} has no {', '.join(missing)}, which the catalogue wants", hint=HINT)
    return definition


def catalog_names() -> list[str]:
    """The names of the ready definitions."""
    return sorted(path.stem for path in CATALOG.glob("*.yaml"))


def first_mistake(error: ValidationError) -> tuple[tuple[str | int, ...], str]:
    """Where the first mistake is, and what it is; its input is not repeated, for it may be a secret."""
    details = min(error.errors(include_input=False), key=lambda details: details["type"] != "extra_forbidden")
    loc = details["loc"]
    # After a key whose value is one of several kinds, pydantic names the kind.
    where = tuple(part for before, part in zip(("", *loc), loc, strict=False) if before not in {"auth", "paginator"})
    match details["type"]:
        case "extra_forbidden":
            return where, "is not known"
        case "missing":
            return where[:-1], f"has no {where[-1]}"
        case "union_tag_invalid" | "union_tag_not_found":
            return where, "needs a type: " + str(details.get("ctx", {}).get("expected_tags", "see the documentation"))
        case "value_error" | "assertion_error":
            return where, details["msg"]
    message = details["msg"]
    return where, message if details["type"] in _OUR_TYPES else message[0].lower() + message[1:]


_OUR_TYPES = {"paginator", "path", "bounds", "table", "definition", "lag", "span", "format", "empty"}
