"""Logging in by a real OpenID Connect provider on loopback, and what a provider or a browser can do wrong."""

import json
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import werkzeug
import werkzeug.serving

from serving.http.app import create_app
from serving.identity.oidc import OidcProvider
from serving.identity.people import add_person, disable_person
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.oidc_login import (
    COOKIE,
    Provider,
    browser,
    come_back,
    door,
    leave,
    log_in,
    provider,
    serving,
    with_provider,
)
from tests.serving.http.people import audited, new_email, registered
from warehouse.errors import DataInsightError
from warehouse.settings import Settings

__all__ = ["door", "provider"]


def test_somebody_new_gets_an_organization_of_their_own_and_is_known_from_then_on(
    door: Server, provider: Provider
) -> None:
    subject = provider.knows("new one", email=new_email(), email_verified=True, name="Ann")
    first = log_in(door, provider, subject)
    assert first.status_code == 200, first.text
    assert first.headers["Cache-Control"] == "no-store"
    assert (first.json()["role"], first.json()["organization_id"][:4]) == ("admin", "org_")
    # Whatever becomes of the address, the provider's name for them stays.
    provider.knows("new one", email="elsewhere@example.com", email_verified=False)
    second = log_in(door, provider, subject)
    assert second.json()["organization_id"] == first.json()["organization_id"]
    with door.client(second.json()["access_token"]) as client:
        me = client.get("/auth/me").json()
        assert me["name"] == "Ann"
        assert client.answer("user_actions", group_by=["organization"])["rows"] == []
    assert [action for action, _ in audited(door.warehouse, me["subject"])] == [
        "auth.register",
        "auth.login",
        "auth.login",
    ]
    renewed = httpx.post(f"{door.address}/api/v1/auth/refresh", json={"refresh_token": second.json()["refresh_token"]})
    assert renewed.status_code == 200


def test_the_way_there_is_tied_to_the_way_back(door: Server) -> None:
    with browser(door) as client:
        answer = client.get("/api/v1/auth/oidc/login")
        asked = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert {"state", "nonce", "code_challenge"} <= asked.keys()
        kept = answer.headers["Set-Cookie"]
        assert "HttpOnly" in kept
        assert "SameSite=lax" in kept
        assert "Max-Age=600" in kept
        for secret in ("state", "nonce"):
            assert asked[secret][0] not in kept


def test_who_is_vouched_for_on_both_sides_comes_into_their_organization(door: Server, provider: Provider) -> None:
    email = new_email()
    add_person(door.warehouse, email, Role.EDITOR, "acme", actor="test")
    subject = provider.knows("member", email=email.upper(), email_verified=True)
    answer = log_in(door, provider, subject)
    assert (answer.json()["organization_id"], answer.json()["role"]) == ("acme", "editor")
    # Another one of that address at the provider is somebody else.
    other = provider.knows("another", email=email, email_verified=True)
    refused = log_in(door, provider, other)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "your account is bound to somebody else at the provider",
    )
    add_person(door.warehouse, email, Role.VIEWER, "bolt", actor="test")
    assert log_in(door, provider, subject).status_code == 400
    assert log_in(door, provider, subject, organization="bolt").json()["organization_id"] == "bolt"
    assert log_in(door, provider, subject, organization="crow").status_code == 403
    disable_person(door.warehouse, email, actor="test")
    assert log_in(door, provider, subject).status_code == 401


@pytest.mark.parametrize("claims", [{}, {"email_verified": False}, {"email_verified": "no"}, {"email": None}])
def test_an_address_that_is_not_verified_leads_nowhere(
    door: Server, provider: Provider, claims: dict[str, Any]
) -> None:
    email = new_email()
    add_person(door.warehouse, email, Role.VIEWER, "acme", actor="test")
    subject = provider.knows(f"unverified {email}", **{"email": email, **claims})
    refused = log_in(door, provider, subject)
    assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden")


def test_who_said_a_strangers_address_first_does_not_share_the_strangers_login(
    door: Server, provider: Provider
) -> None:
    eve = registered(door)
    subject = provider.knows("victim", email=eve.email, email_verified=True)
    refused = log_in(door, provider, subject)
    assert refused.status_code == 403
    assert "nobody has vouched" in refused.json()["detail"]


def test_where_registration_is_closed_the_provider_alone_opens_nothing(published: Store, provider: Provider) -> None:
    settings = with_provider(published.settings, provider.address, registration="invited")
    subject = provider.knows("uninvited", email=new_email(), email_verified=True)
    with running(create_app(settings)) as address:
        refused = log_in(Server(address, published.warehouse), provider, subject)
        assert (refused.status_code, refused.json()["detail"]) == (403, "nobody can register here uninvited")


def test_a_way_back_that_nobody_went_is_refused(door: Server, provider: Provider) -> None:
    subject = provider.knows("anybody", email=new_email(), email_verified=True)
    with browser(door) as client, browser(door) as other:
        back = provider.lets_in(leave(client), subject)
        leave(other)
        # Another browser's cookie, none, a forged one; another state, none.
        wrong = [
            come_back(other, back),
            httpx.get(f"{door.address}/api/v1/auth/oidc/callback", params=back.params),
            httpx.get(
                f"{door.address}/api/v1/auth/oidc/callback", params=back.params, headers={"Cookie": f"{COOKIE}=forged"}
            ),
            come_back(client, back.copy_set_param("state", "another")),
            come_back(client, back.copy_set_param("state", "")),
            come_back(client, back.copy_set_param("state", "\N{BELL}")),
        ]
        assert {(answer.status_code, answer.json()["hint"]) for answer in wrong} == {
            (401, "GET /api/v1/auth/oidc/login")
        }
        assert come_back(client, back).status_code == 200
        # The cookie went with the login, and the provider's code is good once.
        assert COOKIE not in client.cookies
        assert come_back(client, back).status_code == 401


def test_whom_the_provider_sends_without_a_code_comes_in_nowhere(door: Server) -> None:
    with browser(door) as client:
        leave(client)
        for query in ({"error": "access_denied", "state": "x"}, {"state": "x"}, {}):
            answer = client.get("/api/v1/auth/oidc/callback", params=query)
            assert (answer.status_code, answer.json()["detail"]) == (401, "the provider has let nobody in")


def test_a_code_that_is_none_is_refused(door: Server, provider: Provider) -> None:
    subject = provider.knows("guesser", email=new_email(), email_verified=True)
    with browser(door) as client:
        back = provider.lets_in(leave(client), subject)
        answer = come_back(client, back.copy_set_param("code", "guessed"))
        assert (answer.status_code, answer.json()["detail"]) == (
            401,
            "the OpenID Connect provider does not vouch for this",
        )


def test_another_login_s_nonce_is_refused(door: Server, provider: Provider) -> None:
    subject = provider.knows("replayer", email=new_email(), email_verified=True)
    with browser(door) as client:
        url = httpx.URL(leave(client))
        for nonce in ("another", ""):
            back = provider.lets_in(str(url.copy_set_param("nonce", nonce)), subject)
            assert come_back(client, back).status_code == 401
        assert come_back(client, provider.lets_in(str(url), subject)).status_code == 200


def test_without_a_provider_there_is_no_such_way(server: Server) -> None:
    with server.client() as client:
        for path in ("login", "callback?code=x&state=y"):
            assert client.get(f"/auth/oidc/{path}").status_code == 404


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_a_provider_one_of_whose_doors_is_in_clear_is_not_asked(settings: Settings, endpoint: str) -> None:
    @werkzeug.Request.application
    def discovery(request: werkzeug.Request) -> werkzeug.Response:
        doors = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
        told = {"issuer": request.host_url.rstrip("/"), **{name: f"https://idp.example.com/{name}" for name in doors}}
        return werkzeug.Response(
            json.dumps(told | {endpoint: f"http://idp.example.com/{endpoint}"}), mimetype="application/json"
        )

    with serving(discovery) as issuer, pytest.raises(DataInsightError, match="in clear"):
        OidcProvider(with_provider(settings, issuer), issuer).depart(None)


def test_an_address_comes_back_so_often_and_no_more(published: Store, provider: Provider) -> None:
    settings = with_provider(published.settings, provider.address, login_attempts=1)
    with running(create_app(settings)) as address:
        answers = [httpx.get(f"{address}/api/v1/auth/oidc/callback?code=x&state=y") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_while_the_provider_is_away_it_is_said_and_the_rest_goes_on(published: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with running(create_app(with_provider(published.settings, nobody))) as address:
        door = Server(address, published.warehouse)
        away = httpx.get(f"{address}/api/v1/auth/oidc/login")
        assert (away.status_code, away.headers["Content-Type"]) == (503, "application/problem+json")
        assert int(away.headers["Retry-After"]) > 0
        assert registered(door).log_in().status_code == 200


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"oidc_client_id": ""}, "DATAINSIGHT_OIDC_CLIENT_ID"),
        ({"oidc_redirect_url": ""}, "DATAINSIGHT_OIDC_REDIRECT_URL"),
        ({"oidc_issuer": "http://accounts.example.com"}, "in clear"),
    ],
)
def test_half_a_provider_is_said_at_the_start(settings: Settings, change: dict[str, Any], word: str) -> None:
    given = with_provider(settings, "https://accounts.example.com").model_copy(update=change)
    with pytest.raises(DataInsightError, match=word):
        OidcProvider(given, str(given.oidc_issuer))
