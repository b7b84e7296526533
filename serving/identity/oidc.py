"""Logging in by an OpenID Connect provider, whichever it is: authorization code with PKCE, by OpenID Connect Core 1.0.

What was begun is remembered by the browser alone, in a cookie that only we can read: whoever comes back with a code
must be who went away for it.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
from cryptography.fernet import Fernet, InvalidToken

from serving.identity.refusals import NotAuthenticatedError
from serving.identity.users import normalized_email
from warehouse.errors import DataInsightError, UnavailableError
from warehouse.secret_keys import fernet_key
from warehouse.settings import Settings

# Between leaving for the provider and coming back.
LOGIN_SECONDS = 600

_TIMEOUT_SECONDS = 10
_DISCOVERY_SECONDS = 3600
# Signatures by a key pair only: with HMAC the client's own secret, which is in more hands, would sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Claimed:
    """Whom the provider says that somebody is.

    Attributes:
        verified_email: An address that the provider has verified; None: it has not, or there is none.
    """

    issuer: str
    subject: str
    verified_email: str | None
    name: str


@dataclass(frozen=True)
class Departure:
    """Where to send somebody, and what their browser is to remember meanwhile."""

    url: str
    cookie: str


class OidcProvider:
    """The provider that the settings name.

    Args:
        settings: Its address, and who we are to it.
        issuer: Its address.

    Raises:
        DataInsightError: The settings name a provider and leave out what it takes.
    """

    def __init__(self, settings: Settings, issuer: str) -> None:
        for name in ("oidc_client_id", "oidc_redirect_url"):
            if not getattr(settings, name):
                raise DataInsightError(
                    f"DATAINSIGHT_OIDC_ISSUER is set, and DATAINSIGHT_{name.upper()} is not",
                    hint="docs/identity.md says what a provider takes",
                )
        self._issuer = issuer
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret
        self._redirect_url = settings.oidc_redirect_url
        self._fernet = Fernet(fernet_key(settings, "OpenID Connect logins"))
        self._lock = threading.Lock()
        self._discovered: tuple[float, dict[str, Any]] | None = None
        _require_https(issuer)

    @property
    def is_secure(self) -> bool:
        """Whether browsers come back over TLS."""
        return self._redirect_url.startswith("https:")

    def depart(self, organization: str | None) -> Departure:
        """Send somebody to the provider.

        Args:
            organization: Where they want to be, if they are in several.

        Raises:
            UnavailableError: The provider is away.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_url,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._metadata()["authorization_endpoint"]
        remembered = {"state": state, "nonce": nonce, "verifier": verifier, "organization": organization}
        return Departure(
            f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}",
            self._fernet.encrypt(json.dumps(remembered).encode()).decode(),
        )

    def arrive(self, cookie: str, state: str, code: str) -> tuple[Claimed, str | None]:
        """Whom the provider says that somebody is who comes back, and where they want to be.

        Raises:
            NotAuthenticatedError: They did not leave from here, or the provider does not vouch for them.
            UnavailableError: The provider is away.
        """
        remembered = self._remembered(cookie, state)
        answer = self._exchanged(code, remembered["verifier"])
        claims = self._checked(str(answer.get("id_token", "")), remembered["nonce"])
        if "email" not in claims and "userinfo_endpoint" in self._metadata():
            claims = {**self._userinfo(str(answer.get("access_token", "")), claims["sub"]), **claims}
        return _claimed(self._issuer, claims), remembered["organization"]

    def _remembered(self, cookie: str, state: str) -> dict[str, Any]:
        try:
            remembered: dict[str, Any] = json.loads(self._fernet.decrypt(cookie.encode(), ttl=LOGIN_SECONDS))
        except InvalidToken:
            remembered = {"state": ""}
        if not state or not hmac.compare_digest(remembered["state"].encode(), state.encode("utf-8", "replace")):
            raise NotAuthenticatedError(
                "this login was not begun in this browser, or too long ago", hint="GET /api/v1/auth/oidc/login"
            )
        return remembered

    def _exchanged(self, code: str, verifier: str) -> dict[str, Any]:
        """What the provider gives for a code."""
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_url,
            "code_verifier": verifier,
        }
        if self._client_secret is None:
            return self._asked("POST", "token_endpoint", data={**given, "client_id": self._client_id})
        secret = httpx.BasicAuth(self._client_id, self._client_secret.get_secret_value())
        return self._asked("POST", "token_endpoint", data=given, auth=secret)

    def _checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        """What an ID token says, if the provider has signed it for us and for this login."""
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._signing_key(id_token),
                algorithms=_ALGORITHMS,
                audience=self._client_id,
                issuer=self._issuer,
                leeway=60,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise _unvouched() from error
        is_for_us = claims.get("azp", self._client_id) == self._client_id
        if not is_for_us or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise _unvouched()
        return claims

    def _signing_key(self, id_token: str) -> jwt.PyJWK:
        wanted = jwt.get_unverified_header(id_token).get("kid")
        keys = [
            key
            for key in jwt.PyJWKSet.from_dict(self._asked("GET", "jwks_uri")).keys
            if key.public_key_use in (None, "sig") and (wanted is None or key.key_id == wanted)
        ]
        if len(keys) != 1:
            raise _unvouched()
        return keys[0]

    def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """What else the provider says of them; the address may be told there alone."""
        told = self._asked("GET", "userinfo_endpoint", headers={"Authorization": f"Bearer {access_token}"})
        # By the specification (5.3.2), what is told of another subject is not to be used.
        return told if told.get("sub") == subject else {}

    def _asked(self, method: str, endpoint: str, **options: Any) -> dict[str, Any]:
        return _answer(method, self._metadata()[endpoint], **options)

    def _metadata(self) -> dict[str, Any]:
        """What the provider says of itself; asked again after an hour."""
        with self._lock:
            if self._discovered is not None and time.monotonic() - self._discovered[0] < _DISCOVERY_SECONDS:
                return self._discovered[1]
        found = _answer("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer or not all(isinstance(found.get(name), str) for name in _ENDPOINTS):
            raise UnavailableError(
                f"the OpenID Connect provider calls itself {found.get('issuer')!r}, not {self._issuer!r}",
                hint="set DATAINSIGHT_OIDC_ISSUER to the letter as the provider writes it",
            )
        # Null is as good as nothing.
        found = {name: told for name, told in found.items() if told is not None}
        for name in (*_ENDPOINTS, "userinfo_endpoint"):
            if name in found:
                _require_https(str(found[name]))
        with self._lock:
            self._discovered = (time.monotonic(), found)
        return found


def provider_of(settings: Settings) -> OidcProvider | None:
    """The provider that the settings name, if they do.

    Raises:
        DataInsightError: They leave out what it takes.
    """
    return None if settings.oidc_issuer is None else OidcProvider(settings, settings.oidc_issuer)


def _answer(method: str, url: str, **options: Any) -> dict[str, Any]:
    try:
        answer = httpx.request(method, url, timeout=_TIMEOUT_SECONDS, follow_redirects=False, **options)
    except httpx.HTTPError as error:
        raise _away() from error
    if answer.is_server_error:
        raise _away()
    try:
        told = answer.json()
    except ValueError as error:
        raise _unvouched() from error
    if not answer.is_success or not isinstance(told, dict):
        raise _unvouched()
    return told


def _claimed(issuer: str, claims: Mapping[str, Any]) -> Claimed:
    email = None
    # Some providers write the truth value as a text.
    if claims.get("email_verified") in (True, "true") and isinstance(claims.get("email"), str):
        try:
            email = normalized_email(claims["email"])
        except DataInsightError:
            email = None
    name = claims.get("name")
    said = name if isinstance(name, str) and name.isprintable() else ""
    return Claimed(issuer, str(claims["sub"]), email, said[:200])


def _require_https(url: str) -> None:
    """What passes there lets people in.

    Raises:
        DataInsightError: It would pass in clear, over more than this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise DataInsightError(
            f"the OpenID Connect provider is asked in clear: {url}", hint="its address must begin with https://"
        )


def _unvouched() -> NotAuthenticatedError:
    return NotAuthenticatedError("the OpenID Connect provider does not vouch for this", hint="begin again")


def _away() -> UnavailableError:
    return UnavailableError("the OpenID Connect provider is out of reach")
