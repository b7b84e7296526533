"""Makes an account nobody's: its id stays, by which the audit log knows it, and nothing that leads to the person."""

import secrets

import sqlalchemy as sa

from serving.identity.memberships import memberships_of
from serving.identity.users import User, user_by_id

_DOMAIN = "erased.invalid"


def erase_account(connection: sa.Connection, user_id: str, organization_id: str | None) -> dict[str, int]:
    """Erase an account, or, of one that belongs elsewhere too, all that ties it to one organization.

    Args:
        connection: The transaction.
        user_id: Whose.
        organization_id: On whose behalf; None: everybody's.

    Returns:
        How many rows of which table were changed.
    """
    user = user_by_id(connection, user_id)
    if user is None or user.email.endswith(f"@{_DOMAIN}"):
        return {}
    elsewhere = {one.organization_id for one in memberships_of(connection, user_id)} - {organization_id}
    if organization_id is not None and (user.is_operator or elsewhere):
        return _leave(connection, user, organization_id)
    whose = {"user_id": user_id, "email": user.email, "name": user.name, "nobody": _nobody()}
    touched = _invitations(connection, user.email, organization_id)
    for table, statement in {
        # Its founder gave it no name, so that it was called after them.
        "app.organizations": "update app.organizations set name = organization_id"
        " where name in ('Organization of ' || :email, 'Organization of ' || nullif(:name, ''))"
        " and organization_id in (select organization_id from app.memberships where user_id = :user_id)",
        "app.recovery_codes": "delete from app.recovery_codes where user_id = :user_id",
        "app.password_resets": "delete from app.password_resets where user_id = :user_id",
        "app.sessions": "delete from app.sessions where user_id = :user_id",
        "app.memberships": "delete from app.memberships where user_id = :user_id",
        "app.users": "update app.users set email = :nobody, email_verified_at = null, name = '', password_hash = null,"
        " is_operator = false, totp_secret = null, totp_confirmed_at = null, totp_last_step = null,"
        " oidc_issuer = null, oidc_subject = null, disabled_at = coalesce(disabled_at, now())"
        " where user_id = :user_id",
    }.items():
        touched[table] = connection.execute(sa.text(statement), whose).rowcount
    return touched


def _leave(connection: sa.Connection, user: User, organization_id: str) -> dict[str, int]:
    whose = {"user_id": user.user_id, "organization_id": organization_id}
    touched = _invitations(connection, user.email, organization_id)
    for table in ("app.sessions", "app.memberships"):
        touched[table] = connection.execute(
            sa.text(f"delete from {table} where user_id = :user_id and organization_id = :organization_id"), whose
        ).rowcount
    return touched


def _invitations(connection: sa.Connection, email: str, organization_id: str | None) -> dict[str, int]:
    changed = connection.execute(
        sa.text(
            "update app.invitations set email = :nobody, withdrawn_at = coalesce(withdrawn_at, now())"
            " where email = :email and (cast(:organization_id as text) is null or organization_id = :organization_id)"
        ),
        {"email": email, "organization_id": organization_id, "nobody": _nobody()},
    )
    return {"app.invitations": changed.rowcount}


def _nobody() -> str:
    return f"erased-{secrets.token_hex(10)}@{_DOMAIN}"


def erase_invitations(connection: sa.Connection, emails: tuple[str, ...], organization_id: str | None) -> int:
    """Erase the invitations of somebody who may never have had an account; gives how many."""
    return sum(_invitations(connection, email, organization_id)["app.invitations"] for email in emails)
