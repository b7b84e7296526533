"""Who is asking, as every route sees it."""

from dataclasses import dataclass

from serving.identity.roles import PERMISSIONS, Permission, Role
from serving.query import Filter
from warehouse.settings import STANDARD_PLAN


@dataclass(frozen=True)
class Principal:
    """Somebody whose credentials were checked.

    Attributes:
        subject: What the audit log calls them: `key:<key_id>`, `user:<user_id>`, `embed:<jti>`.
        organization_id: Whose rows they see; None: an operator, who sees everybody's.
        plan: What their organization pays for, which says how much they may ask.
        scopes: What of their role's permissions their credentials carry; None: all.
        only_metrics: The metrics they may ask for; None: all.
        filters: Conditions that every one of their questions has, on top of its own.
        dashboards: The dashboards they may look at, by id; None: all.
    """

    subject: str
    organization_id: str | None
    role: Role
    plan: str = STANDARD_PLAN
    scopes: frozenset[Permission] | None = None
    only_metrics: frozenset[str] | None = None
    filters: tuple[Filter, ...] = ()
    dashboards: frozenset[str] | None = None

    @property
    def user_id(self) -> str | None:
        """Whose account it is; None for a key or an embed token."""
        kind, _, of_whom = self.subject.partition(":")
        return of_whom if kind == "user" else None

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do."""
        allowed = PERMISSIONS[self.role]
        return allowed if self.scopes is None else allowed & self.scopes

    @property
    def is_operator(self) -> bool:
        """Whether they ask across organizations."""
        return self.organization_id is None
