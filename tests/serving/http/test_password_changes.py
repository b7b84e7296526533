"""Another password: by the old one, or by a link; and what ends with the one before."""

import pytest
import sqlalchemy as sa

from serving.http.app import create_app
from serving.identity.password_changes import reset_of_person, set_password
from serving.identity.people import add_person, disable_person
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.people import PASSWORD, Person, added, audited, new_email, post, registered

NEW = "battery staple horse"


def changed(person: Person, old: str = PASSWORD, new: str = NEW) -> int:
    body = {"old_password": old, "new_password": new}
    return post(person.server, "/auth/password", body, person.tokens["access_token"]).status_code


def test_a_new_password_takes_the_place_of_the_old_one_and_ends_every_session(server: Server) -> None:
    ann = registered(server)
    elsewhere = ann.log_in().json()
    body = {"old_password": PASSWORD, "new_password": NEW}
    answer = post(server, "/auth/password", body, ann.tokens["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["organization_id"] == ann.tokens["organization_id"]
    for tokens in (ann.tokens, elsewhere):
        assert post(server, "/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status_code == 401
    # Whoever changed it stays.
    assert post(server, "/auth/refresh", {"refresh_token": answer.json()["refresh_token"]}).status_code == 200
    assert ann.log_in().status_code == 401
    ann.password = NEW
    assert ann.log_in().status_code == 200
    assert "auth.password_changed" in [action for action, _ in audited(server.warehouse, f"user:{ann.user_id}")]


def test_the_old_password_is_asked_for(server: Server) -> None:
    ann = registered(server)
    assert changed(ann, old="not the old one") == 401
    assert changed(ann, new="short") == 400
    assert ann.log_in().status_code == 200
    assert post(server, "/auth/refresh", {"refresh_token": ann.tokens["refresh_token"]}).status_code == 200


def test_a_second_factor_is_begun_by_the_password(server: Server) -> None:
    ann = registered(server)
    token = ann.tokens["access_token"]
    assert post(server, "/auth/totp", {"password": "not the password"}, token).status_code == 401
    assert post(server, "/auth/totp", {}, token).status_code == 400
    assert post(server, "/auth/totp", {"password": ann.password}, token).status_code == 201


def test_who_has_no_password_is_told_so(server: Server) -> None:
    ann = registered(server)
    with server.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text("update app.users set password_hash = null where user_id = :user_id"), {"user_id": ann.user_id}
        )
    body = {"old_password": PASSWORD, "new_password": NEW}
    refused = post(server, "/auth/password", body, ann.tokens["access_token"])
    assert (refused.status_code, refused.json()["detail"]) == (403, "your account has no password")
    totp = post(server, "/auth/totp", {"password": PASSWORD}, ann.tokens["access_token"])
    assert (totp.status_code, totp.json()["detail"]) == (403, "your account has no password")


def test_guesses_at_the_old_password_end(published: Store) -> None:
    settings = published.settings.model_copy(update={"login_attempts": 3})
    with running(create_app(settings)) as address:
        ann = registered(Server(address, published.warehouse))
        assert [changed(ann, old=f"a guess, number {number}") for number in range(4)] == [401, 401, 401, 429]


def test_an_admin_makes_a_link_for_a_member_who_sets_a_password_by_it_once(server: Server) -> None:
    admin, bea = added(server, "dove", Role.ADMIN), added(server, "dove", Role.VIEWER)
    path = f"/organizations/dove/members/{bea.user_id}/password-reset"
    made = post(server, path, None, admin.tokens["access_token"])
    assert made.status_code == 201, made.text
    other = post(server, path, None, admin.tokens["access_token"]).json()["reset"]
    text = made.json()["reset"]
    with server.warehouse.engine().connect() as connection:
        kept = connection.execute(sa.text("select cast(r as text) from app.password_resets as r")).scalars().all()
    assert text[16:] not in str(kept)

    given = {"reset": text, "new_password": NEW}
    assert post(server, "/auth/password/reset", {**given, "new_password": "short"}).status_code == 400
    assert post(server, "/auth/password/reset", given).status_code == 204
    assert post(server, "/auth/refresh", {"refresh_token": bea.tokens["refresh_token"]}).status_code == 401
    assert bea.log_in().status_code == 401
    bea.password = NEW
    assert bea.log_in().status_code == 200
    # Neither it nor any other that was made for the same person is good any more.
    for used in (text, other, text[:-1] + ("a" if text[-1] != "a" else "b"), "nonsense"):
        refused = post(server, "/auth/password/reset", {**given, "reset": used})
        assert (refused.status_code, refused.json()["detail"]) == (403, "the link is not valid")
    assert audited(server.warehouse, f"user:{admin.user_id}")[-1][0] == "auth.password_reset_made"


def test_an_admin_makes_none_for_who_is_more_than_a_member(server: Server) -> None:
    admin, bea = added(server, "dove", Role.ADMIN), added(server, "dove", Role.VIEWER)
    path = f"/organizations/dove/members/{bea.user_id}/password-reset"
    add_person(server.warehouse, bea.email, Role.VIEWER, "acme", actor="test")
    assert post(server, path, None, admin.tokens["access_token"]).status_code == 403
    assert post(server, path, None, server.key(None, Role.OPERATOR)).status_code == 201
    stranger = added(server, "acme", Role.VIEWER)
    for nobody in (stranger.user_id, "usr_0000000000000000"):
        path = f"/organizations/dove/members/{nobody}/password-reset"
        missing = post(server, path, None, admin.tokens["access_token"])
        assert (missing.status_code, missing.json()["detail"]) == (404, "there is no such member")
    assert post(server, path, None, bea.tokens["access_token"]).status_code == 403


@pytest.mark.parametrize(("role", "organization"), [(Role.VIEWER, "acme"), (Role.OPERATOR, None)])
def test_an_admins_link_ends_when_its_person_becomes_more_than_a_member(
    server: Server, role: Role, organization: str | None
) -> None:
    admin, bea = added(server, "dove", Role.ADMIN), added(server, "dove", Role.VIEWER)
    path = f"/organizations/dove/members/{bea.user_id}/password-reset"
    of_admin = post(server, path, None, admin.tokens["access_token"]).json()["reset"]
    of_operator = post(server, path, None, server.key(None, Role.OPERATOR)).json()["reset"]
    add_person(server.warehouse, bea.email, role, organization, actor="test")
    refused = post(server, "/auth/password/reset", {"reset": of_admin, "new_password": NEW})
    assert (refused.status_code, refused.json()["detail"]) == (403, "the link is not valid")
    assert bea.log_in(organization="dove").status_code == 200
    assert post(server, "/auth/password/reset", {"reset": of_operator, "new_password": NEW}).status_code == 204


def test_an_admins_link_ends_with_the_membership(server: Server) -> None:
    admin, bea = added(server, "dove", Role.ADMIN), added(server, "dove", Role.VIEWER)
    token, member = admin.tokens["access_token"], f"/organizations/dove/members/{bea.user_id}"
    text = post(server, f"{member}/password-reset", None, token).json()["reset"]
    assert post(server, member, None, token, method="DELETE").status_code == 204
    assert post(server, "/auth/password/reset", {"reset": text, "new_password": NEW}).status_code == 403


def test_a_link_ends_and_lets_nobody_in_whose_account_is_closed(server: Server) -> None:
    ann = registered(server)
    old = reset_of_person(server.warehouse, ann.email, actor="test")
    with server.warehouse.engine().begin() as connection:
        connection.execute(sa.text("update app.password_resets set expires_at = now() where used_at is null"))
    assert post(server, "/auth/password/reset", {"reset": old.text, "new_password": NEW}).status_code == 403
    new = reset_of_person(server.warehouse, ann.email, actor="test")
    disable_person(server.warehouse, ann.email, actor="test")
    assert post(server, "/auth/password/reset", {"reset": new.text, "new_password": NEW}).status_code == 403


def test_a_second_factor_stays_when_the_password_is_set_by_a_link(server: Server) -> None:
    ann = registered(server)
    with server.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text("update app.users set totp_secret = 'x', totp_confirmed_at = now() where user_id = :user_id"),
            {"user_id": ann.user_id},
        )
    made = reset_of_person(server.warehouse, ann.email, actor="test")
    set_password(server.warehouse, made.text, NEW, request_id=None)
    ann.password = NEW
    assert ann.log_in().json()["hint"] == "send it as `code`"


def test_invitations_are_listed_and_withdrawn(server: Server) -> None:
    admin = added(server, "eagle", Role.ADMIN)
    token = admin.tokens["access_token"]
    emails = [new_email(), new_email()]
    made = [post(server, "/organizations/eagle/invitations", {"email": email}, token).json() for email in emails]
    with admin.client() as client:
        listed = client.get("/organizations/eagle/invitations")
        assert sorted(one["email"] for one in listed.json()["invitations"]) == sorted(emails)
        assert made[0]["invitation"][16:] not in listed.text
        gone = f"/organizations/eagle/invitations/{made[0]['invitation_id']}"
        assert client.http.delete(f"/api/v1{gone}").status_code == 204
        assert [one["email"] for one in client.get("/organizations/eagle/invitations").json()["invitations"]] == [
            emails[1]
        ]
        assert client.http.delete(f"/api/v1{gone}").status_code == 404
        # Another organization's is none of theirs.
        assert client.get("/organizations/acme/invitations").status_code == 403
    stranger = added(server, "acme", Role.ADMIN)
    theirs = f"/organizations/acme/invitations/{made[1]['invitation_id']}"
    assert post(server, theirs, None, stranger.tokens["access_token"], method="DELETE").status_code == 404
    taken = {"email": emails[0], "password": PASSWORD, "invitation": made[0]["invitation"]}
    refused = post(server, "/auth/register", taken)
    assert (refused.status_code, refused.json()["detail"]) == (403, "the invitation is not valid")
    assert registered(server, email=emails[1], invitation=made[1]["invitation"]).tokens["organization_id"] == "eagle"
