"""The audit log: who changed what, and who read across organizations. Rows are only ever added, by a trigger's word."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

_INSERT = sa.text(
    "insert into app.audit_log (actor, action, organization_id, details, request_id)"
    " values (:actor, :action, :organization_id, :details, :request_id)"
).bindparams(sa.bindparam("details", type_=JSONB))


def write_down(
    connection: sa.Connection,
    actor: str,
    action: str,
    *,
    organization_id: str | None = None,
    details: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> None:
    """Add a row, in the transaction of what it tells of: neither is there without the other.

    Args:
        connection: The transaction.
        actor: Who did it: `command` is whoever runs the platform's own command.
        action: What was done, as `keys.add`.
        organization_id: Whose it concerns.
        details: Whatever else is worth knowing; never a secret.
        request_id: The request it was done in.
    """
    connection.execute(
        _INSERT,
        {
            "actor": actor,
            "action": action,
            "organization_id": _storable(organization_id),
            "details": _storable(dict(details or {})),
            "request_id": request_id,
        },
    )


def _storable(value: Any) -> Any:
    """The same without NUL, which PostgreSQL keeps in no text, and which somebody's question may have."""
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case Mapping():
            return {_storable(name): _storable(one) for name, one in value.items()}
        case list() | tuple():
            return [_storable(one) for one in value]
        case _:
            return value
