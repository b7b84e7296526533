"""API keys: made once, shown once, kept as a digest, found again with each request.

A key is `di_<key_id>_<secret>`. The secret is 256 random bits, which no table of digests can be searched for, so that
SHA-256 does; what people choose for themselves would need a slow hash.
"""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from serving.identity.audit import write_down
from serving.identity.principal import Principal
from serving.identity.roles import Role
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError, UnavailableError

_KEY = re.compile(r"di_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")

# For so long a revoked key may still be taken, and the warehouse may be away without anybody noticing.
_REMEMBERED_SECONDS = 10.0
_MOST_REMEMBERED = 10_000

_COLUMNS = "key_id, name, organization_id, role, created_at, expires_at, revoked_at"


@dataclass(frozen=True)
class Key:
    """A key as the warehouse knows it."""

    key_id: str
    name: str
    organization_id: str | None
    role: str
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
    expires_at: datetime | None = None,
    actor: str,
) -> str:
    """Make a key, whose text is in no table afterwards.

    Args:
        warehouse: Where keys are.
        role: What it may do.
        organization: Whose rows it asks for; None for an operator's.
        name: What its owner calls it.
        expires_at: When it ends; None: when it is revoked.
        actor: Who makes it, for the audit log.

    Raises:
        DataInsightError: A role within an organization was given none, or an operator one, or it has ended already.
    """
    if (role is Role.OPERATOR) != (organization is None):
        raise DataInsightError(
            f"a key of an {role} asks across organizations, so it belongs to none"
            if role is Role.OPERATOR
            else f"a key of a {role} belongs to an organization, and none was named",
            hint="`--organization ORG --role viewer`, or `--role operator` alone",
        )
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise DataInsightError(f"the key would have ended on {expires_at.isoformat()} already")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with warehouse.engine(API).begin() as connection:
        connection.execute(
            sa.text(
                "insert into app.api_keys (key_id, secret_hash, name, organization_id, role, expires_at)"
                " values (:key_id, :secret_hash, :name, :organization_id, :role, :expires_at)"
            ),
            {
                "key_id": key_id,
                "secret_hash": _digest(secret),
                "name": name,
                "organization_id": organization,
                "role": role.value,
                "expires_at": expires_at,
            },
        )
        write_down(
            connection,
            actor,
            "keys.add",
            organization_id=organization,
            details={"key_id": key_id, "role": role.value, "name": name},
        )
    return f"di_{key_id}_{secret}"


def list_keys(warehouse: Warehouse) -> list[Key]:
    """Every key, the newest first."""
    with warehouse.engine(API).connect() as connection:
        rows = connection.execute(sa.text(f"select {_COLUMNS} from app.api_keys order by created_at desc, key_id"))
        return [Key(**row) for row in rows.mappings()]


def revoke_key(warehouse: Warehouse, key: str, *, actor: str) -> Key:
    """End a key, given whole or by its id.

    Raises:
        DataInsightError: There is no such key, or it was revoked before.
    """
    found = _KEY.fullmatch(key)
    key_id = found[1] if found else key.removeprefix("di_")
    with warehouse.engine(API).begin() as connection:
        row = (
            connection.execute(
                sa.text(
                    "update app.api_keys set revoked_at = now() where key_id = :key_id and revoked_at is null"
                    f" returning {_COLUMNS}"
                ),
                {"key_id": key_id},
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise DataInsightError(
                f"there is no key {key_id!r} to revoke", hint="`datainsight keys list` shows those there are"
            )
        revoked = Key(**row)
        write_down(
            connection, actor, "keys.revoke", organization_id=revoked.organization_id, details={"key_id": key_id}
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
        key_id, secret = _parts(key)
        with self._lock:
            known = self._known.get(key_id)
        if known is None or self._clock() - known.read_at >= _REMEMBERED_SECONDS:
            return None
        return known.principal_for(secret)

    def principal(self, key: str) -> Principal | None:
        """Whose the key is; None for one that is none, has ended, or was revoked.

        Raises:
            UnavailableError: The warehouse is away, and the key was not seen before.
        """
        key_id, secret = _parts(key)
        if not key_id:
            return None
        try:
            known = self._read(key_id)
        except sa.exc.DBAPIError as error:
            # While the warehouse is away nobody can revoke a key, either.
            with self._lock:
                known = self._known.get(key_id)
            if known is None:
                raise UnavailableError("the warehouse cannot be reached, so this key cannot be checked") from error
        return None if known is None else known.principal_for(secret)

    def _read(self, key_id: str) -> "_Known | None":
        with self._warehouse.engine(API).connect() as connection:
            row = connection.execute(
                sa.text(
                    "select secret_hash, organization_id, role, expires_at from app.api_keys"
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
            principal = Principal(f"key:{key_id}", row.organization_id, Role(row.role))
            self._known[key_id] = _Known(self._clock(), bytes(row.secret_hash), principal, row.expires_at)
            return self._known[key_id]


@dataclass(frozen=True)
class _Known:
    """What was read of a key, and when by the clock."""

    read_at: float
    secret_hash: bytes
    principal: Principal
    expires_at: datetime | None

    def principal_for(self, secret: str) -> Principal | None:
        """Whose the key with this secret is, if it is the right one and the key has not ended."""
        has_ended = self.expires_at is not None and self.expires_at <= datetime.now(UTC)
        is_right = hmac.compare_digest(self.secret_hash, _digest(secret))
        return self.principal if is_right and not has_ended else None


def _parts(key: str) -> tuple[str, str]:
    """Id and secret of a key; empty when it is none."""
    found = _KEY.fullmatch(key)
    return ("", "") if found is None else (found[1], found[2])


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
