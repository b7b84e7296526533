"""Invitations of an e-mail address into an organization; whoever has the text and the address may come in, once."""

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from serving.identity.actors import actors_as_told
from serving.identity.memberships import join
from serving.identity.one_time import new_text, parsed
from serving.identity.principal import Principal
from serving.identity.refusals import NotAllowedError, NotFoundError
from serving.identity.roles import Role
from serving.identity.users import User, verify_email
from warehouse.portions import ALL, Portion

DAYS = 7
_KIND = "dv"


@dataclass(frozen=True)
class Invitation:
    """An invitation, with its text as long as that is shown."""

    invitation_id: str
    text: str
    organization_id: str
    email: str
    role: Role
    expires_at: datetime


def invite(connection: sa.Connection, organization_id: str, email: str, role: Role, *, actor: str) -> Invitation:
    """Invite somebody into an organization that is known.

    Args:
        connection: The transaction.
        organization_id: Where to.
        email: Whom; normalized.
        role: As what.
        actor: Who invites.
    """
    made = new_text(_KIND)
    expires_at: datetime = connection.execute(
        sa.text(
            "insert into app.invitations"
            " (invitation_id, secret_hash, organization_id, email, role, invited_by, expires_at)"
            " values (:invitation_id, :secret_hash, :organization_id, :email, :role, :actor,"
            " now() + make_interval(days => :days)) returning expires_at"
        ),
        {
            "invitation_id": made.row_id,
            "secret_hash": made.digest,
            "organization_id": organization_id,
            "email": email,
            "role": role.value,
            "actor": actor,
            "days": DAYS,
        },
    ).scalar_one()
    return Invitation(made.row_id, made.text, organization_id, email, role, expires_at)


@dataclass(frozen=True)
class OpenInvitation:
    """An invitation that may still be taken, without its text, which is kept nowhere."""

    invitation_id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime


def open_invitations(
    connection: sa.Connection, reader: Principal, organization_id: str, portion: Portion = ALL
) -> list[OpenInvitation]:
    """Those of an organization, as a reader may see them, the newest first."""
    rows = portion.rows(
        connection,
        "select invitation_id, email, role, invited_by, created_at, expires_at from app.invitations"
        " where organization_id = :organization_id and accepted_at is null and withdrawn_at is null"
        " and expires_at > now()",
        {"organization_id": organization_id},
        by=("created_at", "invitation_id"),
        is_descending=True,
    )
    found = [OpenInvitation(**row) for row in rows]
    told = actors_as_told(connection, reader, (one.invited_by for one in found))
    return [replace(one, invited_by=told[one.invited_by]) for one in found]


def withdraw(connection: sa.Connection, organization_id: str, invitation_id: str) -> None:
    """Take an invitation back.

    Raises:
        NotFoundError: The organization has no such invitation, or it was taken, taken back, or has ended.
    """
    withdrawn = connection.execute(
        sa.text(
            "update app.invitations set withdrawn_at = now() where invitation_id = :invitation_id"
            " and organization_id = :organization_id and accepted_at is null and withdrawn_at is null"
            " and expires_at > now() returning invitation_id"
        ),
        {"invitation_id": invitation_id, "organization_id": organization_id},
    )
    if withdrawn.one_or_none() is None:
        raise NotFoundError("there is no such invitation that could still be taken")


def find_invitation(connection: sa.Connection, text: str, email: str) -> Invitation:
    """An open invitation of this address, locked until the transaction ends.

    Raises:
        NotAllowedError: It is none, has ended, was used, or is for another address; which of them is not said.
    """
    given = parsed(_KIND, text)
    row = None
    if given is not None:
        row = connection.execute(
            sa.text(
                "select secret_hash, organization_id, email, role, expires_at from app.invitations"
                " where invitation_id = :invitation_id and accepted_at is null and withdrawn_at is null"
                " and expires_at > now() for update"
            ),
            {"invitation_id": given.row_id},
        ).one_or_none()
    if given is None or row is None or not given.meets(row.secret_hash) or row.email != email:
        raise NotAllowedError("the invitation is not valid", hint="it is good for one address, once, for a week")
    return Invitation(given.row_id, text, row.organization_id, row.email, Role(row.role), row.expires_at)


def accept(connection: sa.Connection, invitation: Invitation, user: User) -> None:
    """Take an invitation that was found.

    Raises:
        ConflictError: They are a member already.
    """
    join(connection, user.user_id, invitation.organization_id, invitation.role)
    # It was sent to the address, so whoever has it reads what is sent there.
    verify_email(connection, user.user_id)
    connection.execute(
        sa.text("update app.invitations set accepted_at = now() where invitation_id = :invitation_id"),
        {"invitation_id": invitation.invitation_id},
    )
