"""Credentials reach the API's own host, in the right place, and nobody else; tokens are fetched and renewed."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.rest.conftest import Answers, Rest
from tests.connectors.rest.vendor import Call, Reply
from warehouse.errors import DataInsightError

PARAMETERS = {
    "id": {"description": "an id"},
    "secret": {"description": "a secret", "secret": True},
    "tenant": {"description": "a tenant", "default": None},
}
GIVEN = {"parameters": {"id": "me", "secret": "s3cret/?"}}
BASIC = "Basic " + b64encode(b"me:s3cret/?").decode()
OAUTH = {"access_token_url": "/token", "client_id": "{id}", "client_secret": "{secret}"}
FINE = Reply(200, [{"id": 1}])


@pytest.fixture
def secured(rest: Callable[..., Rest]) -> Callable[..., Rest]:
    """A source with that authentication."""

    def build(answer: Any, auth: dict[str, Any], **client: Any) -> Rest:
        return rest(answer, client={"auth": auth, **client}, more={"parameters": PARAMETERS}, settings=dict(GIVEN))

    return build


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token": "{secret}"}, "Authorization", "Bearer s3cret/?"),
        ({"type": "bearer", "token": "{secret}", "token_prefix": "Token"}, "Authorization", "Token s3cret/?"),
        ({"type": "http_basic", "username": "{id}", "password": "{secret}"}, "Authorization", BASIC),
        ({"type": "api_key", "name": "X-Key", "api_key": "{secret}"}, "X-Key", "s3cret/?"),
    ],
)
def test_a_credential_in_a_header(auth: dict[str, Any], header: str, value: str, secured: Callable[..., Rest]) -> None:
    api = secured([FINE], auth)
    api.extract()
    assert api.server.calls[0].headers[header] == value


def test_a_key_in_the_query_is_there_once_even_when_a_link_has_it_already(secured: Callable[..., Rest]) -> None:
    def answer(call: Call) -> Reply:
        more = {"Link": f'</items?page=2&key={call.query["key"]}>; rel="next"'}
        return Reply(200, [{"id": call.query.get("page", "1")}], {} if "page" in call.query else more)

    api = secured(answer, {"type": "api_key", "name": "key", "api_key": "{secret}", "location": "query"})
    api.client["paginator"] = "header_link"
    extracted = api.extract()
    assert extracted.column("id") == ["1", "2"]
    assert [call.queries["key"] for call in api.server.calls] == [["s3cret/?"], ["s3cret/?"]]
    assert "s3cret" not in str(extracted.portions["items"].origin)


def test_headers_of_optional_parameters_are_sent_when_those_are_given(secured: Callable[..., Rest]) -> None:
    api = secured([FINE], {"type": "bearer", "token": "{secret}"}, headers={"X-Tenant": "{tenant}", "X-App": "di"})
    api.extract()
    api.settings["parameters"] = {**GIVEN["parameters"], "tenant": 7}
    api.extract()
    assert [call.headers.get("X-Tenant") for call in api.server.calls] == [None, "7"]
    assert api.server.calls[0].headers["X-App"] == "di"


@pytest.mark.parametrize("place", ["body", "basic"])
def test_client_credentials(place: str, secured: Callable[..., Rest]) -> None:
    def answer(call: Call) -> Reply:
        if call.path == "/token":
            assert call.form["grant_type"] == "client_credentials"
            assert call.form["scope"] == "read"
            if place == "basic":
                assert call.headers["Authorization"] == BASIC
            else:
                assert (call.form["client_id"], call.form["client_secret"]) == ("me", "s3cret/?")
            return Reply(200, {"access_token": "t1", "expires_in": 3600})
        assert call.headers["Authorization"] == "Bearer t1"
        return FINE

    auth = OAUTH | {"client_authentication": place, "access_token_request_data": {"scope": "read"}}
    api = secured(answer, auth | {"type": "oauth2_client_credentials"})
    assert api.extract().column("id") == ["1"]
    assert api.server.paths == ["/token", "/items"]


def test_an_expired_session_gets_one_new_token_and_then_a_clear_error(secured: Callable[..., Rest]) -> None:
    tokens = iter(range(1, 100))
    good = {"Bearer t2"}

    def answer(call: Call) -> Reply:
        if call.path == "/token":
            return Reply(200, {"access_token": f"t{next(tokens)}"})
        if call.headers["Authorization"] in good:
            return FINE
        return Reply(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])

    api = secured(answer, OAUTH | {"type": "oauth2_client_credentials"})
    assert api.extract().column("id") == ["1"]
    assert api.server.paths == ["/token", "/items", "/token", "/items"]
    good.clear()
    with pytest.raises(DataInsightError, match="401 Unauthorized: Session expired or invalid"):
        api.extract()
    assert api.server.paths[4:] == ["/token", "/items", "/token", "/items"]


def test_a_refused_token_is_one_line_without_the_secret(secured: Callable[..., Rest]) -> None:
    refusal = Reply(400, {"error": "invalid_grant", "error_description": "expired s3cret/? token"})
    api = secured([refusal], OAUTH | {"type": "oauth2_client_credentials"})
    with pytest.raises(DataInsightError) as error:
        api.extract()
    assert error.value.message == (
        f"no access token: POST {api.server.url}/token was answered 400 Bad Request: expired *** token"
    )
    for nonsense in (Reply(200, {"token": "t"}), Reply(200, ["t"]), Reply(302, {}, {"Location": "/elsewhere"})):
        with pytest.raises(DataInsightError, match=r"without an access_token|302 Found"):
            secured([nonsense], OAUTH | {"type": "oauth2_client_credentials"}).extract()


REFRESHED = {
    "type": "oauth2_refresh_token", "access_token_url": "/token", "client_id": "{id}", "refresh_token": "{secret}",
}  # fmt: skip


def replacing(valid: list[str]) -> Callable[[Call], Reply]:
    """An API that takes the last of these refresh tokens, once, and replaces it."""

    def answer(call: Call) -> Reply:
        if call.path != "/token":
            return FINE
        assert call.form["grant_type"] == "refresh_token"
        if call.form["refresh_token"] != valid[-1]:
            return Reply(400, {"error": "invalid_grant", "error_description": f"used: {call.form['refresh_token']}"})
        valid.append(f"refresh-{len(valid)}")
        return Reply(200, {"access_token": "t", "refresh_token": valid[-1]})

    return answer


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where a refresh token is kept that replaces the configured one."""
    return tmp_path / "home" / "rest" / "api" / "refresh_token.json"


def test_a_refresh_token_that_is_replaced_is_kept_for_its_owner_only(secured: Callable[..., Rest], kept: Path) -> None:
    valid = ["s3cret/?"]
    api = secured(replacing(valid), REFRESHED)
    assert [api.extract().column("id") for _ in range(3)] == [["1"]] * 3
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.iterdir() if "refresh-" in path.read_text()] == []
    valid.append("another")
    with pytest.raises(DataInsightError, match=r"used: \*\*\*"):
        api.extract()
    # A newly configured token comes before the kept one.
    api.settings["parameters"] = {"id": "me", "secret": "another"}
    assert api.extract().column("id") == ["1"]


def test_a_refresh_token_that_was_kept_in_clear_is_read_once_more(secured: Callable[..., Rest], kept: Path) -> None:
    valid = ["s3cret/?", "refresh-from-before"]
    kept.parent.mkdir(parents=True)
    digest = hashlib.sha256(valid[0].encode()).hexdigest()
    kept.write_text(json.dumps({"replaces": digest, "refresh_token": valid[1]}))
    with pytest.raises(DataInsightError, match="no access token"):
        secured([Reply(400, {"error": "invalid_grant"})], REFRESHED).extract()
    assert "refresh-from-before" not in kept.read_text()
    assert secured(replacing(valid), REFRESHED).extract().column("id") == ["1"]


@pytest.mark.parametrize("damage", ["sealed", "all"])
def test_a_damaged_refresh_token_is_told(damage: str, secured: Callable[..., Rest], kept: Path) -> None:
    api = secured(replacing(["s3cret/?"]), REFRESHED)
    api.extract()
    found = json.loads(kept.read_text())
    kept.write_text(json.dumps({**found, "sealed": found["sealed"][:-9]}) if damage == "sealed" else "{")
    with pytest.raises(DataInsightError, match=r"refresh_token\.json cannot be read") as raised:
        api.extract()
    assert raised.value.hint == "remove it and configure a new refresh token"


def test_a_redirect_to_another_host_carries_no_credential(secured: Callable[..., Rest]) -> None:
    with Answers([FINE]) as other:
        away = other.url.replace("127.0.0.1", "localhost")
        for auth in (
            {"type": "bearer", "token": "{secret}"},
            {"type": "api_key", "name": "X-Key", "api_key": "{secret}"},
        ):
            api = secured([Reply(302, {}, {"Location": f"{away}/items"})], auth, headers={"X-Secret": "{secret}"})
            assert api.extract().column("id") == ["1"]
        for call in other.calls:
            assert "s3cret" not in str(dict(call.headers))
            assert "Authorization" not in call.headers


def test_a_redirect_within_the_host_keeps_it(secured: Callable[..., Rest]) -> None:
    def answer(call: Call) -> Reply:
        if call.path == "/items":
            return Reply(307, {}, {"Location": "/v2/items"})
        assert call.headers["X-Key"] == "s3cret/?"
        return FINE

    api = secured(answer, {"type": "api_key", "name": "X-Key", "api_key": "{secret}"})
    assert api.extract().column("id") == ["1"]


@pytest.mark.parametrize("secret", ["s3cret\u2026", "s3cr\net"])
def test_a_credential_that_no_header_can_carry_is_not_shown(secret: str, secured: Callable[..., Rest]) -> None:
    api = secured([FINE], {"type": "bearer", "token": "{secret}"})
    api.settings["parameters"] = {"id": "me", "secret": secret}
    with pytest.raises(DataInsightError, match="characters that no header can carry") as error:
        api.extract()
    assert "s3cr" not in f"{error.value.message} {error.value.hint} {error.value.__cause__!r}"


def test_an_address_that_is_none_is_one_line(secured: Callable[..., Rest]) -> None:
    for base_url in ("api.example.com/v1", "https://", "ftp://example.com"):
        api = secured([FINE], {"type": "bearer", "token": "{secret}"}, base_url=base_url)
        with pytest.raises(DataInsightError, match=r"base_url .* is no address"):
            api.extract()


def test_a_newline_after_a_secret_is_no_part_of_it(secured: Callable[..., Rest]) -> None:
    api = secured([FINE], {"type": "bearer", "token": "{secret}"})
    api.settings["parameters"] = {"id": "me", "secret": "s3cret\n"}
    api.extract()
    assert api.server.calls[0].headers["Authorization"] == "Bearer s3cret"


def test_a_netrc_is_not_looked_into(
    secured: Callable[..., Rest], rest: Callable[..., Rest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for api in (rest([FINE]), secured([FINE], {"type": "api_key", "name": "X-Key", "api_key": "{secret}"})):
        api.extract()
        assert "Authorization" not in api.server.calls[0].headers


def test_nothing_shows_the_secret(secured: Callable[..., Rest]) -> None:
    api = secured([FINE], {"type": "bearer", "token": "{secret}"})
    assert "s3cret" not in repr(api.source)
    assert "s3cret" not in str(api.source.model_dump())
