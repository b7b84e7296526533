"""The second factor: asked for, taken once, replaced by codes on paper, removed by a code."""

import pyotp
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.people import Person, audited, post, registered


def enrolled(server: Server) -> tuple[Person, pyotp.TOTP, list[str]]:
    """Somebody with an app, whose first code is used up, and their codes on paper."""
    ann = registered(server)
    token = ann.tokens["access_token"]
    begun = post(server, "/auth/totp", {"password": ann.password}, token)
    assert begun.status_code == 201, begun.text
    app = pyotp.parse_uri(begun.json()["otpauth_url"])
    assert isinstance(app, pyotp.TOTP)
    assert (app.secret, app.name, app.issuer) == (begun.json()["secret"], ann.email, "DataInsight")
    confirmed = post(server, "/auth/totp/confirm", {"code": app.now()}, token)
    assert confirmed.status_code == 200, confirmed.text
    return ann, app, confirmed.json()["recovery_codes"]


def forget_last_step(server: Server) -> None:
    """As if half a minute had passed."""
    with server.warehouse.engine().begin() as connection:
        connection.execute(sa.text("update app.users set totp_last_step = 0 where totp_last_step is not null"))


def test_with_a_second_factor_a_password_is_not_enough(server: Server) -> None:
    ann, app, _ = enrolled(server)
    missing = ann.log_in()
    assert (missing.status_code, missing.json()["hint"]) == (401, "send it as `code`")
    forget_last_step(server)
    wrong = f"{(int(app.now()) + 1) % 10**6:06d}"
    assert ann.log_in(code=wrong).status_code == 401
    code = app.now()
    assert ann.log_in(code=code, password="x" * 12).status_code == 401
    assert ann.log_in(code=code).status_code == 200
    # Whoever looked over the shoulder comes too late.
    assert ann.log_in(code=code).status_code == 401
    actions = audited(server.warehouse, f"user:{ann.user_id}")
    assert {"auth.totp_begun", "auth.totp_confirmed"} <= {action for action, _ in actions}
    assert "code" in [details.get("reason") for _, details in actions]


def test_a_code_that_confirmed_is_used_up(server: Server) -> None:
    ann, app, _ = enrolled(server)
    assert ann.log_in(code=app.now()).status_code == 401


def test_each_code_on_paper_stands_in_once(server: Server) -> None:
    ann, _, codes = enrolled(server)
    assert len(set(codes)) == 10
    assert ann.log_in(code=codes[0]).status_code == 200
    assert ann.log_in(code=codes[0]).status_code == 401
    assert ann.log_in(code=codes[1].upper().replace("-", " ")).status_code == 200
    other, _, _ = enrolled(server)
    assert other.log_in(code=codes[2]).status_code == 401


def test_it_is_removed_by_a_code_and_by_nothing_less(server: Server) -> None:
    ann, app, codes = enrolled(server)
    token = ann.tokens["access_token"]
    again = post(server, "/auth/totp", {"password": ann.password}, token)
    assert (again.status_code, again.json()["title"]) == (409, "Conflict")
    assert post(server, "/auth/totp/confirm", {"code": app.now()}, token).status_code == 409
    assert post(server, "/auth/totp", {"code": "000000x"}, token, method="DELETE").status_code == 401
    assert post(server, "/auth/totp", {"code": codes[0]}, token, method="DELETE").status_code == 204
    assert ann.log_in().status_code == 200
    assert post(server, "/auth/totp", {"code": codes[1]}, token, method="DELETE").status_code == 409
    with server.warehouse.engine().connect() as connection:
        kept = connection.execute(
            sa.text("select totp_secret from app.users where user_id = :user_id"), {"user_id": ann.user_id}
        )
        assert kept.scalar_one() is None


def test_what_was_not_confirmed_is_asked_of_nobody(server: Server) -> None:
    ann = registered(server)
    token = ann.tokens["access_token"]
    assert post(server, "/auth/totp/confirm", {"code": "123456"}, token).status_code == 401
    password = {"password": ann.password}
    first = post(server, "/auth/totp", password, token).json()["secret"]
    second = post(server, "/auth/totp", password, token).json()["secret"]
    assert ann.log_in().status_code == 200
    # Only the newest secret can be confirmed.
    assert first != second
    assert post(server, "/auth/totp/confirm", {"code": pyotp.TOTP(first).now()}, token).status_code == 401
    assert post(server, "/auth/totp/confirm", {"code": pyotp.TOTP(second).now()}, token).status_code == 200


def test_its_secret_stands_in_no_table_and_is_of_no_use_to_another_platform(published: Store, server: Server) -> None:
    ann, app, codes = enrolled(server)
    with server.warehouse.engine().connect() as connection:
        kept = bytes(
            connection.execute(
                sa.text("select totp_secret from app.users where user_id = :user_id"), {"user_id": ann.user_id}
            ).scalar_one()
        )
    assert app.secret.encode() not in kept
    settings = published.settings.model_copy(update={"secret_key": SecretStr("another secret of the platform, long")})
    with running(create_app(settings)) as address:
        elsewhere = Person(Server(address, published.warehouse), ann.email, ann.password, {})
        forget_last_step(server)
        for code in (app.now(), codes[0]):
            assert elsewhere.log_in(code=code).status_code == 401


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_it_is_for_people_and_not_for_keys(server: Server, method: str) -> None:
    refused = post(server, "/auth/totp", {"code": "123456"}, server.key("acme"), method=method)
    assert (refused.status_code, refused.json()["hint"]) == (403, "POST /api/v1/auth/login")


def test_guesses_at_codes_end(published: Store) -> None:
    settings = published.settings.model_copy(update={"login_attempts": 3})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        ann, _, _ = enrolled(server)
        statuses = [
            post(server, "/auth/totp", {"code": "000000x"}, ann.tokens["access_token"], method="DELETE").status_code
            for _ in range(3)
        ]
        assert statuses == [401, 401, 429]
