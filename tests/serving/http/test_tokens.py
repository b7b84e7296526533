"""Tokens that were not made here, not for this, or not for now: they let nobody in, in the same words."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest

from tests.serving.conftest import Store
from tests.serving.http.conftest import Server
from warehouse.secret_keys import purpose_key

# When the tests were collected; they may run much later, so that a day is as short as a token here may last.
NOW = int(time.time())
DAY = 86_400
GOOD: dict[str, Any] = {
    "iss": "datainsight",
    "aud": "datainsight:api",
    "sub": "user:usr_1",
    "org": "acme",
    "role": "viewer",
    "permissions": ["metrics:read"],
    "plan": "standard",
    "jti": "1",
    "iat": NOW,
    "exp": NOW + DAY,
}
EMBED: dict[str, Any] = {
    **GOOD,
    "aud": "datainsight:embed",
    "sub": "embed:1",
    "metrics": ["mrr"],
    "filters": [],
    "dashboards": [],
}


@pytest.fixture(scope="module")
def access_key(published: Store) -> bytes:
    return purpose_key(published.settings, "access tokens")


@pytest.fixture(scope="module")
def embed_key(published: Store) -> bytes:
    return purpose_key(published.settings, "embed tokens")


def status(server: Server, token: str) -> int:
    with server.client(token) as client:
        answer = client.ask("mrr")
    if answer.status_code != 200:
        assert answer.json()["detail"] == "the key or token is not valid"
        assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(claims: dict[str, Any], key: bytes, algorithm: str = "HS256") -> str:
    """A token by any key and algorithm, also those that PyJWT refuses."""
    text = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    signature = hmac.digest(key, text.encode(), algorithm.replace("HS", "sha"))
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_what_is_forged_below_would_be_good(server: Server, access_key: bytes, embed_key: bytes) -> None:
    assert status(server, jwt.encode(GOOD, access_key)) == 200
    assert status(server, signed(GOOD, access_key)) == 200
    assert status(server, jwt.encode(EMBED, embed_key)) == 200


def test_an_algorithm_is_nobodys_choice(server: Server, access_key: bytes) -> None:
    for name in ("none", "None", "NONE", "nOnE", ""):
        for signature in ("", "x"):
            assert status(server, f"{part({'alg': name, 'typ': 'JWT'})}.{part(GOOD)}.{signature}") == 401
    assert status(server, jwt.encode(GOOD, None, algorithm="none")) == 401
    for name in ("HS384", "HS512"):
        assert status(server, signed(GOOD, access_key, name)) == 401


def test_a_signature_is_of_the_right_key_and_the_very_claims(
    server: Server, access_key: bytes, embed_key: bytes
) -> None:
    assert status(server, jwt.encode(GOOD, b"x" * 32)) == 401
    assert status(server, signed(GOOD, b"")) == 401
    # Each kind has a key of its own, and is made for one audience.
    assert status(server, jwt.encode(GOOD, embed_key)) == 401
    assert status(server, jwt.encode(EMBED, access_key)) == 401
    assert status(server, jwt.encode({**GOOD, "aud": "datainsight:embed"}, access_key)) == 401
    assert status(server, jwt.encode({**EMBED, "aud": "datainsight:api"}, embed_key)) == 401
    assert status(server, jwt.encode({**GOOD, "aud": ["datainsight:api", "datainsight:embed"]}, access_key)) == 401
    header, _, signature = jwt.encode(GOOD, access_key).split(".")
    for change in ({"org": "bolt"}, {"org": None, "role": "operator"}, {"role": "admin"}, {"exp": NOW + 10 * DAY}):
        assert status(server, f"{header}.{part({**GOOD, **change})}.{signature}") == 401


@pytest.mark.parametrize("claim", sorted(GOOD))
def test_every_claim_is_needed(server: Server, access_key: bytes, claim: str) -> None:
    without = {name: value for name, value in GOOD.items() if name != claim}
    assert status(server, jwt.encode(without, access_key)) == 401


@pytest.mark.parametrize("claim", ["metrics", "filters", "dashboards"])
def test_without_its_bounds_an_embed_token_is_none(server: Server, embed_key: bytes, claim: str) -> None:
    without = {name: value for name, value in EMBED.items() if name != claim}
    assert status(server, jwt.encode(without, embed_key)) == 401
    assert status(server, jwt.encode({**EMBED, claim: None}, embed_key)) == 401


@pytest.mark.parametrize(
    "change",
    [
        {"exp": NOW - 1},
        {"exp": "soon"},
        {"iat": NOW + DAY},
        {"iss": "elsewhere"},
        {"role": "king"},
        {"role": "operator"},
        {"org": None},
        {"sub": "embed:1"},
        {"sub": "key:0123456789ab"},
        {"sub": 1},
        {"permissions": None},
        {"permissions": 1},
    ],
)
def test_claims_that_are_signed_and_yet_not_ours(server: Server, access_key: bytes, change: dict[str, Any]) -> None:
    assert status(server, jwt.encode({**GOOD, **change}, access_key)) == 401


@pytest.mark.parametrize("change", [{"role": "admin"}, {"sub": "user:usr_1"}, {"filters": [{"dimension": "x"}]}])
def test_an_embed_token_that_would_be_more_is_none(server: Server, embed_key: bytes, change: dict[str, Any]) -> None:
    assert status(server, jwt.encode({**EMBED, **change}, embed_key)) == 401


def test_permissions_reach_no_further_than_the_role(server: Server, access_key: bytes) -> None:
    every = ["metrics:read", "keys:write", "members:write", "a new one"]
    with server.client(jwt.encode({**GOOD, "permissions": every}, access_key)) as client:
        assert client.ask("mrr").status_code == 200
        assert client.get("/keys").status_code == 403
        assert client.get("/metrics/query?metrics=mrr&organization=bolt").status_code == 403
    with server.client(jwt.encode({**GOOD, "permissions": ["keys:write"], "role": "admin"}, access_key)) as client:
        assert client.ask("mrr").status_code == 403


@pytest.mark.parametrize("token", ["a.b.c", "..", "e30.e30.", "x" * 5_000, "di_", "di_0123456789ab_", "\N{BELL}"])
def test_what_is_no_token_at_all(server: Server, token: str) -> None:
    with server.client() as client:
        answer = client.http.get(
            "/api/v1/metrics", headers={"Authorization": f"Bearer {token}".encode("latin-1", "replace")}
        )
    assert answer.status_code in (400, 401)
