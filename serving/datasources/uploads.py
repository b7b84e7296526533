"""Puts an uploaded file in the place where the source of its organization reads it, whole or not at all."""

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.datasources.content import Content, content_of
from serving.datasources.registry import Datasources, new_id
from serving.datasources.transactions import alone
from serving.identity.refusals import TooLargeError
from warehouse.datasources import Datasource, upload_folder, uploads_folder
from warehouse.embedded.files import open_to_pass, sync_folder
from warehouse.errors import DataInsightError, UnavailableError
from warehouse.table_names import RESERVED_TABLES

_TABLE = re.compile(r"[a-z](?:_?[a-z0-9])*")
_LONGEST_TABLE = 63

# Whoever needs longer for a file than this has left; the server that took it in may have been killed meanwhile.
_ARRIVAL_SECONDS = 86_400

# What a small file costs is not its bytes but its entry, in the disk's tables and in every listing.
_LEAST_COUNTED_BYTES = 64 * 1024


@dataclass(frozen=True)
class Target:
    """Where a file is to go.

    Attributes:
        datasource_id: A datasource of uploaded files; None: the one of that name, or a new one.
        name: What the datasource is called.
        table: The table that it is rows of.
        key: The columns that tell its rows apart.
    """

    organization: str
    datasource_id: str | None
    name: str
    table: str
    key: Sequence[str] = ()


@dataclass(frozen=True)
class Placed:
    """A file in its place.

    Attributes:
        is_new: Whether its content was not there before.
    """

    datasource: Datasource
    format: str
    is_new: bool


def incoming_folder(home: Path) -> Path:
    """Where files are while they arrive: on the same disk as their place, so that they get there in one step.

    What never arrived, and nobody took away since its server was killed, goes.

    Raises:
        UnavailableError: It cannot be made.
    """
    folder = home / "uploads" / ".incoming"
    try:
        open_to_pass(home)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for begun in folder.iterdir():
            # Others arrive and leave at the same moment.
            with suppress(FileNotFoundError):
                if begun.stat().st_mtime < time.time() - _ARRIVAL_SECONDS:
                    begun.unlink()
    except OSError as error:
        raise UnavailableError(f"no file can be taken in: {error.strerror}") from None
    return folder


def table_of(file_name: str) -> str:
    """What the table of a file is called when nobody says: as the file is, in the letters that names may have."""
    stem = re.split(r"[/\\]", file_name)[-1].partition(".")[0].lower()
    name = re.sub(r"[^a-z0-9]+", "_", stem).strip("_")[:_LONGEST_TABLE].rstrip("_")
    is_usable = _TABLE.fullmatch(name) is not None and name not in RESERVED_TABLES
    return name if is_usable else f"table_{name}"[:_LONGEST_TABLE].rstrip("_")


def place(datasources: Datasources, arrived: Path, sha256: str, target: Target) -> Placed:
    """Make a file that has arrived part of a datasource; the same content is there once, whatever its name.

    Args:
        datasources: As whoever uploads it may change them.
        arrived: The file, in `incoming_folder`; it is not there afterwards.
        sha256: Of its bytes.
        target: Where it is to go.

    Raises:
        NotFoundError: There is no such datasource.
        DataInsightError: The file is broken or of no such kind, or does not fit the datasource.
        TooLargeError: The organization's files would have more bytes than they may.
        UnavailableError: It cannot be written.
    """
    try:
        if len(target.table) > _LONGEST_TABLE or not _TABLE.fullmatch(target.table):
            raise DataInsightError(
                f"table: {target.table!r} is no usable name",
                hint="allowed are a-z, 0-9 and single _ between them, starting with a letter; at most 63",
            )
        if target.table in RESERVED_TABLES:
            raise DataInsightError(
                f"table: {target.table!r} is no usable name; {', '.join(sorted(RESERVED_TABLES))} are kept",
                hint=f"call it table_{target.table}",
            )
        content = content_of(arrived)
        with alone(datasources.warehouse, target.organization):
            return _placed(datasources, arrived, sha256, target, content)
    finally:
        arrived.unlink(missing_ok=True)


def _placed(datasources: Datasources, arrived: Path, sha256: str, target: Target, content: Content) -> Placed:
    found = _found(datasources, target)
    settings = {"format": content.format, **({"key": list(target.key)} if target.key else {})}
    datasource_id = new_id() if found is None else found.datasource_id
    if found is not None:
        _require_fit(found, target.table, settings)
    home = datasources.settings.home
    folder = upload_folder(home, target.organization, datasource_id)
    kept = folder / target.table / f"{sha256}{content.suffix}"
    if not kept.exists():
        _require_room(uploads_folder(home, target.organization), arrived, datasources.settings.uploads_bytes)
    is_new = _moved(arrived, kept)
    try:
        if found is None:
            found = datasources.add_uploaded(datasource_id, target.organization, target.name, target.table, settings)
        else:
            found = datasources.note_upload(datasource_id, target.table, settings, sha256)
    except BaseException:
        if is_new:
            _removed(kept, up_to=folder)
        raise
    return Placed(found, content.format, is_new)


def _found(datasources: Datasources, target: Target) -> Datasource | None:
    if target.datasource_id is not None:
        found = datasources.get(target.datasource_id)
        if not found.is_uploaded or found.organization_id != target.organization:
            raise DataInsightError(
                "that datasource does not consist of uploaded files", hint="leave out datasource_id for a new one"
            )
        return found
    named = [one for one in datasources.listed(target.organization) if one.is_uploaded and one.name == target.name]
    return named[0] if named else None


def _require_fit(found: Datasource, table: str, settings: dict[str, Any]) -> None:
    known = found.configuration["tables"].get(table)
    if known is not None and known["format"] != settings["format"]:
        raise DataInsightError(
            f"the table {table} consists of files of the format {known['format']}, and this is {settings['format']}",
            hint="say another table",
        )


def _require_room(folder: Path, arrived: Path, most: int) -> None:
    """Refuse a file that would be more than its organization may have, with those that are in its folder."""
    used = sum(_counted(Path(under, name)) for under, _, names in os.walk(folder) for name in names)
    if used + _counted(arrived) > most:
        raise TooLargeError(
            f"the uploaded files of the organization may have {most:,} bytes together; they have {used:,},"
            f" a file counting {_LEAST_COUNTED_BYTES:,} at least",
            hint="delete a datasource whose files have landed and are not needed any more",
        )


def _counted(path: Path) -> int:
    # A datasource may be deleted at the same moment.
    with suppress(FileNotFoundError):
        return max(path.stat().st_size, _LEAST_COUNTED_BYTES)
    return 0


def _moved(arrived: Path, kept: Path) -> bool:
    """Whether the file was not there before; it is now, to stay when the machine stops."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if kept.exists():
            return False
        with arrived.open("rb") as file:
            os.fsync(file.fileno())
        arrived.replace(kept)
        sync_folder(kept.parent)
    except OSError as error:
        raise UnavailableError(f"the file cannot be kept: {error.strerror}") from None
    return True


def _removed(kept: Path, *, up_to: Path) -> None:
    """Take a file away again, and the folders that were made for it."""
    kept.unlink(missing_ok=True)
    for folder in (kept.parent, up_to):
        # It may have others.
        with suppress(OSError):
            folder.rmdir()
