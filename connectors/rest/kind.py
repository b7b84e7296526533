"""The kind `rest` in `sources.yaml`: a definition from the catalogue or of one's own, parameters, and which tables."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from connectors.extraction.request import DiscoveredTable, Request, TableCheck
from connectors.extraction.spool import Spool
from connectors.rest.definition import Definition, Limit, first_mistake, load_catalog, load_definition
from connectors.rest.endpoint_settings import InitialValue, LagSetting, SpanSetting
from connectors.rest.overrides import check_placeholders, overridden
from connectors.rest.placeholders import ABSENT
from connectors.secrets import secret_texts
from connectors.source import SourceConfig, Surroundings, TableConfig
from warehouse.datasources import rest_folder

if TYPE_CHECKING:
    from connectors.rest.api import Api

_MAPPING = "a mapping of names to values"


class RestTableConfig(TableConfig):
    """What a user says of a table, besides its definition."""

    lag: LagSetting = None
    initial_value: InitialValue = None
    params: Annotated[Mapping[str, Any], Field(description=_MAPPING)] = {}
    json_body: Annotated[Mapping[str, Any] | None, Field(alias="json", description=_MAPPING)] = None


class RestSource(SourceConfig):
    """A JSON API."""

    catalog: Annotated[str | None, Field(description="the name of a ready definition, such as stripe")] = None
    definition: Annotated[
        Definition | None, Field(description="a definition's path, or the definition itself as a mapping")
    ] = None
    parameters: Annotated[Mapping[str, str | SecretStr | tuple[str, ...] | None], Field(description=_MAPPING)] = {}
    base_url: Annotated[
        str | None, Field(pattern=r"^https?://[^/@\s]+", description="an address such as https://gitlab.example.com")
    ] = None
    limits: Annotated[tuple[Limit, ...] | None, Field(description="a list of requests and seconds")] = None
    retries: Annotated[int, Field(ge=0, le=100, description="a whole number from 0 to 100")] = 5
    patience: SpanSetting = timedelta(minutes=10)
    timeout: SpanSetting = timedelta(minutes=1)
    back_off: SpanSetting = timedelta(seconds=1)
    tables: Annotated[
        Mapping[str, RestTableConfig], Field(description="a list of tables, or a mapping of tables to their settings")
    ]
    _kept: Path = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, values: Any, info: ValidationInfo) -> Any:
        if not isinstance(values, dict) or not isinstance(info.context, Surroundings):
            return values
        if ("catalog" in values) == ("definition" in values):
            raise PydanticCustomError("definition", "must have either catalog or definition")
        definition = _definition(values, info.context.folder)
        return {
            **values,
            "definition": definition,
            "parameters": _parameters(definition, values.get("parameters")),
            "tables": _tables(definition, values.get("tables")),
        }

    @model_validator(mode="after")
    def _remember_home(self, info: ValidationInfo) -> "RestSource":
        if isinstance(info.context, Surroundings):
            self._kept = rest_folder(info.context.home, info.context.name) / "refresh_token.json"
        return self

    def check(self) -> list[TableCheck]:
        """See `SourceConfig`: asks for what the definition calls cheap, then for the first page of each table."""
        with self._api() as api:
            from connectors.rest.looking import Look

            return Look(api, self.the_definition, self.tables, self.parameter).check()

    def discover(self) -> list[DiscoveredTable]:
        """See `SourceConfig`: the definition's tables, with the columns of their first page."""
        with self._api() as api:
            from connectors.rest.looking import Look

            return Look(api, self.the_definition, self.tables, self.parameter).discover()

    def extract(self, request: Request, spool: Spool) -> None:
        """See `SourceConfig`."""
        with self._api() as api:
            from connectors.rest.reading import Reader

            Reader(api, self.the_definition, self.tables, self.parameter, request).read(spool)

    @property
    def the_definition(self) -> Definition:
        """The definition, wherever it came from, with what the user changes of its tables."""
        assert self.definition is not None  # noqa: S101 - validation leaves no other case.
        return overridden(self.definition, self.tables)

    def parameter(self, name: str) -> Any:
        """The value of a parameter; `ABSENT` when it is optional and not given."""
        value = self.parameters.get(name)
        return ABSENT if value is None else _shown(value)

    @contextmanager
    def _api(self) -> Iterator["Api"]:
        # Read when dlt is imported.
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
        from connectors.rest.api import Access, Api
        from connectors.rest.session import Patience

        access = Access(
            parameters={name: _shown(value) for name, value in self.parameters.items()},
            base_url=self.base_url,
            limits=self.limits,
            patience=Patience(
                retries=self.retries,
                seconds=_seconds(self.patience),
                timeout_seconds=_seconds(self.timeout),
                first_pause_seconds=_seconds(self.back_off),
            ),
            kept=self._kept,
            secrets=frozenset(secret_texts(self.parameters)),
            reach=self.reach,
        )
        api = Api(self.the_definition, access)
        try:
            yield api
        finally:
            api.close()


def _definition(values: dict[str, Any], folder: Path) -> Definition:
    if "catalog" in values:
        return load_catalog(str(values["catalog"]))
    found = values["definition"]
    if isinstance(found, str):
        return load_definition(folder / Path(found).expanduser())
    try:
        return Definition.model_validate(found)
    except ValidationError as error:
        where, problem = first_mistake(error)
        said = PydanticCustomError("definition", "{problem}", {"problem": problem})
        # Raised as pydantic's own, it keeps its place, and so its line in sources.yaml.
        details = InitErrorDetails(type=said, loc=("definition", *where), input=None)
        raise ValidationError.from_exception_data("definition", [details]) from None


def _parameters(definition: Definition, given: Any) -> dict[str, SecretStr | str | tuple[str, ...] | None]:
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise PydanticCustomError("parameters", "must have parameters that are a mapping of names to values")
    known = definition.parameters
    if wrong := [name for name in given if name not in known]:
        raise PydanticCustomError(
            "parameters", "has the unknown parameter {name}; allowed are {known}",
            {"name": repr(wrong[0]), "known": ", ".join(known) or "none"},
        )  # fmt: skip
    if missing := [name for name, parameter in known.items() if parameter.required and given.get(name) in (None, "")]:
        raise PydanticCustomError(
            "parameters", "has no parameter {name}: {description}",
            {"name": missing[0], "description": known[missing[0]].description},
        )  # fmt: skip
    values: dict[str, SecretStr | str | tuple[str, ...] | None] = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if isinstance(parameter.default, tuple) and value is not None:
            values[name] = _texts(name, value)
            continue
        if isinstance(value, (list, dict)):
            raise PydanticCustomError("parameters", "has a parameter {name} that is no text", {"name": name})
        # A newline at the end, as files have it, is no part of a credential.
        text = None if value is None else str(value).strip() or None
        values[name] = SecretStr(text) if parameter.secret and text is not None else text
    return values


def _texts(name: str, value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(item, (list, dict)) or item is None for item in items):
        raise PydanticCustomError("parameters", "has a parameter {name} that is no list of texts", {"name": name})
    return tuple(str(item).strip() for item in items)


def _tables(definition: Definition, given: Any) -> Any:
    """Every table that is asked for, with its key."""
    if given is None:
        given = list(definition.tables)
    if isinstance(given, list):
        given = {str(name): {} for name in given}
    if not isinstance(given, Mapping):
        return given
    if wrong := [name for name in given if name not in definition.tables]:
        raise PydanticCustomError(
            "tables", "has the unknown table {name}; allowed are {known}",
            {"name": repr(wrong[0]), "known": ", ".join(definition.tables)},
        )  # fmt: skip
    tables: dict[str, Any] = {}
    for name, settings in given.items():
        key = definition.tables[name].key
        own = {} if settings is None else settings
        if isinstance(own, Mapping):
            check_placeholders(definition, name, own)
        tables[name] = {"key": key, **own} if isinstance(own, Mapping) and key else own
    return tables


def _shown(value: SecretStr | str | tuple[str, ...] | None) -> str | list[str] | None:
    """What a placeholder stands for."""
    if isinstance(value, tuple):
        return list(value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _seconds(span: timedelta | None) -> float:
    return span.total_seconds() if span else 0.0
