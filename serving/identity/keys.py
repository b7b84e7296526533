"""API keys: made once, shown once, kept as a digest, found again with each request."""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from serving.identity.audit import write_down
from serving.identity.one_time import OneTimeText, new_text, parsed
from serving.identity.principal import Principal
from serving.identity.refusals import NotFoundError
from serving.identity.roles import PERMISSIONS, Permission, Role
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError, UnavailableError
from warehouse.portions import ALL, Portion
from warehouse.settings import STANDARD_PLAN

KIND = "di"

# For so long a revoked key may still be taken, and the warehouse may be away without anybody noticing.
_REMEMBERED_SECONDS = 10.0
_MOST_REMEMBERED = 10_000

_COLUMNS = "key_id, name, organization_id, role, scopes, created_at, expires_at, revoked_at"


@dataclass(frozen=True)
class Key:
    """A key as the warehouse knows it.

    Attributes:
        scopes: Which of its role's permissions it carries; None: all of them.
    """

    key_id: str
    name: str
    organization_id: str | None
    role: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """The row with its column names, ready for JSON."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }


def add_key(
    warehouse: Warehouse,
    role: Role,
    organization: str | None,
    *,
    name: str = "",
    scopes: Collection[Permission] | None = None,
    expires_at: datetime | None = None,
    actor: str,
    request_id: str | None = None,
) -> str:
    """Make a key, whose text is in no table afterwards.

    Args:
        warehouse: Where keys are.
        role: What it may do.
        organization: Whose rows it asks for; None for an operator's.
        name: What its owner calls it.
        scopes: Which of the role's permissions it carries; None: all of them.
        expires_at: When it ends; None: when it is revoked.
        actor: Who makes it, for the audit log.
        request_id: The request it is made in.

    Raises:
        DataInsightError: A role within an organization was given none, or an operator one, or it has ended already, or
            its scopes are beyond its role.
    """
    if (role is Role.OPERATOR) != (organization is None):
        raise DataInsightError(
            f"a key with the role {role} asks across organizations, so it belongs to none"
            if role is Role.OPERATOR
            else f"a key with the role {role} belongs to an organization, and none was named",
            hint="`--organization ORG --role viewer`, or `--role operator` alone",
        )
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise DataInsightError(f"the key would have ended on {expires_at.isoformat()} already")
    beyond = sorted(set(scopes or ()) - PERMISSIONS[role])
    if beyond or (scopes is not None and not scopes):
        raise DataInsightError(
            f"a key with the role {role} cannot carry {', '.join(beyond)}"
            if beyond
            else "a key without any scope is of no use",
            hint=f"the role {role} has {', '.join(sorted(PERMISSIONS[role]))}",
        )
    given = None if scopes is None else sorted(set(scopes))
    made = new_text(KIND)
    with warehouse.engine(API).begin() as connection:
        connection.execute(
            sa.text(
                "insert into app.api_keys (key_id, secret_hash, name, organization_id, role, scopes, expires_at)"
                " values (:key_id, :secret_hash, :name, :organization_id, :role, :scopes, :expires_at)"
            ),
            {
                "key_id": made.row_id,
                "secret_hash": made.digest,
                "name": name,
                "organization_id": organization,
                "role": role.value,
                "scopes": given,
                "expires_at": expires_at,
            },
        )
        write_down(
            connection,
            actor,
            "keys.add",
            organization_id=organization,
            details={"key_id": made.row_id, "role": role.value, "scopes": given, "name": name},
            request_id=request_id,
        )
    return made.text


def list_keys(warehouse: Warehouse, organization: str | None = None, portion: Portion = ALL) -> list[Key]:
    """The keys of one organization, or every key; the newest first."""
    with warehouse.engine(API).connect() as connection:
        rows = portion.rows(
            connection,
            f"select {_COLUMNS} from app.api_keys where :organization is null or organization_id = :organization",
            {"organization": organization},
            by=("created_at", "key_id"),
            is_descending=True,
        )
        return [Key(**row) for row in rows]


def revoke_key(
    warehouse: Warehouse, key: str, *, organization: str | None = None, actor: str, request_id: str | None = None
) -> Key:
    """End a key, given whole or by its id.

    Args:
        warehouse: Where keys are.
        key: Which one.
        organization: Whose it must be; None: anybody's.
        actor: Who ends it, for the audit log.
        request_id: The request it is done in.

    Raises:
        NotFoundError: There is no such key, or it was revoked before.
    """
    found = parsed(KIND, key)
    key_id = found.row_id if found else key.removeprefix(f"{KIND}_")
    with warehouse.engine(API).begin() as connection:
        row = (
            connection.execute(
                sa.text(
                    "update app.api_keys set revoked_at = now() where key_id = :key_id and revoked_at is null"
                    f" and (:organization is null or organization_id = :organization) returning {_COLUMNS}"
                ),
                {"key_id": key_id, "organization": organization},
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError(
                f"there is no key {key_id!r} to revoke", hint="`datainsight keys list` shows those there are"
            )
        revoked = Key(**row)
        write_down(
            connection,
            actor,
            "keys.revoke",
            organization_id=revoked.organization_id,
            details={"key_id": key_id},
            request_id=request_id,
        )
    return revoked


class Keys:
    """Finds who a key belongs to; for a few seconds without asking the warehouse again.

    Args:
        warehouse: Where keys are.
        clock: Seconds that only ever grow.
    """

    def __init__(self, warehouse: Warehouse, clock: Callable[[], float] = time.monotonic) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def known(self, key: str) -> Principal | None:
        """Whose the key is, if that was read a moment ago; never waits."""
        given = parsed(KIND, key)
        if given is None:
            return None
        with self._lock:
            known = self._known.get(given.row_id)
        if known is None or self._clock() - known.read_at >= _REMEMBERED_SECONDS:
            return None
        return known.principal_for(given)

    def principal(self, key: str) -> Principal | None:
        """Whose the key is; None for one that is none, has ended, or was revoked.

        Raises:
            UnavailableError: The warehouse is away, and the key was not seen before.
        """
        given = parsed(KIND, key)
        if given is None:
            return None
        try:
            known = self._read(given.row_id)
        # A pool without a free connection raises the latter, which is no error of the database's.
        except (sa.exc.DBAPIError, sa.exc.TimeoutError):
            return self.remembered(key)
        return None if known is None else known.principal_for(given)

    def remembered(self, key: str) -> Principal | None:
        """Whose the key was when it was last asked for, however long ago; never waits.

        While the warehouse is away nobody can revoke a key, either.

        Raises:
            UnavailableError: The key was not seen before.
        """
        given = parsed(KIND, key)
        if given is None:
            return None
        with self._lock:
            known = self._known.get(given.row_id)
        if known is None:
            raise UnavailableError("the warehouse cannot be reached, so this key cannot be checked")
        return known.principal_for(given)

    def _read(self, key_id: str) -> "_Known | None":
        with self._warehouse.engine(API).connect() as connection:
            row = connection.execute(
                sa.text(
                    "select secret_hash, organization_id, role, scopes, expires_at, plan"
                    " from app.api_keys left join app.organizations using (organization_id)"
                    " where key_id = :key_id and revoked_at is null"
                ),
                {"key_id": key_id},
            ).one_or_none()
        with self._lock:
            self._known.pop(key_id, None)
            if row is None:
                return None
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            principal = Principal(
                f"key:{key_id}",
                row.organization_id,
                Role(row.role),
                row.plan or STANDARD_PLAN,
                # A permission that this version does not know is none.
                None if row.scopes is None else frozenset(one for one in Permission if one in row.scopes),
            )
            self._known[key_id] = _Known(self._clock(), bytes(row.secret_hash), principal, row.expires_at)
            return self._known[key_id]


@dataclass(frozen=True)
class _Known:
    """What was read of a key, and when by the clock."""

    read_at: float
    secret_hash: bytes
    principal: Principal
    expires_at: datetime | None

    def principal_for(self, given: OneTimeText) -> Principal | None:
        """Whose the key is, if its secret is the right one and it has not ended."""
        has_ended = self.expires_at is not None and self.expires_at <= datetime.now(UTC)
        is_right = given.meets(self.secret_hash)
        return self.principal if is_right and not has_ended else None
