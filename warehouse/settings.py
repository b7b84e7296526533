"""Every setting of the platform, read in this one place from `DATAINSIGHT_*` variables and `.env`.

The field descriptions are the source of `docs/settings.md`.
"""

import json
import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from warehouse.errors import DataInsightError

PREFIX = "DATAINSIGHT_"

# The repository is the installation: the dbt project and the default sources are found beside this package.
PROJECT_ROOT = Path(__file__).resolve().parent.parent


# What an organization has that nothing else was agreed with.
STANDARD_PLAN = "standard"

_SHORTEST_SECRET = 32


class Settings(BaseSettings):
    """The typed settings; build them with `load_settings`, which turns mistakes into one clear line."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL (15 or newer) to use, `postgresql://user:password@host:port/database`. "
        "Unset: the embedded server under the home folder.",
    )
    home: Path = Field(
        default=PROJECT_ROOT / ".datainsight",
        description="Where the platform keeps its own files: the embedded server, the metric store, logs, keys.",
    )
    sources: Path = Field(
        default=PROJECT_ROOT / "connectors" / "sources.yaml",
        description="The file that says what to land.",
    )
    metric_store: str = Field(
        default="",
        description="Folder of the published metric store. Unset: `metric_store` under the home folder.",
    )
    server_user: str = Field(
        default="",
        description="System user the embedded server runs as when the platform is started by root. "
        "Unset: `postgres` where that user exists, else `nobody`.",
    )
    dagster_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=3000,
        description="Port of Dagster's web pages under `datainsight up`; the next free one is taken.",
    )
    docs_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=8081,
        description="Port of the models' documentation under `datainsight up`; the next free one is taken.",
    )
    api_host: str = Field(
        default="127.0.0.1", min_length=1, description="Address that the HTTP API listens on; `0.0.0.0` for every one."
    )
    api_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=8000,
        description="Port of the HTTP API; under `datainsight up`, the next free one when it is taken.",
    )
    query_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=60, description="Seconds after which a question of the metrics is ended."
    )
    query_rows: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        default=1_000_000, description="Rows that the answer to a question may have."
    )
    cache_bytes: Annotated[int, Field(ge=0)] = Field(
        default=256 * 1024**2, description="Bytes of answers that a process keeps, to give them again."
    )
    redis_url: SecretStr | None = Field(
        default=None,
        # Hosting services set it by this name.
        validation_alias=AliasChoices(f"{PREFIX}REDIS_URL", "REDIS_URL"),
        description="A Redis by which several processes of the HTTP API share answers, `redis://host:6379/0`. Unset:"
        " each has its own.",
    )
    operations_host: str = Field(
        default="127.0.0.1",
        description="Address that Prometheus' figures and the health checks are on, without a key: whoever reaches it"
        " reads them.",
    )
    operations_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=9464,
        description="Port of Prometheus' figures and the health checks; under `datainsight up`, the next"
        " free one when it is taken.",
    )
    rate_limits: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={STANDARD_PLAN: 6_000},
        description="Requests of the HTTP API that an organization has in a minute, by its plan, as JSON:"
        ' `{"standard": 6000, "large": 60000}`. `standard` is for those with no other.',
    )
    event_limits: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={STANDARD_PLAN: 1_000_000},
        description="Events that an organization may report to the HTTP API in a day, by its plan, as JSON:"
        ' `{"standard": 1000000, "large": 50000000}`. `standard` is for those with no other.',
    )
    body_bytes: Annotated[int, Field(ge=1024, le=64 * 1024**2)] = Field(
        default=1024**2,
        description="Bytes that the body of a request may have at the HTTP API, but for an uploaded file.",
    )
    upload_bytes: Annotated[int, Field(ge=1024, le=10 * 1024**3)] = Field(
        default=100 * 1024**2, description="Bytes that a file may have that is uploaded to the HTTP API."
    )
    uploads_bytes: Annotated[int, Field(ge=64 * 1024, le=1024**5)] = Field(
        default=10 * 1024**3, description="Bytes that the uploaded files of an organization may have together."
    )
    source_networks: tuple[str, ...] = Field(
        default=(),
        description="Networks besides the public ones that the datasources of organizations may reach, as JSON:"
        ' `["10.20.0.0/16"]`.',
    )
    job_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=3_600,
        description="Seconds after which a job of a datasource (check, discover, sync) is ended, and that an"
        " organization's datasources have together in a run.",
    )
    erasures: Literal["at_once", "by_command"] = Field(
        default="at_once",
        description="When somebody's data is erased that it was asked for over HTTP: `at_once`, in a process that the"
        " API starts, at most once an hour, with all that was ordered until then; `by_command`, together with all"
        " others when `datainsight privacy erase` is called.",
    )
    cors_origins: tuple[str, ...] = Field(
        default=(),
        description='Origins whose web pages may read from the HTTP API, as JSON: `["https://app.example.com"]`.',
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="The secret that tokens are signed and credentials encrypted with, 32 characters or more; every"
        " process of the platform needs the same one. Unset: a random one, kept in the home folder.",
    )
    registration: Literal["open", "invited"] = Field(
        default="open",
        description="Who may register over HTTP: `open`, anybody, each in a new organization of their own; `invited`,"
        " whoever an organization has invited.",
    )
    login_attempts: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=10,
        description="Failed logins that an account has in a quarter of an hour; an address has ten times as many.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern="^https?://",
        description="An OpenID Connect provider to log in by, as the address under which its"
        " `/.well-known/openid-configuration` is. Unset: none.",
    )
    oidc_client_id: str = Field(default="", description="What the OpenID Connect provider calls this platform.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The platform's secret at the OpenID Connect provider. Unset: a public client."
    )
    oidc_redirect_url: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="Where the OpenID Connect provider sends people back to: the outside address of"
        " `/api/v1/auth/oidc/callback`.",
    )
    snapshot_retention_hours: Annotated[int, Field(ge=1)] = Field(
        default=168, description="Hours for which superseded versions of the metric store stay readable."
    )
    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)] = Field(
        default=1, description="The month in which a fiscal year begins; it is called by the year it ends in."
    )
    holiday_country: str = Field(
        default="US",
        pattern="^[A-Z]{2}$",
        description="Whose public holidays the calendar knows: a country of `dbt_project/seeds/holidays.csv`.",
    )
    tenant_connections: Annotated[int, Field(ge=1)] = Field(
        default=10, description="Connections that one organization's login may have at once."
    )
    tenant_statement_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=60, description="Seconds after which a statement of an organization's login is cancelled."
    )
    analyst_connections: Annotated[int, Field(ge=1)] = Field(
        default=10, description="Connections that one analyst's login may have at once."
    )
    analyst_statement_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=600, description="Seconds after which a statement of an analyst's login is cancelled."
    )
    login_idle_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=60,
        description="Seconds after which a login's connection is closed that does nothing inside of a transaction.",
    )
    login_lock_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=10, description="Seconds that a login's statement waits for a table that is being replaced."
    )
    login_temporary_bytes: Annotated[int, Field(ge=1024**2, le=1024**4)] = Field(
        default=1024**3,
        description="Bytes of temporary files that each process of a login's statement may have on disk.",
    )

    @field_validator("database_url")
    @classmethod
    def _must_be_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        try:
            driver = make_url(value.get_secret_value()).drivername
        except (ArgumentError, ValueError):
            driver = "none"
        if driver not in ("postgresql", "postgres"):
            raise ValueError("must look like postgresql://user:password@host:5432/database")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"must have {_SHORTEST_SECRET} characters or more")
        return value

    @field_validator("source_networks")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(f"{network!r} is no network; one is written 10.20.0.0/16") from None
        return value

    @field_validator("rate_limits", "event_limits")
    @classmethod
    def _has_a_standard(cls, value: dict[str, int], field: ValidationInfo) -> dict[str, int]:
        return {**cls.model_fields[field.field_name or ""].default, **value}

    @field_validator("home", "sources")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def metric_store_url(self) -> str:
        """The folder of the published Delta tables."""
        return self.metric_store or str(self.home / "metric_store")


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    Raises:
        DataInsightError: A `DATAINSIGHT_*` variable is unknown or malformed; the message names it.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in _given_names() if name not in known)
    if unknown:
        raise DataInsightError(
            f"unknown setting {unknown[0]}; known are {', '.join(sorted(known))}",
            hint="correct the name, or unset it; docs/settings.md explains each",
        )
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise DataInsightError(
            f"setting {name} is not usable: {first['msg'].removeprefix('Value error, ')}",
            hint=f"{name}: {Settings.model_fields[str(first['loc'][0])].description}",
        ) from None


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables by which another process of the platform has the same settings; they hold its secrets."""
    found = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value is None or value == field.default:
            continue
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        found[PREFIX + name.upper()] = str(value) if isinstance(value, str | int | Path) else json.dumps(value)
    return found


def _given_names() -> set[str]:
    """Names of the platform's variables in the environment and in `.env`, upper-cased as pydantic reads them."""
    from dotenv import dotenv_values

    names = {*os.environ, *dotenv_values(".env")}
    return {name.upper() for name in names if name.upper().startswith(PREFIX)}
