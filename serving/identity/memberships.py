"""Who is what in which organization."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from serving.identity.principal import Principal
from serving.identity.refusals import ConflictError, NotAllowedError, NotAuthenticatedError, NotFoundError
from serving.identity.roles import PERMISSIONS, Role
from serving.identity.users import User, user_by_id
from warehouse.errors import DataInsightError
from warehouse.portions import ALL, Portion
from warehouse.settings import STANDARD_PLAN

_RANDOM_BYTES = 8


@dataclass(frozen=True)
class Membership:
    """What somebody is in an organization; for an operator, across them.

    Attributes:
        plan: What the organization pays for.
    """

    organization_id: str | None
    role: Role
    plan: str


@dataclass(frozen=True)
class Member:
    """Somebody in an organization, as its others see them."""

    user_id: str
    email: str
    name: str
    role: str
    created_at: datetime


def new_organization(connection: sa.Connection, name: str) -> str:
    """Make an organization with a random id, so that nobody gets into one whose rows are there by naming it."""
    organization_id = f"org_{secrets.token_hex(_RANDOM_BYTES)}"
    know_organization(connection, organization_id, name)
    return organization_id


def know_organization(connection: sa.Connection, organization_id: str, name: str | None = None) -> None:
    """Note an organization that an operator names, if it is not known yet."""
    connection.execute(
        sa.text(
            "insert into app.organizations (organization_id, name) values (:organization_id, :name)"
            " on conflict do nothing"
        ),
        {"organization_id": organization_id, "name": name or organization_id},
    )


def plan_of(connection: sa.Connection, organization_id: str) -> str:
    """What an organization pays for."""
    found: str | None = connection.execute(
        sa.text("select plan from app.organizations where organization_id = :organization_id"),
        {"organization_id": organization_id},
    ).scalar_one_or_none()
    return found or STANDARD_PLAN


def memberships_of(connection: sa.Connection, user_id: str) -> list[Membership]:
    """Everything that somebody is, by organization."""
    rows = connection.execute(
        sa.text(
            "select m.organization_id, m.role, o.plan"
            " from app.memberships as m inner join app.organizations as o using (organization_id)"
            " where m.user_id = :user_id order by m.organization_id"
        ),
        {"user_id": user_id},
    )
    return [Membership(row.organization_id, Role(row.role), row.plan) for row in rows]


def membership_for(connection: sa.Connection, user: User, organization_id: str | None) -> Membership:
    """As what somebody comes in.

    Args:
        connection: The transaction.
        user: Who.
        organization_id: Where; None: wherever they belong, an operator across organizations.

    Raises:
        NotAllowedError: They are no member there, or nowhere.
        DataInsightError: They are in several and have named none.
    """
    if user.is_operator and organization_id is None:
        return Membership(None, Role.OPERATOR, STANDARD_PLAN)
    found = memberships_of(connection, user.user_id)
    if organization_id is not None:
        found = [one for one in found if one.organization_id == organization_id]
    if not found:
        raise NotAllowedError(
            "you are no member of that organization" if organization_id is not None else "you are in no organization",
            hint="an admin of the organization can invite you",
        )
    if len(found) > 1:
        raise DataInsightError(
            f"you are in several organizations: {', '.join(str(one.organization_id) for one in found)}",
            hint="say in which one, by `organization`",
        )
    return found[0]


def join(connection: sa.Connection, user_id: str, organization_id: str, role: Role, *, change: bool = False) -> None:
    """Make somebody a member.

    Args:
        connection: The transaction.
        user_id: Who.
        organization_id: Of what; it is known.
        role: As what.
        change: A member gets the role in place of theirs.

    Raises:
        ConflictError: They are one already, and that is not to be changed.
    """
    conflict = "(user_id, organization_id) do update set role = excluded.role" if change else "do nothing"
    joined = connection.execute(
        sa.text(
            "insert into app.memberships (user_id, organization_id, role) values (:user_id, :organization_id, :role)"
            f" on conflict {conflict} returning user_id"
        ),
        {"user_id": user_id, "organization_id": organization_id, "role": role.value},
    )
    if joined.one_or_none() is None:
        raise ConflictError("you are a member of this organization already")


def leave(connection: sa.Connection, user_id: str, organization_id: str) -> None:
    """Take a membership away; the sessions in that organization end.

    Raises:
        NotFoundError: There is no such member.
        ConflictError: It is the last admin, after whom nobody could invite anybody.
    """
    given = {"user_id": user_id, "organization_id": organization_id}
    require_other_admin(connection, user_id, organization_id)
    whose = "where user_id = :user_id and organization_id = :organization_id"
    connection.execute(sa.text(f"delete from app.memberships {whose}"), given)
    connection.execute(sa.text(f"update app.sessions set ended_at = now() {whose} and ended_at is null"), given)


def require_other_admin(connection: sa.Connection, user_id: str, organization_id: str) -> None:
    """Refuse to let an organization's last admin go.

    Raises:
        NotFoundError: There is no such member.
        ConflictError: It is the last admin, after whom nobody could invite anybody.
    """
    # Locked, so that two admins who remove each other are not both gone.
    roles: dict[str, str] = {
        row.user_id: row.role
        for row in connection.execute(
            sa.text(
                "select user_id, role from app.memberships where organization_id = :organization_id"
                " order by user_id for update"
            ),
            {"organization_id": organization_id},
        )
    }
    if user_id not in roles:
        raise NotFoundError("there is no such member")
    if roles[user_id] == Role.ADMIN and list(roles.values()).count(Role.ADMIN) == 1:
        raise ConflictError("that is the organization's last admin", hint="invite another admin first")


def members_of(connection: sa.Connection, organization_id: str, portion: Portion = ALL) -> list[Member]:
    """Everybody in an organization, those who came first at the beginning."""
    rows = portion.rows(
        connection,
        "select u.user_id, u.email, u.name, m.role, m.created_at"
        " from app.memberships as m inner join app.users as u using (user_id)"
        " where m.organization_id = :organization_id",
        {"organization_id": organization_id},
        by=("created_at", "user_id"),
    )
    return [Member(**row) for row in rows]


def require_current(connection: sa.Connection, principal: Principal) -> None:
    """Ask the warehouse whether somebody who logged in still is what their access token says.

    A token is good for its hour without anybody asking. What would outlast the hour, a key or an invitation, must not
    be made by somebody who was shown out within it.

    Raises:
        NotAuthenticatedError: They are not.
    """
    if principal.user_id is None:
        return
    user = user_by_id(connection, principal.user_id)
    held: list[Any] = []
    if user is not None and user.disabled_at is None:
        held = [(one.organization_id, one.role) for one in memberships_of(connection, user.user_id)]
        held += [(None, Role.OPERATOR)] if user.is_operator else []
    if (principal.organization_id, principal.role) not in held:
        raise NotAuthenticatedError("you are not what your token says any more", hint="log in again")


def require_no_more(principal: Principal, role: Role, what: str) -> None:
    """Refuse to give away more than one has.

    Raises:
        NotAllowedError: The role may do what they may not.
    """
    beyond = PERMISSIONS[role] - principal.permissions
    if beyond:
        raise NotAllowedError(f"{what} would have {', '.join(sorted(beyond))}, which you have not")
