"""The sources that organizations have added over HTTP: their rows, and their secrets, which are encrypted in them."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from warehouse.errors import DataInsightError
from warehouse.portions import ALL, Portion
from warehouse.secret_keys import fernet_key
from warehouse.settings import Settings

# In the place of a secret.
HIDDEN = "***"

Place = tuple[str | int, ...]
Secrets = Mapping[Place, Any]

_PURPOSE = "source credentials"
_ID = re.compile(r"ds_[0-9a-f]{16}")
_PLAIN_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_COLUMNS = (
    "datasource_id, organization_id, name, kind, configuration, secrets_encrypted, is_uploaded, created_by, created_at,"
    " updated_at"
)


@dataclass(frozen=True)
class Datasource:
    """A row of `app.datasources` that is not deleted.

    Attributes:
        configuration: With `***` in the place of every secret.
        is_uploaded: Whether its files were uploaded.
    """

    datasource_id: str
    organization_id: str
    name: str
    kind: str
    configuration: dict[str, Any]
    secrets_encrypted: bytes | None
    is_uploaded: bool
    created_by: str
    created_at: datetime
    updated_at: datetime


def is_datasource_id(name: str) -> bool:
    """Whether a source is called as only those are that organizations have added."""
    return _ID.fullmatch(name) is not None


def list_datasources(
    connection: sa.Connection,
    *,
    organization: str | None = None,
    datasource_id: str | None = None,
    portion: Portion = ALL,
) -> list[Datasource]:
    """Those that are not deleted, the oldest first, narrowed by whatever is given."""
    wanted = {"organization_id": organization, "datasource_id": datasource_id}
    where = ["deleted_at is null", *(f"{name} = :{name}" for name, value in wanted.items() if value is not None)]
    statement = f"select {_COLUMNS} from app.datasources where {' and '.join(where)}"
    rows = portion.rows(connection, statement, wanted, by=("created_at", "datasource_id"))
    return [Datasource(**row) for row in rows]


def datasource_ids(connection: sa.Connection, organization: str) -> frozenset[str]:
    """What an organization has ever added, also what it has deleted since: rows that have landed stay."""
    rows = connection.execute(
        sa.text("select datasource_id from app.datasources where organization_id = :organization"),
        {"organization": organization},
    )
    return frozenset(rows.scalars())


def sealed(settings: Settings, datasource_id: str, secrets: Secrets) -> bytes:
    """The secrets of a datasource, encrypted, and good for it alone."""
    told = {"datasource_id": datasource_id, "secrets": [[list(place), value] for place, value in secrets.items()]}
    return Fernet(fernet_key(settings, _PURPOSE)).encrypt(json.dumps(told).encode())


def unsealed(settings: Settings, datasource: Datasource) -> dict[Place, Any]:
    """The secrets of a datasource, by their places in its configuration.

    Raises:
        DataInsightError: They were encrypted with another key, or for another datasource.
    """
    if datasource.secrets_encrypted is None:
        return {}
    try:
        told = json.loads(Fernet(fernet_key(settings, _PURPOSE)).decrypt(bytes(datasource.secrets_encrypted)))
    except InvalidToken:
        told = {}
    if told.get("datasource_id") != datasource.datasource_id:
        raise DataInsightError(
            f"the credentials of the datasource {datasource.datasource_id} cannot be decrypted: the key of the platform"
            " is not the one they were encrypted with",
            hint="put the former DATAINSIGHT_SECRET_KEY, or the file secret_key of the home folder, back; or give the"
            " credentials again, by PATCH /api/v1/datasources/{id}",
        )
    return {tuple(place): value for place, value in told["secrets"]}


def joined(configuration: Mapping[str, Any], secrets: Secrets) -> dict[str, Any]:
    """The configuration with the secrets in their places; neither of the two is changed."""
    whole: dict[str, Any] = json.loads(json.dumps(configuration))
    for place, value in secrets.items():
        around: Any = whole
        for part in place[:-1]:
            around = around[part]
        around[place[-1]] = value
    return whole


def uploads_folder(home: Path, organization: str) -> Path:
    """Where the uploaded files of an organization are, a folder for each of its datasources."""
    # An operator may call an organization anything, also by a path.
    is_plain = _PLAIN_FOLDER.fullmatch(organization) is not None
    folder = organization if is_plain else f"~{hashlib.sha256(organization.encode()).hexdigest()[:32]}"
    return home / "uploads" / folder


def upload_folder(home: Path, organization: str, datasource_id: str) -> Path:
    """Where the uploaded files of a datasource are, a folder for each of its tables."""
    return uploads_folder(home, organization) / datasource_id


def rest_folder(home: Path, source: str) -> Path:
    """Where a source of kind `rest` keeps what an API tells it to use from now on."""
    return home / "rest" / source


def secret_texts_of(secrets: Secrets, shortest: int = 6) -> set[str]:
    """The secrets as texts that are looked for in what is shown; shorter ones would be found everywhere."""
    texts = {str(value) for value in secrets.values() if not isinstance(value, Sequence) or isinstance(value, str)}
    return {text for text in texts if len(text) >= shortest}
