"""How a definition writes one endpoint: request, rows in the answer, paging, and what is new since the last run."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from connectors.extraction.window import Lag, parse_lag
from connectors.rest.auth_settings import Settings
from connectors.rest.paginator_settings import Paginator
from connectors.rest.placeholders import names_in

_NAMED_FORMATS = ("iso8601", "date", "unix", "unix_ms", "number", "text")


def _lag(value: Any) -> Any:
    if value is None or isinstance(value, timedelta):
        return value
    try:
        return parse_lag(value)
    except ValueError:
        raise PydanticCustomError("lag", "must be a span of time such as 2 days, or a number") from None


def _span(value: Any) -> Any:
    try:
        span = value if value is None or isinstance(value, timedelta) else parse_lag(value)
    except ValueError:
        span = value
    if span is not None and (not isinstance(span, timedelta) or not span):
        raise PydanticCustomError("span", "must be a span of time such as 10 minutes")
    return span


def _format(value: Any) -> Any:
    if value is not None and value not in _NAMED_FORMATS and (not isinstance(value, str) or "%" not in value):
        allowed = ", ".join(_NAMED_FORMATS)
        raise PydanticCustomError("format", f"must be {allowed}, or a pattern such as %Y%m%dT%H")
    return value


def _moment(value: Any) -> Any:
    """YAML reads 2024-01-01 as a date; a definition wants the text."""
    return value.isoformat() if hasattr(value, "isoformat") else None if value is None else str(value)


LagSetting = Annotated[Any, BeforeValidator(_lag), Field(description="a span such as 2 days, or a number")]
SpanSetting = Annotated[timedelta | None, BeforeValidator(_span), Field(description="a span such as 31 days")]
InitialValue = Annotated[
    str | None,
    BeforeValidator(_moment),
    Field(description="a date, a moment, or a span back from now such as 90 days"),
]
_Format = Annotated[
    str | None,
    BeforeValidator(_format),
    Field(description=f'{", ".join(_NAMED_FORMATS)} or a pattern such as "%Y%m%dT%H"'),
]


class Incremental(Settings):
    """How only new and changed rows are asked for."""

    cursor_path: Annotated[str | None, Field(description="a column of the rows")] = None
    start_param: Annotated[str | None, Field(description="the name of a parameter")] = None
    end_param: Annotated[str | None, Field(description="the name of a parameter")] = None
    format: _Format = "iso8601"
    cursor_format: _Format = None
    initial_value: InitialValue = None
    lag: LagSetting = None
    slice: SpanSetting = None

    @property
    def row_format(self) -> str:
        """How the rows write the cursor."""
        return self.cursor_format or self.format or "iso8601"

    @property
    def lag_value(self) -> Lag:
        """The lag as `Window` takes it."""
        lag: Lag = self.lag
        return lag


class ResponseAction(Settings):
    """An answer that is no error, as dlt writes it."""

    status_code: Annotated[int | None, Field(description="an HTTP status")] = None
    content: Annotated[str | None, Field(description="a text in the answer")] = None
    action: Annotated[Literal["ignore"], Field(description="ignore")]


class Zip(Settings):
    """Names that stand apart from the values."""

    names: Annotated[str, Field(description="a JSON path in the answer")]
    values: Annotated[str, Field(description="a JSON path in the row")]


class RequestSettings(Settings):
    """A request without paging."""

    path: Annotated[str, Field(description="a path such as /v1/charges")]
    method: Annotated[Literal["GET", "POST"], Field(description="GET or POST")] = "GET"
    params: Annotated[Mapping[str, Any], Field(description="a mapping of names to values")] = {}
    json_body: Annotated[Any, Field(alias="json", description="any JSON")] = None
    headers: Annotated[Mapping[str, SecretStr], Field(description="a mapping of names to texts")] = {}

    @model_validator(mode="after")
    def _path_only(self) -> "RequestSettings":
        if re.match(r"[a-z]+://|//", self.path):
            raise PydanticCustomError("path", "must be a path; the host belongs to base_url")
        return self


class Endpoint(RequestSettings):
    """Where a table's rows come from."""

    data_selector: Annotated[str | None, Field(description="a JSON path of the rows")] = None
    data_may_be_missing: Annotated[bool, Field(description="true or false")] = False
    format: Annotated[Literal["json", "jsonl", "zip_jsonl"], Field(description="json, jsonl or zip_jsonl")] = "json"
    zip: Annotated[tuple[Zip, ...], Field(description="a list of names and values")] = ()
    paginator: Paginator | None = None
    response_actions: Annotated[tuple[ResponseAction, ...], Field(description="a list of answers")] = ()
    incremental: Annotated[Incremental | None, Field(description="a mapping")] = None

    @model_validator(mode="after")
    def _sound_bounds(self) -> "Endpoint":
        found = [name for name in self.placeholders if name.startswith("incremental.")]
        bounds = self.incremental
        if wrong := set(found) - {"incremental.start_value", "incremental.end_value"}:
            raise PydanticCustomError("bounds", f"names {{{min(wrong)}}}; there are incremental.start_value, end_value")
        if bounds is None:
            if found:
                raise PydanticCustomError("bounds", f"names {{{found[0]}}} and has no incremental")
            return self
        starts = bounds.start_param or "incremental.start_value" in found
        ends = bounds.end_param or "incremental.end_value" in found
        if not starts:
            raise PydanticCustomError(
                "bounds", "is incremental and has no start_param and no {incremental.start_value}"
            )
        if bounds.slice and not ends:
            raise PydanticCustomError("bounds", "has a slice and no end_param and no {incremental.end_value}")
        if bounds.initial_value is None and (bounds.slice or "incremental.start_value" in found):
            raise PydanticCustomError("bounds", "needs an initial_value in its incremental")
        return self

    @property
    def placeholders(self) -> list[str]:
        """What the request mentions."""
        return list(names_in([self.path, self.params, self.json_body, self.headers]))

    @property
    def parent_fields(self) -> dict[str, list[str]]:
        """By parent table, the fields of its rows that the request mentions."""
        fields: dict[str, list[str]] = {}
        for name in self.placeholders:
            if name.startswith("resources."):
                _, parent, field = [*name.split(".", 2), ""][:3]
                if field not in fields.setdefault(parent, []):
                    fields[parent].append(field)
        return fields


def initial_moment(text: str) -> datetime:
    """Where a first run begins: a date or moment, or a span back from now.

    Raises:
        ValueError: It is none of them.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        span = parse_lag(text)
        if not isinstance(span, timedelta):
            raise
        return datetime.now(UTC) - span
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
