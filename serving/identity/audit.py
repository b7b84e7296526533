"""The audit log: who changed what, and who read across organizations. Rows are only ever added, by a trigger's word."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from serving.identity.actors import actors_as_told
from serving.identity.principal import Principal
from warehouse.portions import ALL, Portion

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


_ENTRIES = (
    "select audit_id, happened_at, actor, action, organization_id, details, request_id"
    " from app.audit_log where (cast(:organization as text) is null or organization_id = :organization)"
    " and (cast(:action as text) is null or action = :action or starts_with(action, :action || '.'))"
    " and (cast(:since as timestamptz) is null or happened_at >= :since)"
)


@dataclass(frozen=True)
class Entry:
    """A row of the audit log, as whoever reads it may see it."""

    audit_id: int
    happened_at: datetime
    actor: str
    action: str
    organization_id: str | None
    details: dict[str, Any]
    request_id: str | None


def read_entries(
    connection: sa.Connection,
    reader: Principal,
    organization_id: str | None,
    portion: Portion = ALL,
    *,
    action: str | None = None,
    since: datetime | None = None,
) -> list[Entry]:
    """Entries of the log, the newest first.

    Args:
        connection: The transaction.
        reader: Who reads it.
        organization_id: Whose; None: everybody's.
        portion: Which of them.
        action: Only these: `keys.add`, or `keys` for all that begins with it.
        since: Only from then on.
    """
    given = {"organization": organization_id, "action": action, "since": since}
    rows = portion.rows(connection, _ENTRIES, given, by=("audit_id",), is_descending=True)
    found = [Entry(**row) for row in rows]
    told = actors_as_told(connection, reader, (entry.actor for entry in found))
    return [replace(entry, actor=told[entry.actor]) for entry in found]


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
