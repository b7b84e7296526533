"""Who is in an organization, who comes in by an invitation, and who does not."""

import pytest
import sqlalchemy as sa

from serving.identity.people import add_person
from serving.identity.roles import Permission, Role
from tests.serving.http.conftest import Server
from tests.serving.http.people import PASSWORD, Person, added, audited, new_email, post, registered


def invitation(server: Server, email: str, organization: str = "acme", role: str = "viewer") -> str:
    key = server.key(None, Role.OPERATOR)
    made = post(server, f"/organizations/{organization}/invitations", {"email": email, "role": role}, key)
    assert made.status_code == 201, made.text
    return str(made.json()["invitation"])


def test_an_admin_invites_and_the_invited_are_members(server: Server) -> None:
    admin = added(server, "crow", Role.ADMIN)
    email = new_email()
    made = post(
        server, "/organizations/crow/invitations", {"email": email, "role": "editor"}, admin.tokens["access_token"]
    )
    assert made.status_code == 201, made.text
    bea = registered(server, email=email, invitation=made.json()["invitation"])
    assert (bea.tokens["organization_id"], bea.tokens["role"]) == ("crow", "editor")
    with admin.client() as client:
        members = client.get("/organizations/crow/members").json()["members"]
        assert [(one["email"], one["role"]) for one in members] == [(admin.email, "admin"), (email, "editor")]
    with bea.client() as client:
        assert client.get("/organizations/crow/members").status_code == 403
    with server.warehouse.engine().connect() as connection:
        kept = connection.execute(sa.text("select cast(i as text) from app.invitations as i")).scalars().all()
    assert made.json()["invitation"][16:] not in str(kept)
    actor = f"user:{admin.user_id}"
    assert audited(server.warehouse, actor)[-1][0] == "invitations.add"
    # Once, and no more.
    again = post(
        server,
        "/auth/register",
        {"email": new_email(), "password": PASSWORD, "invitation": made.json()["invitation"]},
    )
    assert (again.status_code, again.json()["detail"]) == (403, "the invitation is not valid")


def test_who_has_an_account_takes_an_invitation_into_one_more_organization(server: Server) -> None:
    ann = registered(server)
    text = invitation(server, ann.email)
    token = ann.tokens["access_token"]
    taken = post(server, "/auth/invitations", {"invitation": text}, token)
    assert (taken.status_code, taken.json()) == (200, {"organization_id": "acme", "role": "viewer"})
    assert post(server, "/auth/invitations", {"invitation": text}, token).status_code == 403
    assert ann.log_in(organization="acme").json()["role"] == "viewer"
    # What they are already is not changed by another invitation.
    more = post(server, "/auth/invitations", {"invitation": invitation(server, ann.email, role="admin")}, token)
    assert (more.status_code, more.json()["detail"]) == (409, "you are a member of this organization already")
    assert ann.log_in(organization="acme").json()["role"] == "viewer"


def test_an_invitation_is_for_its_address_and_its_week(server: Server) -> None:
    eve = registered(server)
    email = new_email()
    texts = [invitation(server, email), invitation(server, eve.email), "x", "dv_000000000000_" + "A" * 43]
    with server.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text("update app.invitations set expires_at = now() where email = :email"), {"email": eve.email}
        )
    texts.append(texts[0][:-1] + ("A" if texts[0][-1] != "A" else "B"))
    refused = [post(server, "/auth/invitations", {"invitation": text}, eve.tokens["access_token"]) for text in texts]
    refused.append(post(server, "/auth/register", {"email": new_email(), "password": PASSWORD, "invitation": texts[0]}))
    assert {(answer.status_code, answer.json()["detail"]) for answer in refused} == {
        (403, "the invitation is not valid")
    }
    # Nobody was made half.
    assert registered(server, email=email, invitation=texts[0]).tokens["organization_id"] == "acme"


def test_nobody_invites_elsewhere_or_higher_than_they_are(server: Server) -> None:
    admin = server.key("acme", Role.ADMIN)
    refused = [
        post(server, f"/organizations/{name}/invitations", {"email": new_email()}, admin) for name in ("bolt", "nosuch")
    ]
    assert {(answer.status_code, answer.json()["detail"]) for answer in refused} == {
        (403, "that is not your own organization")
    }
    body = {"email": new_email(), "role": "operator"}
    assert post(server, "/organizations/acme/invitations", body, admin).status_code == 400
    scoped = server.key("acme", Role.ADMIN, scopes=[Permission.MEMBERS_WRITE, Permission.METRICS_READ])
    for role, status in (("viewer", 201), ("editor", 403), ("admin", 403)):
        body = {"email": new_email(), "role": role}
        assert post(server, "/organizations/acme/invitations", body, scoped).status_code == status


def test_the_last_admin_stays(server: Server) -> None:
    ann = registered(server)
    own, token = ann.tokens["organization_id"], ann.tokens["access_token"]
    path = f"/organizations/{own}/members/{ann.user_id}"
    last = post(server, path, None, token, method="DELETE")
    assert (last.status_code, last.json()["detail"]) == (409, "that is the organization's last admin")
    made = add_person(server.warehouse, new_email(), Role.ADMIN, own, actor="test")
    bea = Person(server, made.email, str(made.password), {})
    bea.tokens = bea.log_in().json()
    assert post(server, path, None, bea.tokens["access_token"], method="DELETE").status_code == 204
    assert post(server, path, None, bea.tokens["access_token"], method="DELETE").status_code == 404
    assert audited(server.warehouse, f"user:{made.user_id}")[-1][0] == "memberships.remove"
    assert post(server, "/auth/refresh", {"refresh_token": ann.tokens["refresh_token"]}).status_code == 401


@pytest.mark.parametrize("name", ["bolt", "nosuch", "%00"])
def test_another_organizations_members_are_nobodys_business(server: Server, name: str) -> None:
    with server.client(server.key("acme", Role.ADMIN)) as client:
        assert client.get(f"/organizations/{name}/members").status_code in ({403} if name != "%00" else {400})
        assert client.http.delete(f"/api/v1/organizations/{name}/members/usr_1").status_code in {403, 400}
