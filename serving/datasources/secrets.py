"""Which texts of a datasource's configuration are secrets: they are taken out of it before anything else sees it.

What stands there is told by its place, and not by whoever sends it, so that nobody has to remember to say so.
"""

import math
import re
from typing import Any

from warehouse.datasources import HIDDEN, Place, Secrets
from warehouse.errors import DataInsightError

# Everything under these keys: a credential there may be called anything.
_PLACES = {"access_token_request_data", "auth", "headers", "json", "parameters", "params", "storage_options", "url"}
_NAMES = re.compile(
    r"token|secret|passw|pwd|passphrase|credential|cookie|private|signature|(api|access|account|client|service)_?key",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"://[^/?#]*@|[?&][^=&]*(?:sig|token|key|secret|passw)[^=&]*=", re.IGNORECASE)
# What stands in these is called as its owner calls it: a table of tokens is no token.
_FREELY_NAMED = {"cast", "columns", "tables"}
_DEEPEST = 24
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def split(configuration: dict[str, Any]) -> tuple[dict[str, Any], dict[Place, Any]]:
    """A configuration with `***` in the place of each secret, and the secrets by their places.

    Raises:
        DataInsightError: It is nested too deeply, has what PostgreSQL cannot keep, or has a secret where it would be
            shown.
    """
    secrets: dict[Place, Any] = {}
    shown: dict[str, Any] = _split(configuration, (), secrets, is_secret=False)
    return shown, secrets


def kept(secrets: Secrets, former: Secrets) -> dict[Place, Any]:
    """The secrets, with the former ones where a configuration says `***` as it was shown.

    Raises:
        DataInsightError: There was no secret in such a place.
    """
    whole = dict(secrets)
    for place in [place for place, value in secrets.items() if value == HIDDEN]:
        if place not in former:
            raise DataInsightError(
                f"configuration.{'.'.join(map(str, place))} is {HIDDEN}, and there is no former value to keep",
                hint="say what it is; it is encrypted, and not shown again",
            )
        whole[place] = former[place]
    return whole


def _split(value: Any, place: Place, secrets: dict[Place, Any], *, is_secret: bool) -> Any:
    if len(place) > _DEEPEST:
        raise DataInsightError(f"configuration is nested more than {_DEEPEST} deep")
    match value:
        case dict():
            is_free = bool(place) and place[-1] in _FREELY_NAMED
            return {
                _stored(name, place): _split(
                    item, (*place, name), secrets, is_secret=is_secret or (not is_free and _is_secret(name))
                )
                for name, item in value.items()
            }
        case list():
            return [_split(item, (*place, at), secrets, is_secret=is_secret) for at, item in enumerate(value)]
        case float() if not math.isfinite(value):
            raise DataInsightError(f"configuration.{_said(place)} is no number that can be kept")
        case str():
            _stored(value, place)
            if not is_secret and _USER_INFO.search(value):
                raise DataInsightError(
                    f"configuration.{_said(place)} has an address with a user or a key in it, which would be shown",
                    hint=f"credentials belong under {', '.join(sorted(_PLACES))}",
                )
    if is_secret and isinstance(value, str | int | float) and not isinstance(value, bool):
        secrets[place] = value
        return HIDDEN
    return value


def _is_secret(name: str) -> bool:
    return name in _PLACES or _NAMES.search(name) is not None


def _stored(text: str, place: Place) -> str:
    if _UNSTORABLE.search(text):
        raise DataInsightError(f"configuration.{_said(place)} has a character that cannot be kept")
    return text


def _said(place: Place) -> str:
    return ".".join(_UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", str(part)) for part in place)
