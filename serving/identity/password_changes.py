"""Another password: by the old one, or by a link's text that an admin or an operator has made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from serving.identity.audit import write_down
from serving.identity.memberships import membership_for, memberships_of, require_current
from serving.identity.one_time import new_text, parsed
from serving.identity.passwords import hash_password, is_password
from serving.identity.principal import Principal
from serving.identity.refusals import NotAllowedError, NotAuthenticatedError, NotFoundError
from serving.identity.sessions import TokenPair, open_session
from serving.identity.tokens import Tokens
from serving.identity.users import (
    User,
    end_sessions,
    keep_password,
    named_user,
    user_by_id,
)
from warehouse.database import API, Warehouse

_KIND = "dp"
_HOURS = 24


@dataclass(frozen=True)
class Reset:
    """A link's text, which is shown only once."""

    text: str
    expires_at: datetime


def passwords_of(subject: str) -> str:
    """Whose guesses at passwords are counted, of those who are logged in."""
    return f"passwords of {subject}"


def require_password(user: User, password: str) -> None:
    """Refuse whoever does not know the password of the account.

    Raises:
        NotAllowedError: It has none.
        NotAuthenticatedError: It is another one.
    """
    if user.password_hash is None:
        raise NotAllowedError(
            "your account has no password", hint="you log in by OpenID Connect, whose provider keeps your password"
        )
    if not is_password(password, user.password_hash):
        raise NotAuthenticatedError("the password is wrong")


def change_password(
    warehouse: Warehouse, tokens: Tokens, asker: Principal, old: str, new: str, *, request_id: str | None
) -> TokenPair:
    """Take another password in the place of the old one; every session ends, and one begins.

    Args:
        warehouse: Where people are.
        tokens: Signs what the new session gets.
        asker: Who is logged in.
        old: The password until now.
        new: The one from now on.
        request_id: The request.

    Raises:
        NotAllowedError: The account has no password.
        NotAuthenticatedError: The old one is wrong, or they are not what their token says any more.
    """
    with warehouse.engine(API).begin() as connection:
        require_current(connection, asker)
        user = user_by_id(connection, asker.user_id or "")
        if user is None:
            raise NotAuthenticatedError("the account is closed")
        require_password(user, old)
        _keep(connection, user.user_id, new)
        write_down(
            connection,
            user.subject,
            "auth.password_changed",
            organization_id=asker.organization_id,
            request_id=request_id,
        )
        return open_session(connection, tokens, user, membership_for(connection, user, asker.organization_id))


def reset_of_member(
    connection: sa.Connection, asker: Principal, organization_id: str, user_id: str, *, request_id: str | None
) -> Reset:
    """Make a link's text for a member of an organization.

    Args:
        connection: The transaction.
        asker: An admin, or an operator.
        organization_id: Where they are a member.
        user_id: Who has forgotten their password.
        request_id: The request.

    Raises:
        NotFoundError: There is no such member.
        NotAllowedError: They are more than a member of this organization, and an admin asks: whoever has the link comes
            in wherever they may.
    """
    user, held = user_by_id(connection, user_id), memberships_of(connection, user_id)
    if user is None or organization_id not in [one.organization_id for one in held]:
        raise NotFoundError("there is no such member")
    if not asker.is_operator and not _is_of_one_organization(connection, user, organization_id):
        raise NotAllowedError(
            "they are more than a member of your organization", hint="an operator of the platform can make the link"
        )
    return _made(connection, user, asker.subject, organization_id, request_id, by_admin=not asker.is_operator)


def reset_of_person(warehouse: Warehouse, email: str, *, actor: str) -> Reset:
    """Make a link's text for anybody, as those who run the platform do.

    Raises:
        NotFoundError: There is nobody with this address.
    """
    with warehouse.engine(API).begin() as connection:
        user = named_user(connection, email)
        return _made(connection, user, actor, None, None)


def set_password(warehouse: Warehouse, text: str, new: str, *, request_id: str | None) -> None:
    """Set a password by a link's text, which is used up; every session of the account ends.

    Raises:
        NotAllowedError: The text is none, was used, or has ended, or the account is closed, or is more by now than a
            member of the organization whose admin made it; which is not said.
    """
    given = parsed(_KIND, text)
    with warehouse.engine(API).begin() as connection:
        row = None
        if given is not None:
            row = connection.execute(
                sa.text(
                    "select secret_hash, user_id, organization_id"
                    " from app.password_resets inner join app.users using (user_id)"
                    " where reset_id = :reset_id and used_at is null and expires_at > now() and disabled_at is null"
                    " for update of password_resets"
                ),
                {"reset_id": given.row_id},
            ).one_or_none()
        if given is None or row is None or not given.meets(row.secret_hash) or not _is_good_still(connection, row):
            raise NotAllowedError("the link is not valid", hint=f"it is good once, for {_HOURS} hours; ask for another")
        # Any other link of theirs was made for the same: it would let in whoever finds it.
        connection.execute(
            sa.text("update app.password_resets set used_at = now() where user_id = :user_id and used_at is null"),
            {"user_id": row.user_id},
        )
        _keep(connection, row.user_id, new)
        write_down(connection, f"user:{row.user_id}", "auth.password_reset", request_id=request_id)


def _is_of_one_organization(connection: sa.Connection, user: User, organization_id: str) -> bool:
    """Whether somebody is a member of that organization and nothing more, so that its admins may let them in."""
    held = [one.organization_id for one in memberships_of(connection, user.user_id)]
    return held == [organization_id] and not user.is_operator


def _is_good_still(connection: sa.Connection, reset: "sa.Row[Any]") -> bool:
    """Whether whoever made a link might make it now: since then, its person may have joined another organization."""
    if reset.organization_id is None:
        return True
    user = user_by_id(connection, reset.user_id)
    return user is not None and _is_of_one_organization(connection, user, reset.organization_id)


def _made(
    connection: sa.Connection,
    user: User,
    actor: str,
    organization_id: str | None,
    request_id: str | None,
    *,
    by_admin: bool = False,
) -> Reset:
    made = new_text(_KIND)
    expires_at: datetime = connection.execute(
        sa.text(
            "insert into app.password_resets (reset_id, secret_hash, user_id, made_by, organization_id, expires_at)"
            " values (:reset_id, :secret_hash, :user_id, :actor, :organization_id,"
            " now() + make_interval(hours => :hours)) returning expires_at"
        ),
        {
            "reset_id": made.row_id,
            "secret_hash": made.digest,
            "user_id": user.user_id,
            "actor": actor,
            "organization_id": organization_id if by_admin else None,
            "hours": _HOURS,
        },
    ).scalar_one()
    write_down(
        connection,
        actor,
        "auth.password_reset_made",
        organization_id=organization_id,
        details={"user_id": user.user_id, "reset_id": made.row_id},
        request_id=request_id,
    )
    return Reset(made.text, expires_at)


def _keep(connection: sa.Connection, user_id: str, password: str) -> None:
    keep_password(connection, user_id, hash_password(password))
    end_sessions(connection, user_id)
