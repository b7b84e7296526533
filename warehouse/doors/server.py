"""What a server lets everybody do by itself, and takes from the logins: functions of our database, other databases.

Only the server's superuser can forbid it. Where the platform is somebody else, nothing happens here, and
docs/warehouse/doors.md says what an administrator can do. Everything here is cheap when nothing is lacking.
"""

import sqlalchemy as sa

# A login has no use for any of these, and each does harm to others without any right to write:
# - advisory locks are how the platform's processes take turns, by numbers that everybody can see;
# - large objects stay on the disk, and belong to the login, which then cannot be dropped;
# - notifications in bulk fill the queue that the platform's own pass through;
# - logical messages fill the write-ahead log; exported snapshots are files, as many as one statement likes.
_CLOSE_FUNCTIONS = """
do $$
declare
    harmful regprocedure;
begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        for harmful in
            select oid from pg_proc
            where
                pronamespace = 'pg_catalog'::regnamespace
                and (
                    proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
                    or proname in (
                        'lo_creat', 'lo_create', 'lo_from_bytea',
                        'pg_notify', 'pg_logical_emit_message', 'pg_export_snapshot'
                    )
                )
                and has_function_privilege('public', oid, 'execute')
        loop
            execute format('revoke execute on function %s from public', harmful);
        end loop;
        -- dbt's role waits for its turn to open a schema.
        if not has_function_privilege('transformer', 'pg_catalog.pg_advisory_xact_lock(bigint)', 'execute') then
            grant execute on function pg_catalog.pg_advisory_xact_lock(bigint) to transformer;
        end if;
    end if;
end $$
"""

# What is forbidden in our database, a login could do in those that every server has.
_OPEN_DATABASES = """
select datname from pg_database
where
    datname in ('postgres', 'template1')
    and (has_database_privilege('public', oid, 'connect') or has_database_privilege('public', oid, 'temporary'))
"""


def close_functions(connection: sa.Connection) -> None:
    """Take the functions that do harm from `public`, in this database."""
    connection.execute(sa.text(_CLOSE_FUNCTIONS))


def close_databases(engine: sa.Engine) -> None:
    """Take the embedded server's own databases from `public`; those of another server are not ours to close."""
    with engine.begin() as connection:
        if connection.execute(sa.text(_OPEN_DATABASES)).all():
            # PostgreSQL lets only one of two changes of a database pass, and another command may be doing the same.
            connection.execute(sa.text("lock table pg_database in share row exclusive mode"))
            for (database,) in connection.execute(sa.text(_OPEN_DATABASES)).all():
                connection.exec_driver_sql(f"revoke connect, temporary on database {database} from public")
