"""The roles behind logins: called after whom they are for, made with a password and limits, removed with their rights.

Roles belong to the whole server, while the tables of logins belong to one database: a name that another database's
login has gets a number behind it.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import encrypt_password

from warehouse.database import quote_identifier
from warehouse.doors.limits import PARTING_MILLISECONDS, limits_of, settable_settings
from warehouse.errors import DataInsightError
from warehouse.settings import Settings

_LONGEST_SLUG = 50
_MOST_NAMESAKES = 1000
_FIRST_WITH_MEMBERSHIP_OPTIONS = 160_000


def role_name(prefix: str, name: str) -> str:
    """What the role for `name` is called when no other is called so: `org_acme_inc` for `Acme Inc.`."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST_SLUG].strip("_")
    # A name without any plain letter still needs one of its own.
    return f"{prefix}_{slug or sha256(name.encode()).hexdigest()[:12]}"


def make_role(connection: sa.Connection, wanted: str, group: str, settings: Settings) -> tuple[str, str]:
    """Make a role that can log in and is a member of `group`.

    Args:
        connection: The owner's, in a transaction that takes everything back when something fails.
        wanted: What it is called, with a number behind it when another role is called so.
        group: `tenant` or `analyst`.

    Returns:
        Its name and its password.

    Raises:
        DataInsightError: We may not make roles, or may not let them into the group.
    """
    password = secrets.token_urlsafe(24)
    for role in [wanted, *(f"{wanted}_{number}" for number in range(2, _MOST_NAMESAKES))]:
        if not _exists(connection, role) and _create(connection, role, password):
            _equip(connection, role, group, settings)
            return role, password
    raise DataInsightError(f"there are {_MOST_NAMESAKES} roles called {wanted} on this server")


def disable_role(connection: sa.Connection, role: str, group: str) -> None:
    """Let a role log in no more and read nothing of what `group` reads, if it is there.

    Raises:
        DataInsightError: We may not change it.
    """
    _take_away(
        connection,
        role,
        [f"alter role {quote_identifier(role)} nologin", f"revoke {group} from {quote_identifier(role)}"],
        complaint=f"the login {role} cannot be removed",
        hint="the user of DATAINSIGHT_DATABASE_URL must administer it, as whoever made it does",
    )


def remove_role(connection: sa.Connection, role: str) -> None:
    """End the sessions of a disabled role and drop it, if it is there.

    Raises:
        DataInsightError: It owns or was given something that is not ours to take.
    """
    _take_away(
        connection,
        role,
        [f"drop owned by {quote_identifier(role)}", f"drop role {quote_identifier(role)}"],
        complaint=f"the login {role} can log in no more and reads nothing, but its role cannot be dropped",
        hint="take from it by hand what it has in other databases (`drop owned by`), and remove it again",
    )


def _take_away(connection: sa.Connection, role: str, statements: Iterable[str], *, complaint: str, hint: str) -> None:
    """End the sessions of a role and change it, if it is there."""
    if not _exists(connection, role):
        return
    # What a session of it has changed of the role, and not committed, would make us wait.
    connection.execute(
        sa.text("select pg_terminate_backend(pid, :parting) from pg_stat_activity where usename = :role"),
        {"role": role, "parting": PARTING_MILLISECONDS},
    )
    try:
        for statement in statements:
            connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError as error:
        raise DataInsightError(f"{complaint}: {_reason(error)}", hint=hint) from error


def _exists(connection: sa.Connection, role: str) -> bool:
    found = connection.execute(sa.text("select exists (select from pg_roles where rolname = :role)"), {"role": role})
    return bool(found.scalar_one())


def _create(connection: sa.Connection, role: str, password: str) -> bool:
    """Create the role; False when somebody else on the server has just done so."""
    # Hashed here, so that the password itself reaches neither the server nor its log.
    driver: Any = connection.connection.driver_connection
    verifier = encrypt_password(password, role, scope=driver, algorithm="scram-sha-256")
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"create role {quote_identifier(role)} login inherit password '{verifier}'")
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation)):
            return False
        raise DataInsightError(
            f"the login {role} cannot be made: {_reason(error)}",
            hint="the user of DATAINSIGHT_DATABASE_URL must have CREATEROLE",
        ) from error
    return True


def _equip(connection: sa.Connection, role: str, group: str, settings: Settings) -> None:
    has_options, is_superuser = connection.execute(
        sa.text(
            "select cast(current_setting('server_version_num') as integer) >= :first, rolsuper"
            " from pg_roles where rolname = current_user"
        ),
        {"first": _FIRST_WITH_MEMBERSHIP_OPTIONS},
    ).one()
    # It reads what the group reads, but may not become the group, which is nobody in particular.
    options = " with inherit true, set false" if has_options else ""
    try:
        connection.exec_driver_sql(f"grant {group} to {quote_identifier(role)}{options}")
        if not is_superuser:
            # An operator looks through an organization's eyes with `set role`, and ends its sessions.
            connection.exec_driver_sql(f"grant {quote_identifier(role)} to current_user")
    except sa.exc.DBAPIError as error:
        raise DataInsightError(
            f"the login {role} cannot become a member of {group}: {_reason(error)}",
            hint=f"the user of DATAINSIGHT_DATABASE_URL needs the role {group} with ADMIN OPTION",
        ) from error
    limits = limits_of(group, settings, settable_settings(connection))
    for statement in limits.statements(role, connection.engine.url.database or ""):
        connection.exec_driver_sql(statement)


def _reason(error: sa.exc.DBAPIError) -> str:
    return " ".join(str(error.orig).split())
