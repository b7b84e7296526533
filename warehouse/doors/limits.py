"""How much a login may do at once, and for how long; the settings say it, PostgreSQL keeps to it.

A session may lift its own timeouts, and a login even change what its sessions begin with. Whenever the platform opens
the warehouse, it puts the latter back and ends what outstayed its time; docs/warehouse/doors.md says what that is
worth.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from warehouse.database import ANALYST, TENANT, quote_identifier
from warehouse.settings import Settings

# The logins of this database with what they have now. From PostgreSQL 16 on only who administers a role may change it.
_LOGINS = """
select door.member_of, role.rolname, role.rolconnlimit, coalesce(role.rolconfig, '{}'), exists (
    select from pg_db_role_setting as setting inner join pg_database as database on database.oid = setting.setdatabase
    where setting.setrole = role.oid and database.datname = current_database()
)
from (select 'tenant' as member_of, login from app.tenants union all select 'analyst', login from app.analysts) as door
inner join pg_roles as role on role.rolname = door.login
where current_setting('server_version_num')::int < 160000
or (select rolsuper from pg_roles where rolname = current_user)
or pg_has_role(current_user, role.oid, 'MEMBER WITH ADMIN OPTION')
"""

_SETTABLE = """
select name from unnest(array['temp_file_limit', 'log_min_messages', 'log_min_error_statement']) as name
where has_parameter_privilege(name, 'SET')
"""


@dataclass(frozen=True)
class Limits:
    """What every session of a login begins with.

    Attributes:
        connections: How many it may have at once.
        configuration: PostgreSQL's settings by name.
    """

    connections: int
    configuration: dict[str, str]

    def statements(self, login: str, database: str) -> list[str]:
        """What gives these limits to a login, and nothing besides."""
        role = quote_identifier(login)
        return [
            f"alter role {role} connection limit {self.connections}",
            f"alter role {role} reset all",
            # What is said for one database goes before what is said for all of them.
            f"alter role {role} in database {quote_identifier(database)} reset all",
            *(f"alter role {role} set {name} = {value}" for name, value in self.configuration.items()),
        ]


def limits_of(group: str, settings: Settings, settable: Collection[str]) -> Limits:
    """The limits of the members of `tenant` or `analyst`.

    Args:
        group: Whose members.
        settings: What they are.
        settable: What `settable_settings` gives.
    """
    connections, statement_seconds = {
        TENANT: (settings.tenant_connections, settings.tenant_statement_seconds),
        ANALYST: (settings.analyst_connections, settings.analyst_statement_seconds),
    }[group]
    of_superusers = {
        # PostgreSQL counts in kilobytes, and for each process of a session.
        "temp_file_limit": f"'{settings.login_temporary_bytes // 1024}kB'",
        # A login writes what it likes into the server's log, as much as the disk holds: a statement that fails is
        # written there whole, a changed password with it, and so are plans, and what a block of code raises.
        "log_min_messages": "'panic'",
        "log_min_error_statement": "'panic'",
    }
    return Limits(
        connections,
        {
            "statement_timeout": f"'{statement_seconds}s'",
            "idle_in_transaction_session_timeout": f"'{settings.login_idle_seconds}s'",
            "lock_timeout": f"'{settings.login_lock_seconds}s'",
            "default_transaction_read_only": "'on'",
            "search_path": "marts, metrics",
            "timezone": "'UTC'",
            **{name: value for name, value in of_superusers.items() if name in settable},
        },
    )


def settable_settings(connection: sa.Connection) -> set[str]:
    """Those settings of superusers, which no login can change, that we may set: the superuser, and whom he lets."""
    return set(connection.execute(sa.text(_SETTABLE)).scalars())


def reset_limits(connection: sa.Connection, settings: Settings) -> None:
    """Give every login the limits of the settings again, where it has others."""
    if _to_reset(connection, settings):
        # PostgreSQL lets only one of two changes of a role pass, and another process may be doing the same.
        connection.execute(sa.text("lock table app.tenants, app.analysts in share row exclusive mode"))
        for statement in _to_reset(connection, settings):
            connection.exec_driver_sql(statement)


def _to_reset(connection: sa.Connection, settings: Settings) -> list[str]:
    statements: list[str] = []
    rows: list[Any] = list(connection.execute(sa.text(_LOGINS)))
    settable = settable_settings(connection)
    for group, login, connections, configuration, has_others in rows:
        limits = limits_of(group, settings, settable)
        wanted = {f"{name}={value.strip(chr(39))}" for name, value in limits.configuration.items()}
        # PostgreSQL keeps names as it spells them itself, such as `TimeZone`.
        found = {one.partition("=")[0].lower() + "=" + one.partition("=")[2] for one in configuration}
        if has_others or connections != limits.connections or found != wanted:
            statements += limits.statements(login, connection.engine.url.database or "")
    return statements


# A statement that its own timeout is about to cancel is left to it.
_GRACE_SECONDS = 5

# How long to wait for the end of a session, in milliseconds: until then it holds what it held.
PARTING_MILLISECONDS = 5000

# Whatever it does meanwhile: the platform takes its turns by these locks, and a door has no use for them.
_LOCK_HOLDERS = """
select pg_terminate_backend(activity.pid, :parting)
from pg_stat_activity as activity
inner join (select login from app.tenants union all select login from app.analysts) as door
    on door.login = activity.usename
where activity.datname = current_database()
and activity.pid in (select pid from pg_locks where locktype = 'advisory')
"""

# Whoever listens and takes nothing from the queue keeps it full, and then the platform cannot notify anybody either.
# PostgreSQL tells nobody who listens, so that all of the logins' sessions go; in all databases, which share one queue.
_QUEUE_HOLDERS = """
select pg_terminate_backend(activity.pid, :parting)
from pg_stat_activity as activity
inner join (select login from app.tenants union all select login from app.analysts) as door
    on door.login = activity.usename
where (select pg_notification_queue_usage()) > :fullest
"""
_FULLEST_QUEUE = 0.5

# A login has nothing to write but its own role, where a change that is not committed would make us wait.
_OVERDUE = """
select pg_terminate_backend(activity.pid, :parting)
from pg_stat_activity as activity
inner join (
    select login, :tenant_seconds as seconds from app.tenants
    union all select login, :analyst_seconds from app.analysts
) as door on door.login = activity.usename
where activity.datname = current_database()
and (
    activity.state = 'active' and activity.query_start < now() - make_interval(secs => door.seconds + :grace)
    or activity.backend_xid is not null
    or activity.state like 'idle in transaction%'
    and activity.state_change < now() - make_interval(secs => :idle_seconds + :grace)
)
"""


def end_overdue(connection: sa.Connection, settings: Settings, *, grace_seconds: float = _GRACE_SECONDS) -> int:
    """End the sessions that lifted their limits and are past them, or are about to write; gives how many."""
    ended = connection.execute(
        sa.text(_OVERDUE),
        {
            "tenant_seconds": settings.tenant_statement_seconds,
            "analyst_seconds": settings.analyst_statement_seconds,
            "idle_seconds": settings.login_idle_seconds,
            "grace": grace_seconds,
            "parting": PARTING_MILLISECONDS,
        },
    )
    return len(ended.all())


def end_lock_holders(connection: sa.Connection) -> int:
    """End the logins' sessions that hold an advisory lock, or wait for one; gives how many.

    For whoever is about to wait for such a lock. Where the platform is the server's superuser no login may take one at
    all (`warehouse.migrate`); elsewhere nobody but the server's administrator can forbid it.

    Args:
        connection: The owner's, of a database that has logins.
    """
    return len(connection.execute(sa.text(_LOCK_HOLDERS), {"parting": PARTING_MILLISECONDS}).all())


def end_queue_holders(connection: sa.Connection) -> int:
    """End the logins' sessions when the queue of notifications is more than half full; gives how many."""
    values = {"parting": PARTING_MILLISECONDS, "fullest": _FULLEST_QUEUE}
    ended = len(connection.execute(sa.text(_QUEUE_HOLDERS), values).all())
    if ended:
        # Only who looks how full it is, or notifies, has PostgreSQL give the room free.
        connection.execute(sa.text("select pg_notification_queue_usage()"))
    return ended
