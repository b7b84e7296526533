"""What each role may do. Routes ask for a permission, never for a role."""

from enum import StrEnum


class Permission(StrEnum):
    """Something that a route asks for."""

    METRICS_READ = "metrics:read"
    EVENTS_WRITE = "events:write"
    SOURCES_READ = "sources:read"
    SOURCES_WRITE = "sources:write"
    EMBED_WRITE = "embed:write"
    KEYS_WRITE = "keys:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    AUDIT_READ = "audit:read"
    PRIVACY_WRITE = "privacy:write"


class Role(StrEnum):
    """What somebody is in an organization; an operator is it for the platform, across organizations."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OPERATOR = "operator"


_VIEWER = frozenset({Permission.METRICS_READ})
_EDITOR = _VIEWER | {Permission.EVENTS_WRITE, Permission.SOURCES_READ, Permission.EMBED_WRITE}
_ADMIN = _EDITOR | {
    Permission.SOURCES_WRITE,
    Permission.KEYS_WRITE,
    Permission.MEMBERS_READ,
    Permission.MEMBERS_WRITE,
    Permission.AUDIT_READ,
    Permission.PRIVACY_WRITE,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.EDITOR: _EDITOR,
    Role.ADMIN: _ADMIN,
    # The same, of every organization.
    Role.OPERATOR: _ADMIN,
}
