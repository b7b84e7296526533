"""Carries what the files say into the database: the tenant policy and the limits of the logins.

Cheap when nothing changed, since every opening of the warehouse comes here.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.database import TRANSFORMER, Warehouse
from warehouse.doors.limits import end_overdue, end_queue_holders, reset_limits
from warehouse.policy import Policy, load_policy
from warehouse.settings import Settings

# Everything that readers could be let into: tables of marts and personal; views there are made from the latter.
_MARTS = """
select n.nspname, c.relname
from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname ~ '^(marts|personal)(_.+)?$' and c.relkind in ('r', 'p', 'm') and not c.relispartition
and pg_get_userbyid(c.relowner) = :owner
order by n.nspname, c.relname
"""


def sync_doors(warehouse: Warehouse, settings: Settings) -> None:
    """Make the database follow the policy file and the settings, and its logins too."""
    sync_policy(warehouse)
    with warehouse.engine().begin() as connection:
        end_queue_holders(connection)
        end_overdue(connection, settings)
        reset_limits(connection, settings)


def sync_policy(warehouse: Warehouse, policy: Policy | None = None) -> list[str]:
    """Write the policy into the database if it says something else there, and put it on all marts at once.

    A mart that does not fit its new rule, or has none, is shut to everybody but the platform until it is built
    again: what the policy no longer allows must not stay open.

    Args:
        warehouse: A migrated warehouse.
        policy: What is to hold; None: the platform's own file.

    Returns:
        The marts that were shut.
    """
    wanted = {name: mart.rule for name, mart in (policy or load_policy()).marts.items()}
    with warehouse.engine().begin() as connection:
        if _stated(connection) == wanted:
            return []
        # Another process may be doing the same.
        connection.execute(sa.text("lock table app.policy in share row exclusive mode"))
        if _stated(connection) == wanted:
            return []
        connection.execute(sa.text("delete from app.policy"))
        connection.execute(
            sa.text("insert into app.policy (mart, rule) values (:mart, :rule)").bindparams(
                sa.bindparam("rule", type_=JSONB)
            ),
            [{"mart": name, "rule": rule} for name, rule in wanted.items()],
        )
        return _protect_all(connection)


def _stated(connection: sa.Connection) -> dict[str, object]:
    return {str(mart): rule for mart, rule in connection.execute(sa.text("select mart, rule from app.policy"))}


def _protect_all(connection: sa.Connection) -> list[str]:
    """Put the rules on the marts that exist; gives those that were shut."""
    shut = []
    connection.execute(sa.text(f"set local role {TRANSFORMER}"))
    for schema, mart in connection.execute(sa.text(_MARTS), {"owner": TRANSFORMER}).all():
        try:
            with connection.begin_nested():
                connection.execute(sa.text("select app.protect(:schema, :mart)"), {"schema": schema, "mart": mart})
        except (sa.exc.InternalError, sa.exc.ProgrammingError):
            connection.execute(sa.text("select app.shut(:schema, :mart)"), {"schema": schema, "mart": mart})
            shut.append(f"{schema}.{mart}")
    connection.execute(sa.text("reset role"))
    return shut
