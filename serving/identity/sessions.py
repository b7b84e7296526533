"""Sessions: access tokens of an hour, and refresh tokens, each good once for the next pair.

A refresh token that comes a second time was stolen, before or after its owner used it: the whole session ends.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from serving.identity.audit import write_down
from serving.identity.memberships import Membership, membership_for
from serving.identity.one_time import OneTimeText, new_text, parsed
from serving.identity.refusals import NotAuthenticatedError
from serving.identity.tokens import ACCESS_SECONDS, Tokens
from serving.identity.users import User, user_by_id
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError

# A session that is not refreshed for so long ends.
SESSION_DAYS = 30
_KIND = "dr"


@dataclass(frozen=True)
class TokenPair:
    """What a login gives."""

    access_token: str
    refresh_token: str
    expires_in: int
    organization_id: str | None
    role: str


def open_session(connection: sa.Connection, tokens: Tokens, user: User, membership: Membership) -> TokenPair:
    """Begin a session; those of the same user that have run out are forgotten."""
    connection.execute(
        sa.text("delete from app.sessions where user_id = :user_id and expires_at < now()"), {"user_id": user.user_id}
    )
    session_id = secrets.token_hex(8)
    connection.execute(
        sa.text(
            "insert into app.sessions (session_id, user_id, organization_id, expires_at)"
            " values (:session_id, :user_id, :organization_id, now())"
        ),
        {"session_id": session_id, "user_id": user.user_id, "organization_id": membership.organization_id},
    )
    return _next_pair(connection, tokens, session_id, user, membership)


def renew_session(warehouse: Warehouse, tokens: Tokens, refresh_token: str, request_id: str | None) -> TokenPair:
    """The next pair of a session, for its last refresh token.

    Raises:
        NotAuthenticatedError: It is none, was used before, or its session has ended; which of them is not said.
    """
    pair = None
    given = parsed(_KIND, refresh_token)
    if given is not None:
        with warehouse.engine(API).begin() as connection:
            pair = _renewed(connection, tokens, given, request_id)
    if pair is None:
        raise NotAuthenticatedError("the refresh token is not valid", hint="log in again")
    return pair


def end_session(warehouse: Warehouse, refresh_token: str, request_id: str | None) -> None:
    """End the session of a refresh token; of what is none, nothing is said."""
    given = parsed(_KIND, refresh_token)
    if given is None:
        return
    with warehouse.engine(API).begin() as connection:
        session = _locked_session(connection, given)
        if session is not None and session.is_open:
            _end(connection, session, "auth.logout", request_id)


def _renewed(connection: sa.Connection, tokens: Tokens, given: OneTimeText, request_id: str | None) -> TokenPair | None:
    session = _locked_session(connection, given)
    if session is None or not session.is_open:
        return None
    taken = connection.execute(
        sa.text(
            "update app.refresh_tokens set used_at = now() where token_id = :token_id and used_at is null"
            " returning token_id"
        ),
        {"token_id": given.row_id},
    )
    if taken.one_or_none() is None:
        _end(connection, session, "auth.refresh_reused", request_id)
        return None
    user = user_by_id(connection, session.user_id)
    if user is None or user.disabled_at is not None:
        return None
    try:
        membership = membership_for(connection, user, session.organization_id)
    except DataInsightError:
        _end(connection, session, "auth.session_ended", request_id)
        return None
    return _next_pair(connection, tokens, session.session_id, user, membership)


def _locked_session(connection: sa.Connection, given: OneTimeText) -> "sa.Row[Any] | None":
    """The session of a token whose secret is right; nobody else renews or ends it meanwhile."""
    token = connection.execute(
        sa.text("select session_id, secret_hash from app.refresh_tokens where token_id = :token_id"),
        {"token_id": given.row_id},
    ).one_or_none()
    if token is None or not given.meets(token.secret_hash):
        return None
    # What became of the token is read afterwards, so that it is what whoever was here before has made of it.
    return connection.execute(
        sa.text(
            "select session_id, user_id, organization_id, ended_at is null and expires_at > now() as is_open"
            " from app.sessions where session_id = :session_id for update"
        ),
        {"session_id": token.session_id},
    ).one_or_none()


def _next_pair(
    connection: sa.Connection, tokens: Tokens, session_id: str, user: User, membership: Membership
) -> TokenPair:
    made = new_text(_KIND)
    connection.execute(
        sa.text("update app.sessions set expires_at = now() + make_interval(days => :days) where session_id = :id"),
        {"id": session_id, "days": SESSION_DAYS},
    )
    connection.execute(
        sa.text(
            "insert into app.refresh_tokens (token_id, session_id, secret_hash)"
            " values (:token_id, :session_id, :secret_hash)"
        ),
        {"token_id": made.row_id, "session_id": session_id, "secret_hash": made.digest},
    )
    return TokenPair(
        access_token=tokens.access(user, membership),
        refresh_token=made.text,
        expires_in=ACCESS_SECONDS,
        organization_id=membership.organization_id,
        role=membership.role.value,
    )


def _end(connection: sa.Connection, session: "sa.Row[Any]", action: str, request_id: str | None) -> None:
    connection.execute(
        sa.text("update app.sessions set ended_at = now() where session_id = :session_id and ended_at is null"),
        {"session_id": session.session_id},
    )
    write_down(
        connection,
        f"user:{session.user_id}",
        action,
        organization_id=session.organization_id,
        details={"session_id": session.session_id},
        request_id=request_id,
    )
