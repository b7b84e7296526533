"""The second factor: codes of half a minute by an app (TOTP, RFC 6238), and ten codes on paper for when it is lost."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyotp
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from serving.identity.refusals import ConflictError, NotAuthenticatedError
from serving.identity.users import User
from warehouse.secret_keys import fernet_key, purpose_key
from warehouse.settings import Settings

_ISSUER = "DataInsight"
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
# A clock may be off by half a minute, and people type slowly.
_STEPS_EITHER_WAY = 1
_CODE = re.compile(r"\d{6}", re.ASCII)


@dataclass(frozen=True)
class Enrolment:
    """What an app needs to make codes.

    Attributes:
        url: The same as `otpauth://…`, for a picture that the app reads.
    """

    secret: str
    url: str


class SecondFactor:
    """Second factors of users.

    Args:
        settings: They name the platform's secret, which those of users are encrypted with.
        clock: Seconds since 1970.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._fernet = Fernet(fernet_key(settings, "second factors"))
        self._recovery_key = purpose_key(settings, "recovery codes")
        self._clock = clock

    def begin(self, connection: sa.Connection, user: User) -> Enrolment:
        """Make a secret, which counts once a code of it was given.

        Raises:
            ConflictError: They have a second factor.
        """
        secret = pyotp.random_base32()
        begun = connection.execute(
            sa.text(
                "update app.users set totp_secret = :secret, totp_last_step = null"
                " where user_id = :user_id and totp_confirmed_at is null returning user_id"
            ),
            {"user_id": user.user_id, "secret": self._fernet.encrypt(secret.encode())},
        )
        if begun.one_or_none() is None:
            raise ConflictError("you have a second factor", hint="remove it first: DELETE /api/v1/auth/totp")
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=_ISSUER))

    def confirm(self, connection: sa.Connection, user: User, code: str) -> list[str]:
        """Let the secret count from now on; give the recovery codes, which are shown only now.

        Raises:
            ConflictError: There is nothing to confirm.
            NotAuthenticatedError: It is no code of the secret.
        """
        if user.has_second_factor:
            raise ConflictError("you have confirmed your second factor already")
        if not self._is_fresh_code(connection, user.user_id, code):
            raise _wrong()
        connection.execute(
            sa.text("update app.users set totp_confirmed_at = now() where user_id = :user_id"),
            {"user_id": user.user_id},
        )
        made = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(_RECOVERY_CODES)]
        connection.execute(
            sa.text("insert into app.recovery_codes (user_id, code_hash) values (:user_id, :code_hash)"),
            [{"user_id": user.user_id, "code_hash": self._digest(code)} for code in made],
        )
        return ["-".join(re.findall(".{4}", code)) for code in made]

    def require(self, connection: sa.Connection, user: User, code: str) -> None:
        """Take a code, of the app or on paper, which is then used up.

        Raises:
            NotAuthenticatedError: It is none, or was taken before.
        """
        is_taken = self._is_fresh_code(connection, user.user_id, code) or self._is_unused_on_paper(
            connection, user.user_id, code
        )
        if not is_taken:
            raise _wrong()

    def remove(self, connection: sa.Connection, user: User, code: str) -> None:
        """Take the second factor away, with a code of it.

        Raises:
            ConflictError: There is none.
            NotAuthenticatedError: It is no code, or was taken before.
        """
        if not user.has_second_factor:
            raise ConflictError("you have no second factor")
        self.require(connection, user, code)
        whose = {"user_id": user.user_id}
        emptied = "totp_secret = null, totp_confirmed_at = null, totp_last_step = null"
        connection.execute(sa.text(f"update app.users set {emptied} where user_id = :user_id"), whose)
        connection.execute(sa.text("delete from app.recovery_codes where user_id = :user_id"), whose)

    def _is_fresh_code(self, connection: sa.Connection, user_id: str, code: str) -> bool:
        """Whether it is a code of the app; the row is changed, so that of two at once one is the second."""
        if not _CODE.fullmatch(code):
            return False
        kept = connection.execute(
            sa.text("select totp_secret from app.users where user_id = :user_id"), {"user_id": user_id}
        ).scalar_one_or_none()
        secret = self._decrypted(kept)
        if secret is None:
            return False
        step = _step_of(secret, code, self._clock())
        if step is None:
            return False
        taken = connection.execute(
            sa.text(
                "update app.users set totp_last_step = :step"
                " where user_id = :user_id and (totp_last_step is null or totp_last_step < :step) returning user_id"
            ),
            {"user_id": user_id, "step": step},
        )
        return taken.one_or_none() is not None

    def _is_unused_on_paper(self, connection: sa.Connection, user_id: str, code: str) -> bool:
        taken = connection.execute(
            sa.text(
                "update app.recovery_codes set used_at = now()"
                " where user_id = :user_id and code_hash = :code_hash and used_at is null returning user_id"
            ),
            {"user_id": user_id, "code_hash": self._digest(code)},
        )
        return taken.one_or_none() is not None

    def _decrypted(self, kept: bytes | memoryview | None) -> str | None:
        if kept is None:
            return None
        try:
            return self._fernet.decrypt(bytes(kept)).decode()
        except InvalidToken:
            # The platform's secret is another one by now; the codes on paper are of no use either.
            return None

    def _digest(self, code: str) -> bytes:
        # Keyed, since whoever reads the table could otherwise try all codes there are.
        plain = re.sub(r"[\s-]", "", code).lower()
        return hmac.digest(self._recovery_key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _step_of(secret: str, code: str, now: float) -> int | None:
    """Which half minute a code is of, of those that are near."""
    app = pyotp.TOTP(secret)
    current = int(now) // app.interval
    for step in range(current - _STEPS_EITHER_WAY, current + _STEPS_EITHER_WAY + 1):
        if hmac.compare_digest(app.generate_otp(step), code):
            return step
    return None


def _wrong() -> NotAuthenticatedError:
    return NotAuthenticatedError(
        "the code of the second factor is not valid", hint="each is taken once; wait for the next one"
    )
