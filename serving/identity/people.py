"""People as those who run the platform add, list and disable them."""

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from serving.identity.audit import write_down
from serving.identity.memberships import join, know_organization
from serving.identity.passwords import generated_password, hash_password
from serving.identity.roles import Role
from serving.identity.users import add_user, disable, named_user, normalized_email, user_by_email, verify_email
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError


@dataclass(frozen=True)
class Added:
    """Somebody who was added.

    Attributes:
        password: A newcomer's; None: they had an account, whose password stays.
    """

    user_id: str
    email: str
    organization_id: str | None
    role: str
    password: str | None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def add_person(
    warehouse: Warehouse, email: str, role: Role, organization: str | None, *, name: str = "", actor: str
) -> Added:
    """Make somebody a member of an organization, or an operator.

    Args:
        warehouse: Where people are.
        email: Their address; whoever adds them vouches for it.
        role: As what.
        organization: Where; None for an operator.
        name: What a newcomer is called.
        actor: Who adds them, for the audit log.

    Raises:
        DataInsightError: A role within an organization was given none, or an operator one; or that is no address.
    """
    if (role is Role.OPERATOR) != (organization is None):
        raise DataInsightError(
            "an operator is it across organizations, so belongs to none"
            if role is Role.OPERATOR
            else f"a {role} belongs to an organization, and none was named",
            hint="`--organization ORG --role viewer`, or `--role operator` alone",
        )
    email = normalized_email(email)
    password = None
    with warehouse.engine(API).begin() as connection:
        user = user_by_email(connection, email)
        if user is None:
            password = generated_password()
            user = add_user(connection, email, name=name, password_hash=hash_password(password), is_email_verified=True)
        verify_email(connection, user.user_id)
        if organization is None:
            connection.execute(
                sa.text("update app.users set is_operator = true where user_id = :user_id"), {"user_id": user.user_id}
            )
        else:
            know_organization(connection, organization)
            join(connection, user.user_id, organization, role, change=True)
        write_down(
            connection,
            actor,
            "memberships.add",
            organization_id=organization,
            details={"user_id": user.user_id, "role": role.value},
        )
    return Added(user.user_id, user.email, organization, role.value, password)


def list_people(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Everybody, by e-mail address, ready for JSON."""
    with warehouse.engine(API).connect() as connection:
        rows = connection.execute(
            sa.text(
                "select u.email, u.name, u.user_id, u.is_operator,"
                " u.totp_confirmed_at is not null as has_second_factor, u.created_at, u.disabled_at,"
                " coalesce(jsonb_agg(jsonb_build_object('organization_id', m.organization_id, 'role', m.role)"
                " order by m.organization_id) filter (where m.user_id is not null), '[]') as memberships"
                " from app.users as u left join app.memberships as m using (user_id)"
                " group by u.user_id order by u.email"
            )
        )
        return [
            {
                **row,
                "created_at": row["created_at"].isoformat(),
                "disabled_at": None if row["disabled_at"] is None else row["disabled_at"].isoformat(),
            }
            for row in rows.mappings()
        ]


def disable_person(warehouse: Warehouse, email: str, *, actor: str) -> str:
    """Let somebody in no more, and end their sessions.

    Returns:
        Their address.

    Raises:
        NotFoundError: There is nobody with this address.
    """
    with warehouse.engine(API).begin() as connection:
        user = named_user(connection, email)
        disable(connection, user.user_id)
        write_down(connection, actor, "users.disable", details={"user_id": user.user_id})
    return user.email
