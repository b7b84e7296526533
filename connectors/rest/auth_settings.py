"""How a definition writes its authentication; dlt's names where it has one. What may be secret is `SecretStr`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_Secret = Annotated[SecretStr, Field(description='a text such as "{api_key}"')]
_Text = Annotated[str, Field(description="a text")]


class Settings(BaseModel):
    """A part of a definition: unknown keys are mistakes, and no error repeats its input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Bearer(Settings):
    """A token in the header Authorization."""

    type: Literal["bearer"]
    token: _Secret
    token_prefix: _Text = "Bearer"  # noqa: S105 - no password.


class Basic(Settings):
    """HTTP basic authentication."""

    type: Literal["http_basic"]
    username: _Secret
    password: _Secret


class ApiKey(Settings):
    """A key in a header or in the query."""

    type: Literal["api_key"]
    name: _Text = "Authorization"
    api_key: _Secret
    location: Annotated[Literal["header", "query"], Field(description="header or query")] = "header"


class _OAuth2(Settings):
    access_token_url: Annotated[str, Field(description="an address, or a path on base_url's host")]
    client_id: _Secret
    client_secret: _Secret | None = None
    access_token_request_data: Annotated[Mapping[str, str], Field(description="a mapping of form fields to texts")] = {}
    client_authentication: Annotated[Literal["body", "basic"], Field(description="body or basic")] = "body"
    default_token_expiration: Annotated[int, Field(gt=0, description="a number of seconds")] = 3600
    token_prefix: _Text = "Bearer"  # noqa: S105 - no password.


class OAuth2ClientCredentials(_OAuth2):
    """OAuth 2.0, RFC 6749 section 4.4."""

    type: Literal["oauth2_client_credentials"]


class OAuth2RefreshToken(_OAuth2):
    """OAuth 2.0, RFC 6749 section 6; a new refresh token in the answer replaces the old one."""

    type: Literal["oauth2_refresh_token"]
    refresh_token: _Secret


Auth = Annotated[
    Bearer | Basic | ApiKey | OAuth2ClientCredentials | OAuth2RefreshToken,
    Field(
        discriminator="type",
        description="a mapping with the type bearer, http_basic, api_key, oauth2_client_credentials or"
        " oauth2_refresh_token",
    ),
]
