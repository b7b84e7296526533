"""Which route needs what, and who may call it; `python -m serving.http.permissions` writes docs/permissions.md.

What a route needs is read off its dependencies, so that the page cannot say anything else than what is checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from serving.http.access import Allowed, known, logged_in, principal_of
from serving.identity.roles import PERMISSIONS, Permission, Role
from warehouse.settings import PROJECT_ROOT, Settings

PAGE = PROJECT_ROOT / "docs" / "permissions.md"

_HEAD = """# Who may call what

What each route of the [HTTP API](api.md) needs, and who has it by a key, a login or an embed token;
[identity](identity.md) says what those are. A key that carries fewer permissions than its role may call fewer. Made
from the routes themselves by `python -m serving.http.permissions`.

"""


@dataclass(frozen=True)
class Caller:
    """A kind of those who call."""

    name: str
    permissions: frozenset[Permission]
    is_page: bool = False


CALLERS = [
    *(Caller(role.value, PERMISSIONS[role]) for role in Role),
    Caller("embed token", frozenset({Permission.METRICS_READ}), is_page=True),
]


@dataclass(frozen=True)
class Door:
    """A route, by a method, and the dependencies that guard it."""

    method: str
    path: str
    permissions: frozenset[Permission]
    is_open: bool
    is_for_known: bool
    is_for_logins: bool

    @property
    def is_declared(self) -> bool:
        """Whether it says in any way whom it is for."""
        return self.is_open or self.is_for_known or self.is_for_logins or bool(self.permissions)

    @property
    def needs(self) -> str:
        """What it takes, in words."""
        if self.is_open:
            return "nothing"
        if self.is_for_logins:
            return "a login"
        return "a key or a login" if self.is_for_known else ", ".join(f"`{one}`" for one in sorted(self.permissions))

    def answers(self, caller: Caller) -> str:
        """`yes`, `no`, or `by a login`: not by a key."""
        if self.is_for_logins:
            return "no" if caller.is_page else "by a login"
        if self.is_for_known:
            return "no" if caller.is_page else "yes"
        return "yes" if self.is_open or caller.permissions >= self.permissions else "no"


def doors_of(app: FastAPI) -> list[Door]:
    """Every route of an application, by path."""
    found: list[Door] = []
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            calls = list(_calls(context.dependant))
            needed = frozenset(call.permission for call in calls if isinstance(call, Allowed))
            found.extend(
                Door(method, str(context.path), needed, principal_of not in calls, known in calls, logged_in in calls)
                for method in context.methods or ()
            )
    return sorted(found, key=lambda door: (door.path, door.method))


def page(app: FastAPI) -> str:
    """The page, as Markdown."""
    routes = [
        ["route", "needs", *(caller.name for caller in CALLERS)],
        *(
            [f"`{door.method} {door.path}`", door.needs, *(door.answers(caller) for caller in CALLERS)]
            for door in doors_of(app)
        ),
    ]
    roles = [["role", "has"]] + [
        [f"`{role}`", ", ".join(f"`{one}`" for one in sorted(PERMISSIONS[role]))] for role in Role
    ]
    return f"{_HEAD}{_table(routes)}\n## What each role has\n\n{_table(roles)}"


def _table(rows: list[list[str]]) -> str:
    head, *rest = rows
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rest))


def _calls(dependant: Any) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)


if __name__ == "__main__":
    from serving.http.app import create_app

    PAGE.write_text(page(create_app(Settings())), encoding="utf-8")
