"""The platform's one secret, and the keys that are made of it: a key of its own for each purpose.

Whoever learns one of them, by a weakness of whatever uses it, learns neither the others nor the secret: HKDF, RFC 5869.
"""

import base64
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from warehouse.embedded.files import open_to_pass, sync_folder
from warehouse.errors import DataInsightError
from warehouse.settings import Settings

_FILE = "secret_key"
_KEY_BYTES = 32


def purpose_key(settings: Settings, purpose: str) -> bytes:
    """32 bytes for one purpose, the same ones as long as the secret is.

    Args:
        settings: They name the secret, or the home folder that a random one is kept in.
        purpose: What it is for, as `access tokens`; never two things.

    Raises:
        DataInsightError: The kept secret cannot be read or made.
    """
    given = settings.secret_key
    secret = given.get_secret_value() if given is not None else _kept(settings.home)
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=b"datainsight", info=purpose.encode())
    return derivation.derive(secret.encode())


def fernet_key(settings: Settings, purpose: str) -> bytes:
    """The same, as `cryptography.fernet.Fernet` takes it."""
    return base64.urlsafe_b64encode(purpose_key(settings, purpose))


def _kept(home: Path) -> str:
    """The secret in the home folder, made when there is none."""
    path = home / _FILE
    try:
        if not path.exists():
            open_to_pass(home)
            _make(path)
        secret = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise DataInsightError(
            f"the secret key {path} cannot be read or made: {error.strerror}",
            hint="set DATAINSIGHT_SECRET_KEY, or start as the user to whom the home folder belongs",
        ) from error
    except UnicodeDecodeError:
        secret = ""
    if len(secret) < _KEY_BYTES:
        raise DataInsightError(
            f"the secret key {path} is damaged",
            hint="put the saved file back; or remove it, and a new one is made: everybody must log in again then, and"
            " set up their second factor",
        )
    return secret


def _make(path: Path) -> None:
    """Write a new secret; of several processes that do so at once, one wins and its secret is everybody's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link never takes the place of what is there already.
        path.hardlink_to(draft)
        sync_folder(path.parent)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
