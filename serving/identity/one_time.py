"""Texts that are shown once and kept as a digest: `<kind>_<id>_<secret>`, id to find the row by, secret to check.

The secret is 256 random bits, which no table of digests can be searched for, so that SHA-256 does; what people choose
for themselves needs a slow hash.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_ID_BYTES = 6
_SECRET_BYTES = 32


@dataclass(frozen=True)
class OneTimeText:
    """Such a text, in its parts."""

    kind: str
    row_id: str
    secret: str

    @property
    def text(self) -> str:
        """The whole, to be shown."""
        return f"{self.kind}_{self.row_id}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()

    def meets(self, digest: bytes) -> bool:
        """Whether a kept digest is of this secret."""
        return hmac.compare_digest(self.digest, bytes(digest))


def new_text(kind: str) -> OneTimeText:
    """A new one."""
    return OneTimeText(kind, secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))


def parsed(kind: str, text: str) -> OneTimeText | None:
    """The parts of a text; None when it is none of this kind."""
    found = re.fullmatch(rf"{kind}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})", text)
    return None if found is None else OneTimeText(kind, found[1], found[2])
