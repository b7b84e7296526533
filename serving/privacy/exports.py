"""Everything that is held of somebody within an organization, as one JSON document, written while it is read."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import sqlalchemy as sa

from serving.privacy.events import SOURCE, events_of
from serving.privacy.person import Person
from warehouse.database import API, LOADER, Warehouse, quote_identifier
from warehouse.personal_data import load_personal_data
from warehouse.personal_rows import (
    QUARANTINED,
    Whom,
    is_theirs,
    is_theirs_in_quarantine,
    landed_columns,
    landed_part,
    may_be_theirs_in_quarantine,
    quarantine_values,
)
from warehouse.policy import load_policy

# As long a client may take nothing: its transaction keeps PostgreSQL from clearing away what was erased meanwhile.
STALLED_SECONDS = 300.0

# What somebody is told of their account, and what lets somebody in is no part of it.
_OF_ACCOUNT = {
    "account": "select user_id, email, email_verified_at, name, password_hash is not null as has_password,"
    " totp_confirmed_at is not null as has_second_factor, oidc_issuer, oidc_subject, created_at, disabled_at"
    " from app.users where user_id = :user_id",
    "memberships": "select organization_id, role, created_at from app.memberships where user_id = :user_id"
    " and (cast(:organization as text) is null or organization_id = :organization) order by organization_id",
    "sessions": "select organization_id, created_at, expires_at, ended_at from app.sessions where user_id = :user_id"
    " and (cast(:organization as text) is null or organization_id = :organization) order by created_at",
    "keys": "select key_id, name, organization_id, role, scopes, created_at, expires_at, revoked_at from app.api_keys"
    " where key_id in (select details ->> 'key_id' from app.audit_log"
    " where actor = 'user:' || :user_id and action = 'keys.add')"
    " and (cast(:organization as text) is null or organization_id = :organization) order by created_at",
    "audit": "select audit_id, happened_at, action, organization_id, details, request_id from app.audit_log"
    # How somebody comes in concerns no organization, and is theirs; what an operator does is the platform's.
    " where actor = 'user:' || :user_id"
    " and (cast(:organization as text) is null or organization_id = :organization or organization_id is null"
    " and starts_with(action, 'auth.') and not cast(:is_operator as boolean))"
    " order by audit_id",
}
_INVITATIONS = sa.text(
    "select email, organization_id, role, created_at, expires_at, accepted_at from app.invitations"
    " where email = any(cast(:emails as text[]))"
    " and (cast(:organization as text) is null or organization_id = :organization) order by created_at"
)


def exported(warehouse: Warehouse, person: Person) -> Iterator[bytes]:
    """The document, in parts.

    Each of its members has rows: `account`, `memberships`, `sessions`, `keys` that they made, without what is secret,
    `audit`: what they did, `invitations`, `quarantine`, `events`; `marts` and `landed` by table.

    Args:
        warehouse: Where everything is.
        person: Whose.
    """
    yield b"{"
    with warehouse.engine(API).connect() as connection, _reading(connection):
        for number, (name, rows) in enumerate(_of_platform(connection, person)):
            yield b'%b"%b":' % (b"," if number else b"", name.encode())
            yield from _list(rows)
        yield b',"marts":'
        yield from _object(_of_marts(connection, person.whom))
        yield b',"quarantine":'
        yield from _list(_of_quarantine(connection, person.whom))
    # The API's own role adds events and reads neither them nor raw.
    with warehouse.engine(LOADER).connect() as connection, _reading(connection):
        yield b',"events":'
        yield from _list(events_of(connection, person.whom) if person.whom.source in (None, SOURCE) else [])
        yield b',"landed":'
        yield from _object(_of_landed(connection, person.whom))
    yield b"}"


def _reading(connection: sa.Connection) -> sa.Transaction:
    """One moment for all that is read, in a transaction that writes nothing, and that ends when nobody goes on."""
    begun = connection.begin()
    connection.execute(sa.text("set transaction isolation level repeatable read, read only"))
    connection.execute(
        sa.text("select set_config('idle_in_transaction_session_timeout', :milliseconds, true)"),
        {"milliseconds": str(int(STALLED_SECONDS * 1000))},
    )
    return begun


def _of_platform(connection: sa.Connection, person: Person) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    whom = person.whom
    user_id = None if person.account is None else person.account.user_id
    is_operator = person.account is not None and person.account.is_operator
    given = {"user_id": user_id, "organization": whom.organization_id, "is_operator": is_operator}
    for name, statement in _OF_ACCOUNT.items():
        yield name, [] if user_id is None else _rows(connection, sa.text(statement), given)
    emails = {"emails": list(whom.emails), "organization": whom.organization_id}
    yield "invitations", [] if whom.source is not None else _rows(connection, _INVITATIONS, emails)


def _of_marts(connection: sa.Connection, whom: Whom) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """The rows of marts that name them in a column which the policy calls personal."""
    for name, policy in sorted(load_policy().marts.items()):
        found: str | None = connection.execute(
            sa.text("select cast(to_regclass(:mart) as text)"), {"mart": f"marts.{name}"}
        ).scalar_one()
        if policy.personal and policy.organization_column is not None and found is not None:
            whose = quote_identifier(policy.organization_column)
            named = " or ".join(
                f"{quote_identifier(column)} = any(cast(:identifiers as text[]))"
                f" or lower({quote_identifier(column)}) = any(cast(:emails as text[]))"
                for column in policy.personal
            )
            statement = (
                f"select * from marts.{quote_identifier(name)} where ({named})"
                f" and (cast(:whose_organization as text) is null or {whose} = :whose_organization)"
            )
            yield name, _rows(connection, sa.text(statement), whom.values)


def _of_landed(connection: sa.Connection, whom: Whom) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """Every version of every row that ever landed of them."""
    for (source, table), personal in load_personal_data().of_persons.items():
        found = landed_part(personal, landed_columns(connection, source, table))
        if found is not None and whom.source in (None, source):
            raw = f"{quote_identifier(f'raw_{source}')}.{quote_identifier(table)}"
            yield (
                f"{source}.{table}",
                _rows(connection, sa.text(f"select * from {raw} where {is_theirs(found, raw)}"), whom.values),
            )


def _of_quarantine(connection: sa.Connection, whom: Whom) -> Iterator[dict[str, Any]]:
    """What was set aside of their rows, and of lines that could not be read, if they are surely the organization's."""
    for (source, table), personal in load_personal_data().of_persons.items():
        if whom.source in (None, source):
            named = is_theirs_in_quarantine(personal)
            if whom.organization_id is None or personal.always is not None:
                named = f"({named}) or ({may_be_theirs_in_quarantine(personal)})"
            statement = (
                "select cast(:source as text) as source, cast(:table as text) as table_name, batch_id, row_id, payload,"
                " failed_rules, quarantined_at, resolved_by_batch_id"
                f" from ops.quarantine where {QUARANTINED} and ({named}) order by batch_id, row_id"
            )
            yield from _rows(connection, sa.text(statement), quarantine_values(whom, source, table))


def _rows(connection: sa.Connection, statement: sa.TextClause, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    rows = connection.execution_options(yield_per=1_000).execute(statement, values)
    return (dict(row) for row in rows.mappings())


def _object(members: Iterable[tuple[str, Iterable[dict[str, Any]]]]) -> Iterator[bytes]:
    yield b"{"
    for number, (name, rows) in enumerate(members):
        yield (b"," if number else b"") + orjson.dumps(name) + b":"
        yield from _list(rows)
    yield b"}"


def _list(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield b"["
    for number, row in enumerate(rows):
        yield (b"," if number else b"") + orjson.dumps(row, default=str)
    yield b"]"
