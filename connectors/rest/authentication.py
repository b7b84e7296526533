"""Puts credentials on requests, and gets OAuth 2.0 tokens: by client credentials or by a refresh token."""

import fcntl
import hashlib
import json
import os
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from requests.auth import AuthBase

from connectors.rest.session import ApiSession, Call
from warehouse.errors import DataInsightError

_EARLY_SECONDS = 30.0  # A token is replaced so long before it expires.
_HINT = "are client_id, client_secret and, if there is one, refresh_token right? They are under `parameters`"


class NoAuth(AuthBase):
    """Sends nothing, and keeps requests from looking for a `.netrc`."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """See `AuthBase`."""
        return r


class HeaderAuth(AuthBase):
    """A credential in a header."""

    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """See `AuthBase`."""
        r.headers[self._name] = self._value
        return r


class QueryAuth(AuthBase):
    """A credential in the query; one that a next page's address has already is replaced."""

    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """See `AuthBase`."""
        parts = urlsplit(str(r.url))
        pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != self._name]
        r.url = urlunsplit(parts._replace(query=urlencode([*pairs, (self._name, self._value)])))
        return r


class OAuth2(AuthBase):
    """A bearer token that is fetched when needed, and once more when the API says that it has expired.

    Args:
        session: What the token is asked with.
        settings: The definition's, placeholders filled in.
        kept: The file in which a refresh token that replaces the configured one is kept, encrypted, and readable by its
            owner only.
    """

    def __init__(self, session: ApiSession, settings: Mapping[str, Any], kept: Path) -> None:
        self._session, self._settings, self._kept = session, settings, kept
        self._token: str | None = None
        self._expires = 0.0
        self._lock = threading.Lock()

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """See `AuthBase`."""
        with self._lock:
            if self._token is None or time.monotonic() >= self._expires:
                self._fetch()
            r.headers["Authorization"] = f"{self._settings['token_prefix']} {self._token}"
        return r

    def renew(self) -> None:
        """Forget the token, so that the next request fetches another."""
        with self._lock:
            self._token = None

    def _fetch(self) -> None:
        if self._settings["type"] == "oauth2_client_credentials":
            self._take(self._ask({"grant_type": "client_credentials"}))
            return
        with _alone(self._kept):
            given = str(self._settings["refresh_token"])
            refresh = _read_kept(self._kept, given) or given
            self._session.secrets.add(refresh)
            answer = self._ask({"grant_type": "refresh_token", "refresh_token": refresh})
            if isinstance(new := answer.get("refresh_token"), str) and new != refresh:
                self._session.secrets.add(new)
                _keep(self._kept, given, new)
        self._take(answer)

    def _ask(self, form: dict[str, str]) -> dict[str, Any]:
        settings = self._settings
        secret = settings.get("client_secret") or ""
        headers = {"Accept": "application/json"}
        if settings["client_authentication"] == "basic":
            pair = f"{settings['client_id']}:{secret}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form = {**form, "client_id": settings["client_id"], **({"client_secret": secret} if secret else {})}
        request = requests.Request(
            "POST",
            settings["access_token_url"],
            data={**form, **settings["access_token_request_data"]},
            headers=headers,
            auth=NoAuth(),
        )
        try:
            reply = self._session.send(self._session.prepare_request(request), call=Call(), allow_redirects=False)
        except DataInsightError as error:
            raise DataInsightError(f"no access token: {error.message}", error.hint and _HINT) from None
        answer = reply.json()
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise DataInsightError(f"{settings['access_token_url']} answered without an access_token", _HINT)
        return answer

    def _take(self, answer: dict[str, Any]) -> None:
        self._token = answer["access_token"]
        self._session.secrets.add(self._token)
        try:
            seconds = float(answer.get("expires_in") or self._settings["default_token_expiration"])
        except (TypeError, ValueError):
            seconds = float(self._settings["default_token_expiration"])
        self._expires = time.monotonic() + max(seconds - _EARLY_SECONDS, seconds / 2)


def build_auth(settings: Mapping[str, Any] | None, session: ApiSession, kept: Path) -> AuthBase:
    """The authentication of a definition, placeholders filled in."""
    match settings:
        case {"type": "bearer", "token": token, "token_prefix": prefix}:
            return HeaderAuth("Authorization", f"{prefix} {token}")
        case {"type": "http_basic", "username": username, "password": password}:
            pair = b64encode(f"{username}:{password}".encode()).decode()
            session.secrets.add(pair)
            return HeaderAuth("Authorization", f"Basic {pair}")
        case {"type": "api_key", "name": name, "api_key": key, "location": location}:
            return (HeaderAuth if location == "header" else QueryAuth)(name, key)
        case {"type": "oauth2_client_credentials" | "oauth2_refresh_token", "access_token_url": _}:
            return OAuth2(session, dict(settings or {}), kept)
    return NoAuth()


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Let no other process use the refresh token meanwhile: some are good for one use only."""
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_kept(kept: Path, given: str) -> str | None:
    """The refresh token that replaced the configured one; None when another has been configured since."""
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found.get("replaces") != _digest(given):
            return None
        if "sealed" in found:
            return _fernet(given).decrypt(found["sealed"]).decode()
        # Files from before are in clear.
        _keep(kept, given, found["refresh_token"])
        return str(found["refresh_token"])
    except FileNotFoundError:
        return None
    except InvalidToken:
        problem = "it is damaged"
    except (OSError, ValueError) as error:
        problem = str(error)
    raise DataInsightError(f"{kept} cannot be read: {problem}", "remove it and configure a new refresh token")


def _keep(kept: Path, given: str, refresh: str) -> None:
    new = kept.with_suffix(".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        sealed = _fernet(given).encrypt(refresh.encode()).decode()
        json.dump({"replaces": _digest(given), "sealed": sealed}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(kept)


def _fernet(given: str) -> Fernet:
    """A lock that the configured token opens: whoever has the file alone, or deletes what is configured, has nothing.

    It need not be stretched: a refresh token cannot be guessed (RFC 6749, 10.10).
    """
    derived = HKDF(algorithm=SHA256(), length=32, salt=b"datainsight", info=b"kept refresh token").derive(
        given.encode()
    )
    return Fernet(urlsafe_b64encode(derived))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
