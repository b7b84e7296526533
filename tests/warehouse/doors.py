"""Hand-made marts behind the doors, built as dbt builds them, and sessions of those who come to read."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import sqlalchemy as sa

from warehouse.database import TRANSFORMER, Warehouse
from warehouse.doors.logins import ANALYSTS, TENANTS, Door, add_login, list_logins, remove_login
from warehouse.doors.sync import sync_policy
from warehouse.policy import Policy
from warehouse.settings import Settings

POLICY = Policy.model_validate(
    {
        "marts": {
            "fact_sales": {"organization_column": "organization_id"},
            "fact_visits": {"organization_column": "organization_id"},
            "fact_deals": {"organization_column": "organization_id", "hidden_from_tenants": ["chance"]},
            "fact_costs": {"internal": True},
            "dim_people": {
                "organization_column": "organization_id",
                "personal": ["email", "phone"],
                "hidden_from_tenants": ["score"],
            },
            "dim_staff": {"internal": True, "personal": ["email"]},
            "dim_days": {"shared": True},
        }
    }
)

# `secret` is in every text that belongs to somebody else than acme, and 7777 in every such number.
OTHERS = ("secret", "7777")

MARTS = {
    "marts.fact_sales": """
        select
            'sale' || n as sale_id, whose as organization_id, date '2024-01-01' + n as sale_date,
            case when whose = 'acme' then n else 7777000 + n end as amount,
            case when whose = 'acme' then n || '' else 'secret ' || n end as note
        from generate_series(1, 50) as n, unnest(array['acme', 'globex', '(unknown)', null]) as whose""",
    "marts.fact_deals": """
        select 'acme' as organization_id, 10 as amount, 0.25 as chance
        union all select 'globex', 7777, 0.75""",
    "marts.fact_costs": "select date '2024-01-01' as cost_date, 7777 as amount, 'secret' as note",
    "personal.dim_people": """
        select
            whose || n as person_key, whose as organization_id,
            case when n < 5 then case when whose = 'acme' then 'ann' || n else 'secret' || n end || '@example.com' end
                as email,
            cast('+1 ' || n as character varying(20)) as phone,
            case when whose = 'acme' then 0.5 else 7777 end as score
        from generate_series(1, 5) as n, unnest(array['acme', 'globex']) as whose""",
    "personal.dim_staff": "select 'secret@example.com' as email",
    "marts.dim_days": "select date '2024-01-01' + n as date_day, n as number from generate_series(0, 100) as n",
}


@dataclass(frozen=True)
class Session:
    """A connection of somebody who reads.

    Attributes:
        connection: psycopg2's own, each statement in a transaction of its own.
    """

    connection: Any

    def rows(self, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of one statement; none for one that has no rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, statement: str) -> Any:
        """The one value of one statement."""
        ((value,),) = self.rows(statement)
        return value

    def error(self, *statements: str) -> str:
        """What PostgreSQL says to the last of these; it must fail."""
        *before, last = statements
        for statement in before:
            self.rows(statement)
        try:
            rows = self.rows(last)
        except psycopg2.Error as error:
            return str(error)
        raise AssertionError(f"{last} gave {rows}")


@dataclass(frozen=True)
class Doors:
    """A warehouse with hand-made marts, and ways into it."""

    warehouse: Warehouse
    settings: Settings

    def build(self, mart: str, query: str | None = None) -> None:
        """Make a mart anew as dbt does: beside the old one, put into its place, protected, all of it or nothing."""
        schema, name = mart.split(".")
        with self.warehouse.engine(TRANSFORMER).begin() as connection:
            connection.exec_driver_sql(f"create table {schema}.{name}__dbt_tmp as {query or MARTS[mart]}")
            connection.exec_driver_sql(f"alter table if exists {mart} rename to {name}__dbt_backup")
            connection.exec_driver_sql(f"alter table {schema}.{name}__dbt_tmp rename to {name}")
            connection.exec_driver_sql(f"select app.protect('{schema}', '{name}')")
        self.transform(f"drop table if exists {mart}__dbt_backup cascade")

    def transform(self, *statements: str) -> None:
        """Run statements as dbt's role, in one transaction."""
        with self.warehouse.engine(TRANSFORMER).begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def policy(self, **rules: dict[str, Any]) -> list[str]:
        """Change what the policy says of some marts; gives the marts that were shut."""
        marts = {name: rule.rule for name, rule in POLICY.marts.items()} | rules
        return sync_policy(self.warehouse, Policy.model_validate({"marts": marts}))

    def add(self, door: Door, name: str) -> tuple[str, str]:
        """A new login: its name and its URL."""
        made = add_login(self.warehouse, self.settings, door, name)
        return made.login, made.url

    @contextmanager
    def tenant(self, organization: str = "acme") -> Iterator[Session]:
        """A session of an organization that has no login yet."""
        with session(self.add(TENANTS, organization)[1]) as opened:
            yield opened

    @contextmanager
    def analyst(self) -> Iterator[Session]:
        """A session of a new analyst."""
        with session(self.add(ANALYSTS, uuid.uuid4().hex)[1]) as opened:
            yield opened

    @contextmanager
    def operator(self, role: str | None = None) -> Iterator[Session]:
        """A session of the owner, as one of the roles."""
        with session(self.warehouse.url(role)) as opened:
            yield opened

    def leave(self) -> None:
        """Remove the logins: roles are the server's, and outlive the test's database."""
        for door in (TENANTS, ANALYSTS):
            for login in list_logins(self.warehouse, door):
                remove_login(self.warehouse, door, login.name)
            with self.warehouse.engine().connect() as connection:
                assert not connection.execute(sa.text(f"select login from {door.table}")).all()


@contextmanager
def session(url: str) -> Iterator[Session]:
    """A session at a URL."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        yield Session(connection)
    finally:
        connection.close()


def protect(doors: Doors, mart: str) -> str | None:
    """What PostgreSQL says to it; None when it succeeds."""
    schema, name = mart.split(".")
    try:
        doors.transform(f"select app.protect('{schema}', '{name}')")
    except sa.exc.DBAPIError as error:
        return str(error.orig)
    return None
