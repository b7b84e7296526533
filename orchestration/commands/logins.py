"""What `datainsight tenants` and `datainsight analysts` have in common: logins of a door."""

import sqlalchemy as sa

from orchestration.commands.output import aside, print_json, print_table, screen
from warehouse.connect import open_warehouse
from warehouse.doors.logins import TENANTS, Door, Noted, add_login, has_rows, list_logins, remove_login
from warehouse.settings import load_settings


def add(door: Door, name: str, *, as_json: bool) -> None:
    """Make a login and print it."""
    settings = load_settings()
    with open_warehouse(settings) as warehouse:
        made = add_login(warehouse, settings, door, name, _audited(door, "add"))
        is_new = door is TENANTS and not has_rows(warehouse, made.name)
    if is_new:
        aside.print(f"the warehouse has no rows of {made.name!r} yet; its login sees them when they come")
    if as_json:
        print_json({door.key: made.name, "login": made.login, "url": made.url})
        return
    aside.print(f"{made.name} logs in as {made.login}; the password in this URL is shown only now:", soft_wrap=True)
    screen.print(made.url, soft_wrap=True)


def show(door: Door, *, as_json: bool) -> None:
    """Print the logins of a door."""
    with open_warehouse(load_settings()) as warehouse:
        logins = [login.to_dict(door) for login in list_logins(warehouse, door)]
    if as_json:
        print_json({door.command: logins})
    else:
        rows = [{**login, "created_at": login["created_at"][:19]} for login in logins]
        print_table(rows, [door.key, "login", "created_at", "can_log_in", "connections"], empty="no logins")


def remove(door: Door, name: str, *, as_json: bool) -> None:
    """Remove a login."""
    with open_warehouse(load_settings()) as warehouse:
        login = remove_login(warehouse, door, name, _audited(door, "remove"))
    if as_json:
        print_json({door.key: name.strip(), "login": login})
    else:
        screen.print(f"{login} is removed", soft_wrap=True)


def _audited(door: Door, what: str) -> Noted:
    """What writes into the audit log that a login was given or taken."""
    from serving.identity.audit import write_down

    def noted(connection: sa.Connection, name: str, login: str) -> None:
        write_down(
            connection,
            "command",
            f"{door.command}.{what}",
            organization_id=name if door is TENANTS else None,
            details={door.key: name, "login": login},
        )

    return noted
