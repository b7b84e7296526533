"""People who log in. An e-mail address is kept in lower case; what is not plain ASCII is refused.

Letters that only look, or fold, like others would let one person pass for another.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from serving.identity.refusals import ConflictError, NotFoundError
from warehouse.errors import DataInsightError

_EMAIL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}")
_COLUMNS = (
    "user_id, email, email_verified_at is not null as is_email_verified, name, password_hash, is_operator,"
    " totp_confirmed_at is not null as has_second_factor, created_at, disabled_at"
)


@dataclass(frozen=True)
class User:
    """Somebody who logs in.

    Attributes:
        is_email_verified: Somebody we trust has said that the address is theirs.
        password_hash: None for those who log in by OpenID Connect alone.
    """

    user_id: str
    email: str
    is_email_verified: bool
    name: str
    password_hash: str | None = field(repr=False)
    is_operator: bool
    has_second_factor: bool
    created_at: datetime
    disabled_at: datetime | None

    @property
    def subject(self) -> str:
        """What the audit log calls them."""
        return f"user:{self.user_id}"


def normalized_email(given: str) -> str:
    """An e-mail address as it is kept.

    Raises:
        DataInsightError: It is none.
    """
    email = given.strip()
    # Looked at before it is lowered: there are other letters that become plain ones then.
    if not _EMAIL.fullmatch(email):
        raise DataInsightError("email: that is no e-mail address", hint="write it as ann@example.com, in plain letters")
    return email.lower()


def user_by_email(connection: sa.Connection, email: str) -> User | None:
    """Who has this address, which was normalized."""
    return _found(connection, "email = :email", {"email": email})


def named_user(connection: sa.Connection, email: str) -> User:
    """The account with an address, as whoever runs the platform has typed it.

    Raises:
        NotFoundError: There is none.
    """
    address = normalized_email(email)
    user = user_by_email(connection, address)
    if user is None:
        raise NotFoundError(f"there is nobody with the address {address}", hint="`datainsight users list` shows who is")
    return user


def user_by_id(connection: sa.Connection, user_id: str) -> User | None:
    """Who has this id."""
    return _found(connection, "user_id = :user_id", {"user_id": user_id})


def user_by_oidc(connection: sa.Connection, issuer: str, subject: str) -> User | None:
    """Who is called this by an OpenID Connect provider."""
    return _found(
        connection, "oidc_issuer = :issuer and oidc_subject = :subject", {"issuer": issuer, "subject": subject}
    )


def add_user(
    connection: sa.Connection,
    email: str,
    *,
    name: str = "",
    password_hash: str | None = None,
    is_email_verified: bool = False,
    is_operator: bool = False,
) -> User:
    """Add a person.

    Args:
        connection: The transaction.
        email: Their address, normalized.
        name: What they are called.
        password_hash: What is kept of their password.
        is_email_verified: Whether somebody we trust has said that the address is theirs.
        is_operator: Whether they see everybody's rows.

    Raises:
        ConflictError: There is somebody with this address.
    """
    row = (
        connection.execute(
            sa.text(
                "insert into app.users (user_id, email, email_verified_at, name, password_hash, is_operator)"
                " values (:user_id, :email, case when :is_email_verified then now() end, :name, :password_hash,"
                " :is_operator)"
                f" on conflict do nothing returning {_COLUMNS}"
            ),
            {
                "user_id": f"usr_{secrets.token_hex(8)}",
                "email": email,
                "is_email_verified": is_email_verified,
                "name": name,
                "password_hash": password_hash,
                "is_operator": is_operator,
            },
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise ConflictError("there is an account with this e-mail address", hint="log in: POST /api/v1/auth/login")
    return User(**row)


def verify_email(connection: sa.Connection, user_id: str) -> None:
    """Note that the address of somebody is theirs."""
    connection.execute(
        sa.text("update app.users set email_verified_at = coalesce(email_verified_at, now()) where user_id = :user_id"),
        {"user_id": user_id},
    )


def keep_password(connection: sa.Connection, user_id: str, password_hash: str) -> None:
    """Keep another hash of somebody's password."""
    connection.execute(
        sa.text("update app.users set password_hash = :password_hash where user_id = :user_id"),
        {"user_id": user_id, "password_hash": password_hash},
    )


def bind_oidc(connection: sa.Connection, user_id: str, issuer: str, subject: str) -> bool:
    """Know somebody by what an OpenID Connect provider calls them; False when they are known as another one already."""
    bound = connection.execute(
        sa.text(
            "update app.users set oidc_issuer = :issuer, oidc_subject = :subject"
            " where user_id = :user_id and oidc_subject is null returning user_id"
        ),
        {"user_id": user_id, "issuer": issuer, "subject": subject},
    )
    return bound.one_or_none() is not None


def disable(connection: sa.Connection, user_id: str) -> None:
    """Let somebody in no more; their sessions end."""
    connection.execute(
        sa.text("update app.users set disabled_at = coalesce(disabled_at, now()) where user_id = :user_id"),
        {"user_id": user_id},
    )
    end_sessions(connection, user_id)


def end_sessions(connection: sa.Connection, user_id: str) -> None:
    """End every session of somebody; an access token is good until its hour is over."""
    connection.execute(
        sa.text("update app.sessions set ended_at = now() where user_id = :user_id and ended_at is null"),
        {"user_id": user_id},
    )


def _found(connection: sa.Connection, condition: str, values: Mapping[str, Any]) -> User | None:
    row = (
        connection.execute(sa.text(f"select {_COLUMNS} from app.users where {condition}"), dict(values))
        .mappings()
        .one_or_none()
    )
    return None if row is None else User(**row)
