"""Passwords, as argon2id hashes. A check takes 50 ms and 64 MiB on purpose, so callers bound how many go on."""

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 128

# RFC 9106's second recommended option, which is the library's default: 64 MiB, 3 passes, 4 lanes.
_HASHER = PasswordHasher()
_GENERATED_BYTES = 18


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(_encoded(password))


def is_password(password: str, kept: str | None) -> bool:
    """Whether it is the password of what was kept.

    Args:
        password: What was given.
        kept: Its hash; None: there is none, which takes as long to say.
    """
    try:
        is_right = _HASHER.verify(kept or _nobodys(), _encoded(password))
    except (VerificationError, InvalidHashError):
        return False
    return is_right and kept is not None


def needs_renewal(kept: str) -> bool:
    """Whether it was hashed with less effort than would be now."""
    return _HASHER.check_needs_rehash(kept)


def generated_password() -> str:
    """A password that nobody has to think of: 144 random bits."""
    return secrets.token_urlsafe(_GENERATED_BYTES)


@cache
def _nobodys() -> str:
    return hash_password(secrets.token_urlsafe())


def _encoded(password: str) -> bytes:
    # Keyboards differ in how they compose an accented letter, people do not notice.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
