"""An OpenID Connect provider, or somebody in its place, that says what it should not: what of it is believed."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from serving.http.app import create_app
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.people import audited, new_email
from tests.serving.http.test_oidc import with_provider

SECRET = "of the client: 32 characters long"
KEY, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


@dataclass
class Crooked:
    """A provider that answers what a test says.

    Attributes:
        asked: What it was asked: path, headers and form.
    """

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    address: str = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        crooked = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                crooked.asked.append((self.path, dict(self.headers), parse_qs(given)))
                status, body = crooked.answers.get(self.path, (404, {}))
                text = body if isinstance(body, bytes) else orjson.dumps(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET  # noqa: N815  The library calls it by this name.

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        self.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            **{name: f"{self.address}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")},
            "userinfo_endpoint": f"{self.address}/userinfo",
        }


@pytest.fixture(scope="module")
def crooked() -> Iterator[Crooked]:
    made = Crooked()
    with made.running():
        key = orjson.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        made.answers["/.well-known/openid-configuration"] = (200, made.metadata)
        made.answers["/jwks_uri"] = (200, {"keys": [{**key, "kid": "1", "use": "sig", "alg": "RS256"}]})
        yield made


@pytest.fixture(scope="module", params=[SECRET, None], ids=["with a secret", "public"])
def door(request: pytest.FixtureRequest, published: Store, crooked: Crooked) -> Iterator[Server]:
    secret = None if request.param is None else SecretStr(request.param)
    with running(create_app(with_provider(published.settings, crooked.address, oidc_client_secret=secret))) as address:
        yield Server(address, published.warehouse)


Sign = Callable[[dict[str, Any]], str]


def signed(claims: dict[str, Any], key: Any = KEY, algorithm: str = "RS256", kid: str = "1") -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def log_in(door: Server, crooked: Crooked, sign: Sign = signed, **change: Any) -> httpx.Response:
    """Log in with an ID token that is good but for some claims (None: without it), or for its signature."""
    with httpx.Client(base_url=door.address, timeout=60) as client:
        location = client.get("/api/v1/auth/oidc/login").headers["Location"]
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        now = int(time.time())
        claims = {
            "iss": crooked.address,
            "aud": "datainsight",
            "sub": "somebody",
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            "email": new_email(),
            "email_verified": True,
            **change,
        }
        token = sign({name: value for name, value in claims.items() if value is not None})
        crooked.answers["/token_endpoint"] = (200, {"id_token": token, "access_token": "a token"})
        crooked.asked.clear()
        answer = client.get("/api/v1/auth/oidc/callback", params={"code": "a code", "state": asked["state"]})
    for path, headers, form in crooked.asked:
        if path == "/token_endpoint":
            verifier = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest())
            assert verifier.rstrip(b"=").decode() == asked["code_challenge"]
            assert ("Authorization" in headers) != ("client_id" in form)
    return answer


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "1"})


def test_what_is_spoilt_below_would_be_good(door: Server, crooked: Crooked) -> None:
    assert log_in(door, crooked).status_code == 200
    assert log_in(door, crooked, aud=["datainsight"], azp="datainsight", email_verified="true").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example.com"},
        {"aud": "another client"},
        {"aud": ["datainsight", "another client"], "azp": "another client"},
        {"nonce": "another"},
        {"exp": int(time.time()) - 120},
        {"iat": int(time.time()) + 3600},
        *({name: None} for name in ("iss", "aud", "sub", "exp", "iat", "nonce")),
    ],
    ids="-".join,
)
def test_what_the_provider_says_of_another_or_at_another_time_is_not_believed(
    door: Server, crooked: Crooked, change: dict[str, Any]
) -> None:
    refused = log_in(door, crooked, **change)
    assert (refused.status_code, refused.json()["detail"]) == (
        401,
        "the OpenID Connect provider does not vouch for this",
    )


@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        lambda claims: signed(claims, OTHER),
        lambda claims: signed(claims, kid="2"),
        # With HMAC whoever knows the client's secret, or what everybody knows, could sign.
        lambda claims: signed(claims, SECRET, "HS256"),
        lambda claims: signed(claims, "datainsight and then some, 32 in all", "HS256"),
        lambda claims: signed(claims)[:-4] + "AAAA",
        lambda _: "",
        lambda _: "a.b.c",
    ],
    ids=["unsigned", "another key", "an unknown key", "the secret", "the name", "spoilt", "nothing", "no token"],
)
def test_what_the_provider_has_not_signed_is_not_believed(door: Server, crooked: Crooked, sign: Sign) -> None:
    refused = log_in(door, crooked, sign)
    assert refused.status_code == 401, refused.text


def test_an_address_may_be_told_beside_the_token_of_the_same_somebody(door: Server, crooked: Crooked) -> None:
    email = new_email()
    crooked.answers["/userinfo"] = (
        200,
        {"sub": f"beside {email}", "email": email, "email_verified": True, "name": "Bea"},
    )
    told = log_in(door, crooked, sub=f"beside {email}", email=None, email_verified=None)
    assert told.status_code == 200, told.text
    with door.client(told.json()["access_token"]) as client:
        me = client.get("/auth/me").json()
    assert (me["email"], me["name"]) == (email, "Bea")
    assert audited(door.warehouse, me["subject"])[0][0] == "auth.register"

    crooked.answers["/userinfo"] = (200, {"sub": "else", "email": new_email(), "email_verified": True})
    refused = log_in(door, crooked, sub=f"not beside {email}", email=None, email_verified=None)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "the provider has verified no e-mail address of yours",
    )


def test_an_address_that_only_looks_like_anothers_is_none(door: Server, crooked: Crooked) -> None:
    # Both of them fold to plain letters.
    for email in ("\N{LATIN SMALL LETTER LONG S}am@example.com", "\N{KELVIN SIGN}im@example.com", "a b@example.com", 1):
        assert log_in(door, crooked, sub=f"folded {email}", email=email).status_code == 403


@pytest.mark.parametrize(
    ("status", "change", "becomes"),
    [
        (500, {}, 503),
        (200, {"issuer": "https://elsewhere.example.com"}, 503),
        (200, {"token_endpoint": None}, 503),
        (200, {"token_endpoint": "http://elsewhere.example.com/token"}, 400),
        (404, {}, 401),
        (200, b"<html>", 401),
        (200, b"[]", 401),
    ],
)
def test_a_provider_that_is_none_is_not_asked(
    published: Store, status: int, change: dict[str, Any] | bytes, becomes: int
) -> None:
    crooked = Crooked()
    with crooked.running():
        body = change if isinstance(change, bytes) else {**crooked.metadata, **change}
        crooked.answers["/.well-known/openid-configuration"] = (status, body)
        with running(create_app(with_provider(published.settings, crooked.address))) as address:
            answer = httpx.get(f"{address}/api/v1/auth/oidc/login")
            assert answer.status_code == becomes, answer.text
            assert answer.headers["Content-Type"] == "application/problem+json"
