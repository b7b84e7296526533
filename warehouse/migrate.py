"""Brings a database to the newest schema; safe to call from several processes at once."""

from pathlib import Path

import sqlalchemy as sa

from warehouse.doors.limits import end_lock_holders
from warehouse.doors.server import close_functions

_SCRIPTS = Path(__file__).parent / "migrations"

# Any constant does, as long as every process of the platform uses the same one.
_LOCK = 0x44617461  # "Data"

# These belong to the database itself, which a restored or copied database does not inherit. A login that may only read
# can do nothing with temporary tables but fill the disk; dbt and dlt need them.
_GRANT = """
do $$
declare
    role_name text;
    lacking boolean := false;
begin
    foreach role_name in array array['loader', 'transformer'] loop
        lacking := lacking
            or not has_database_privilege(role_name, current_database(), 'create')
            or not has_database_privilege(role_name, current_database(), 'temporary');
    end loop;
    if lacking
        or has_database_privilege('public', current_database(), 'create')
        or has_database_privilege('public', current_database(), 'temporary')
    then
        execute format('grant create, temporary on database %I to loader, transformer', current_database());
        execute format('revoke create, temporary on database %I from public', current_database());
    end if;
end $$
"""


def migrate(engine: sa.Engine) -> None:
    """Apply every migration that the database behind `engine` has not seen, in one transaction, and keep its rights."""
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.begin() as connection:
        if connection.execute(sa.text("select to_regclass('app.analysts')")).scalar_one() is not None:
            end_lock_holders(connection)
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(sa.text("create schema if not exists ops"))
        found = MigrationContext.configure(
            connection, opts={"version_table": "schema_version", "version_table_schema": "ops"}
        ).get_current_revision()
        if found != newest:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        connection.execute(sa.text(_GRANT))
        close_functions(connection)
        # A restored database has its tables under other numbers than those in the names of its partitions.
        connection.execute(sa.text("select ops.renumber_partitions()"))
