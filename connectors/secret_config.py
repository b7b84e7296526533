"""Settings that are passed on to somebody else's code: any JSON, in which some values are secrets."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import SecretStr, ValidationInfo

from connectors.secrets import url_secrets
from connectors.source import Surroundings

_SECRET = re.compile(
    r"token|secret|passw|pwd|passphrase|credential|cookie|private|signature|dsn$|pin$|sid$|^auth|authorization"
    r"|connection_?string|(api|access|account|client|encryption|service|shared)_?key|^key$",
    re.IGNORECASE,
)


def hidden(value: Any, info: ValidationInfo) -> Any:
    """A pydantic validator: the value with every text that is a secret as `SecretStr`.

    A secret is told by its key, by a password or token in a URL, or by having come from the environment whole.
    """
    filled = info.context.variables if isinstance(info.context, Surroundings) else frozenset()
    return _hidden(value, "", filled)


def _hidden(value: Any, name: str, filled: Collection[str]) -> Any:
    match value:
        case Mapping():
            return {
                str(key): _hidden(item, f"{name}.{key}" if _SECRET.search(name) else str(key), filled)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_hidden(item, name, filled) for item in value]
        case str() if value and (value in filled or _SECRET.search(name) or url_secrets(value)):
            return SecretStr(value)
    return value


def revealed(value: Any) -> Any:
    """The value as the tap has to see it."""
    match value:
        case Mapping():
            return {key: revealed(item) for key, item in value.items()}
        case list() | tuple():
            return [revealed(item) for item in value]
        case SecretStr():
            return value.get_secret_value()
    return value
