"""Signed tokens: an access token for somebody who logged in, an embed token for a page of somebody else's.

Checking one asks nobody. Each kind is signed with a key of its own and for an audience of its own, so that neither
passes for the other; what it says is taken no further than its role reaches. Claims are RFC 7519's.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jwt

from serving.identity.memberships import Membership
from serving.identity.principal import Principal
from serving.identity.roles import PERMISSIONS, Permission, Role
from serving.identity.users import User
from serving.query import Filter
from warehouse.secret_keys import purpose_key
from warehouse.settings import Settings

ACCESS_SECONDS = 3600
MOST_EMBED_SECONDS = 3600

_ISSUER = "datainsight"
_ALGORITHM = "HS256"


@dataclass(frozen=True)
class _Kind:
    """What is signed, for whom and with what in it."""

    audience: str
    purpose: str
    claims: tuple[str, ...]


_EVERY = ("iss", "aud", "sub", "org", "role", "permissions", "plan", "jti", "iat", "exp")
_ACCESS = _Kind("datainsight:api", "access tokens", _EVERY)
_EMBED = _Kind("datainsight:embed", "embed tokens", (*_EVERY, "metrics", "filters", "dashboards"))


class Tokens:
    """Signs tokens, and tells whose they are.

    Args:
        settings: They name the platform's secret.
    """

    def __init__(self, settings: Settings) -> None:
        self._keys = {kind: purpose_key(settings, kind.purpose) for kind in (_ACCESS, _EMBED)}

    def access(self, user: User, membership: Membership) -> str:
        """A token for somebody who logged in."""
        return self._signed(
            _ACCESS,
            user.subject,
            membership,
            PERMISSIONS[membership.role],
            ACCESS_SECONDS,
            {},
        )

    def embed(
        self,
        membership: Membership,
        *,
        metrics: Sequence[str],
        filters: Sequence[Filter],
        dashboards: Sequence[str],
        seconds: int,
    ) -> tuple[str, str]:
        """A token for a page, which may ask for some metrics of one organization, and its id.

        Args:
            membership: The organization; the role is a viewer's.
            metrics: What may be asked for.
            filters: Conditions of every question.
            dashboards: Ids of what may be looked at.
            seconds: How long it is good.
        """
        jti = secrets.token_hex(8)
        told = {
            "metrics": list(metrics),
            "filters": [one.model_dump(mode="json") for one in filters],
            "dashboards": list(dashboards),
        }
        token = self._signed(
            _EMBED, f"embed:{jti}", membership, {Permission.METRICS_READ}, seconds, {**told, "jti": jti}
        )
        return token, jti

    def principal(self, token: str) -> Principal | None:
        """Whose a token is; None for one that is forged, has ended, or was not made for this."""
        for kind, whose in ((_ACCESS, _of_user), (_EMBED, _of_page)):
            try:
                return whose(self._checked(kind, token))
            except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
                continue
        return None

    def _signed(
        self,
        kind: _Kind,
        subject: str,
        membership: Membership,
        permissions: set[Permission] | frozenset[Permission],
        seconds: int,
        more: Mapping[str, Any],
    ) -> str:
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": kind.audience,
            "sub": subject,
            "org": membership.organization_id,
            "role": membership.role.value,
            "permissions": sorted(permissions),
            "plan": membership.plan,
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + seconds,
            **more,
        }
        return jwt.encode(claims, self._keys[kind], algorithm=_ALGORITHM)

    def _checked(self, kind: _Kind, token: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            self._keys[kind],
            algorithms=[_ALGORITHM],
            audience=kind.audience,
            issuer=_ISSUER,
            # A claim that is null counts as missing for PyJWT; an operator's `org` is.
            options={"require": [claim for claim in kind.claims if claim != "org"], "strict_aud": True},
        )


def _principal(claims: Mapping[str, Any]) -> Principal:
    """Who the claims are about.

    Raises:
        ValueError: They are not what this version signs.
    """
    role, organization_id = Role(claims["role"]), claims.get("org")
    if "org" not in claims or (role is Role.OPERATOR) != (organization_id is None):
        raise ValueError("only operators, and all of them, belong to no organization")
    known = {permission.value: permission for permission in Permission}
    return Principal(
        subject=claims["sub"],
        organization_id=organization_id,
        role=role,
        plan=claims["plan"],
        scopes=frozenset(known[name] for name in claims["permissions"] if name in known),
    )


def _of_user(claims: Mapping[str, Any]) -> Principal:
    """Who logged in.

    Raises:
        ValueError: It is nobody who logs in.
    """
    principal = _principal(claims)
    if principal.user_id is None:
        raise ValueError("an access token is somebody's who logged in")
    return principal


def _of_page(claims: Mapping[str, Any]) -> Principal:
    """A page, held to what its token was made for.

    Raises:
        ValueError: It would be more than a page.
    """
    principal = _principal(claims)
    if principal.role is not Role.VIEWER or not principal.subject.startswith("embed:"):
        raise ValueError("an embed token is a viewer's, and nobody's in particular")
    return replace(
        principal,
        scopes=principal.permissions & {Permission.METRICS_READ},
        only_metrics=frozenset(claims["metrics"]),
        filters=tuple(Filter.model_validate(one) for one in claims["filters"]),
        dashboards=frozenset(claims["dashboards"]),
    )
