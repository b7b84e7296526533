"""The logins of the two doors, organizations' and analysts': who has one, and how one is given and taken."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from warehouse.database import ANALYST, API, TENANT, Warehouse
from warehouse.doors.roles import disable_role, make_role, remove_role, role_name
from warehouse.errors import DataInsightError
from warehouse.settings import Settings

# What stands in the marts where no organization is: in rows that belong to none, and in what the operator asked.
RESERVED = ("(unknown)", "(operator)")


# Called with whose a login is and with the login, in the transaction that gives it or takes it.
Noted = Callable[[sa.Connection, str, str], None]


@dataclass(frozen=True)
class Door:
    """One kind of login.

    Attributes:
        group: The role that its logins are members of.
        table: The table of its logins.
        key: The column of that table which says whose a login is.
        prefix: What the names of its logins begin with.
        whose: What such a somebody is called.
    """

    group: str
    table: str
    key: str
    prefix: str
    whose: str

    @property
    def command(self) -> str:
        """The group of commands that keeps its logins."""
        return f"{self.group}s"


TENANTS = Door(TENANT, "app.tenants", "organization_id", "org", "organization")
ANALYSTS = Door(ANALYST, "app.analysts", "name", "analyst", "analyst")


@dataclass(frozen=True)
class NewLogin:
    """A login that was just made; its password is kept nowhere else.

    Attributes:
        name: The organization, or the analyst.
        url: A libpq URL with the password.
    """

    name: str
    login: str
    url: str


@dataclass(frozen=True)
class Login:
    """A login as the warehouse knows it.

    Attributes:
        name: The organization, or the analyst.
        can_log_in: Whether its role is there, which no backup of a database holds, and was not disabled.
        connections: How many it has now.
    """

    name: str
    login: str
    created_at: datetime
    can_log_in: bool
    connections: int

    def to_dict(self, door: Door) -> dict[str, Any]:
        """The row with the names of its table, ready for JSON."""
        told = {name: value for name, value in vars(self).items() if name != "name"}
        return {door.key: self.name, **told, "created_at": self.created_at.isoformat()}


def add_login(warehouse: Warehouse, settings: Settings, door: Door, name: str, noted: Noted | None = None) -> NewLogin:
    """Give an organization or an analyst a login, or a new role to one whose role got lost.

    Args:
        warehouse: Where it logs in to.
        settings: They say how much it may.
        door: Which kind it is.
        name: Whose.
        noted: Writes down that it was done.

    Raises:
        DataInsightError: The name is none, has a login already, or we may not make roles.
    """
    name = _checked(door, name)
    with warehouse.engine().begin() as connection:
        # Two that add the same come one after the other, and the second finds what the first has made.
        connection.execute(sa.text(f"lock table {door.table} in share row exclusive mode"))
        known = next((login for login in _logins(connection, door) if login.name == name), None)
        if known is not None and known.can_log_in:
            raise DataInsightError(
                f"the {door.whose} {name!r} has a login already: {known.login}",
                hint=f'`datainsight {door.command} remove "{name}"`, and `add` again, gives a new password',
            )
        login, password = make_role(connection, role_name(door.prefix, name), door.group, settings)
        connection.execute(
            sa.text(
                f"insert into {door.table} ({door.key}, login) values (:name, :login)"
                f" on conflict ({door.key}) do update set login = excluded.login, created_at = excluded.created_at"
            ),
            {"name": name, "login": login},
        )
        if noted is not None:
            noted(connection, name, login)
    return NewLogin(name, login, _url(warehouse, login, password))


def list_logins(warehouse: Warehouse, door: Door) -> list[Login]:
    """Every login of a door, by whose it is."""
    with warehouse.engine().connect() as connection:
        return _logins(connection, door)


def remove_login(warehouse: Warehouse, door: Door, name: str, noted: Noted | None = None) -> str:
    """Take a login away and end its sessions; no row of any mart goes with it.

    Args:
        warehouse: Where it logs in to.
        door: Which kind it is.
        name: Whose.
        noted: Writes down that it was done.

    Returns:
        What the login was called.

    Raises:
        DataInsightError: There is none, or its role cannot be dropped, and stays without any use.
    """
    name = _checked(door, name)
    with warehouse.engine().begin() as connection:
        connection.execute(sa.text(f"lock table {door.table} in share row exclusive mode"))
        login: str | None = connection.execute(
            sa.text(f"select login from {door.table} where {door.key} = :name"), {"name": name}
        ).scalar_one_or_none()
        if login is None:
            raise DataInsightError(
                f"the {door.whose} {name!r} has no login",
                hint=f"`datainsight {door.command} list` shows those that have",
            )
        disable_role(connection, login, door.group)
        if noted is not None:
            noted(connection, name, login)
    # From here on nobody comes in by it, whatever becomes of the role itself.
    with warehouse.engine().begin() as connection:
        connection.execute(sa.text(f"delete from {door.table} where {door.key} = :name"), {"name": name})
        remove_role(connection, login)
    return login


def has_rows(warehouse: Warehouse, organization: str) -> bool:
    """Whether the warehouse knows an organization, as far as it was built."""
    with warehouse.engine(API).connect() as connection:
        if connection.execute(sa.text("select to_regclass('marts.dim_organizations')")).scalar_one() is None:
            return False
        found = connection.execute(
            sa.text("select exists (select from marts.dim_organizations where organization_id = :name)"),
            {"name": organization},
        )
        return bool(found.scalar_one())


def _checked(door: Door, name: str) -> str:
    """The name without the spaces around it, if it can be one."""
    stripped = name.strip()
    if not stripped:
        raise DataInsightError(f"the {door.whose} has no name", hint=f"say which {door.whose} it is")
    if "\0" in stripped or any("\ud800" <= character <= "\udfff" for character in stripped):
        raise DataInsightError(f"the name of the {door.whose} holds what no text can hold", hint="write it in UTF-8")
    if door is TENANTS and stripped in RESERVED:
        raise DataInsightError(
            f"{stripped} stands for rows that belong to no organization, so it has no login",
            hint="analysts see those rows: `datainsight analysts add NAME`",
        )
    return stripped


def _logins(connection: sa.Connection, door: Door) -> list[Login]:
    rows = connection.execute(
        sa.text(
            f"select door.{door.key} as name, door.login, door.created_at,"
            " coalesce(role.rolcanlogin, false) as can_log_in,"
            " (select count(*) from pg_stat_activity where usename = door.login) as connections"
            f" from {door.table} as door left join pg_roles as role on role.rolname = door.login order by 1"
        )
    )
    return [Login(**row) for row in rows.mappings()]


def _url(warehouse: Warehouse, login: str, password: str) -> str:
    url = warehouse.url_object.set(username=login, password=password)
    # Options are for the owner's sessions, and would go before the login's own.
    return Warehouse(url.difference_update_query(["options"])).url()
