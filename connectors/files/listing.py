"""Which files a table has, here or in an object store, and which of them have not landed before."""

import glob
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.files.kind import FileTable, is_remote
from connectors.files.object_store import ObjectStore, RemoteFile, RemotePath
from warehouse.errors import DataInsightError

_ESCAPED = re.compile(r"\[([*?[])\]")  # What `glob.escape` makes of a character that has a meaning.


@dataclass(frozen=True)
class FoundFile:
    """A file as it is right now."""

    path: Path | RemotePath
    size_bytes: int
    modified_microseconds: int

    @property
    def modified_at(self) -> datetime:
        """The modification time, to the microsecond that PostgreSQL keeps."""
        seconds, micros = divmod(self.modified_microseconds, 1_000_000)
        return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=micros)


@dataclass(frozen=True)
class NewFile(FoundFile):
    """A file that is to be landed.

    Attributes:
        content_hash: SHA-256 of its bytes, in hexadecimal.
    """

    content_hash: str


def list_files(table: FileTable) -> list[Path]:
    """Every file of this machine that the table's paths and globs match, sorted by path."""
    found: set[Path] = set()
    for pattern in _local(table):
        path = Path(_plain(pattern))
        if path.exists() or not _has_magic(pattern):
            found.add(path)
        else:
            found.update(map(Path, glob.glob(pattern, recursive=True)))  # noqa: PTH207 - the pattern is absolute.
    return sorted(path for path in found if path.is_file() or (path.is_symlink() and not path.exists()))


def list_remote_files(table: FileTable, store: ObjectStore) -> list[RemoteFile]:
    """Every file of an object store that the table's URLs match, sorted by URL.

    Raises:
        DataInsightError: A store cannot be read.
    """
    patterns = [pattern for pattern in table.path if is_remote(pattern)]
    found = {file.path.url: file for pattern in patterns for file in store.list_files(pattern)}
    return [found[url] for url in sorted(found)]


def look_at(path: Path) -> FoundFile:
    """Size and modification time of a file.

    Raises:
        DataInsightError: It is gone.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise vanished(path) from None
    return FoundFile(path, status.st_size, status.st_mtime_ns // 1000)


def new_files(
    connection: sa.Connection, source: str, name: str, table: FileTable, *, full_refresh: bool = False
) -> list[NewFile]:
    """The files of this machine that are not what the ledger last saw at their path, sorted by path.

    A file is known by path, size and modification time; when these differ, by path and content. A file that was
    refused is new again once its table is to be read in another way. With `full_refresh` every file is new.

    Raises:
        DataInsightError: A file is gone again.
    """
    paths = list_files(table)
    known = {} if full_refresh else _known(connection, source, name, table, [str(path) for path in paths])
    fresh = []
    for path in paths:
        file = look_at(path)
        last = known.get(str(path))
        if last and (last.size_bytes, last.modified_at) == (file.size_bytes, file.modified_at):
            continue
        digest = _hash(path)
        if last is None or last.content_hash != digest:
            fresh.append(NewFile(path, file.size_bytes, file.modified_microseconds, digest))
    return fresh


@dataclass(frozen=True)
class Candidate:
    """A file of an object store that looks new.

    Attributes:
        last_hash: SHA-256 of what landed from its URL; when it is the same, nothing is new.
    """

    file: RemoteFile
    last_hash: str | None


def remote_candidates(
    connection: sa.Connection,
    source: str,
    name: str,
    table: FileTable,
    store: ObjectStore,
    *,
    full_refresh: bool = False,
) -> list[Candidate]:
    """The files of object stores whose size, time or version is not what the ledger last saw, sorted by URL.

    Raises:
        DataInsightError: A store cannot be read.
    """
    files = list_remote_files(table, store)
    known = {} if full_refresh else _known(connection, source, name, table, [file.path.url for file in files])
    fresh = []
    for file in files:
        last = known.get(file.path.url)
        at = FoundFile(file.path, file.size_bytes, file.modified_microseconds).modified_at
        if last and (last.size_bytes, last.modified_at, last.etag) == (file.size_bytes, at, file.etag):
            continue
        fresh.append(Candidate(file, last.content_hash if last else None))
    return fresh


def explain_nothing(connection: sa.Connection, source: str, name: str, table: FileTable, store: ObjectStore) -> None:
    """Accept that a table has no file, unless its path looks mistaken and it never had one.

    Raises:
        DataInsightError: A path leads nowhere and nothing of it was ever landed.
    """
    for problem in missing_paths(table, store):
        landed: bool = connection.execute(
            sa.text("select exists (select from ops.batches where source = :source and table_name = :name)"),
            {"source": source, "name": name},
        ).scalar_one()
        if not landed:
            raise DataInsightError(
                f"table {name} of source {source}: {problem}", hint="correct its path in the sources file"
            )


def _known(
    connection: sa.Connection, source: str, name: str, table: FileTable, paths: list[str]
) -> dict[str, "sa.Row[Any]"]:
    """What the ledger last saw at each path, by path."""
    rows = connection.execute(
        sa.text(
            "select distinct on (file.path) file.path, file.size_bytes, file.modified_at, file.content_hash,"
            " (select part ->> 'etag' from jsonb_array_elements(batch.origin) as part"
            " where part ->> 'file' = file.path limit 1) as etag"
            " from ops.files as file"
            " join ops.batches as batch using (batch_id)"
            " where batch.source = :source and batch.table_name = :name and file.path = any(:paths)"
            " and (batch.load_id is not null or batch.schema_version = :reading_version)"
            " order by file.path, file.file_id desc"
        ),
        {"source": source, "name": name, "paths": paths, "reading_version": table.reading_version},
    )
    return {row.path: row for row in rows}


def check_nothing_left(connection: sa.Connection, source: str, name: str, files: Sequence[Any]) -> None:
    """Make sure that a table without a key can be landed anew from what is there: every file that landed still is.

    Raises:
        DataInsightError: Some are gone, and their rows would be, too.
    """
    landed: Iterable[str] = connection.execute(
        sa.text(
            "select distinct file.path from ops.files as file join ops.batches as batch using (batch_id)"
            " where batch.source = :source and batch.table_name = :name and batch.status <> 'refused'"
        ),
        {"source": source, "name": name},
    ).scalars()
    gone = sorted(set(landed) - {str(file.path) for file in files})
    if gone:
        raise DataInsightError(
            f"table {name} of source {source} has no key, and {len(gone):,} files of it that landed are not there"
            f" any more, such as {gone[0]}: a full refresh would lose their rows",
            hint="give the table a key, put the files back, or run without --full-refresh",
        )


def check_unchanged(file: FoundFile) -> None:
    """Make sure that what was read is what was listed; a copy from a store was checked when it was made.

    Raises:
        DataInsightError: The file is gone, or was written to meanwhile.
    """
    if isinstance(file.path, Path) and look_at(file.path) != FoundFile(
        file.path, file.size_bytes, file.modified_microseconds
    ):
        raise DataInsightError(
            f"{file.path} was written to while it was read; nothing of this load counts",
            hint="run again when it is complete; writers should write beside it and rename",
        )


def vanished(path: Path) -> DataInsightError:
    """The error for a file that was there a moment ago."""
    return DataInsightError(
        f"{path} vanished during the run; nothing of this load counts and nothing is lost",
        hint="run again: whatever is there then is landed",
    )


def missing_paths(table: FileTable, store: ObjectStore | None = None) -> list[str]:
    """Why patterns of the table match nothing, where that looks like a mistake: one line each.

    Raises:
        DataInsightError: A store cannot be read.
    """
    local = [problem for pattern in _local(table) if (problem := _missing(pattern))]
    if store is None:
        return local
    remote = [pattern for pattern in table.path if is_remote(pattern) and not store.list_files(pattern)]
    return local + [problem for pattern in remote if (problem := store.missing(pattern))]


def _local(table: FileTable) -> list[str]:
    return [pattern for pattern in table.path if not is_remote(pattern)]


def _missing(pattern: str) -> str | None:
    path = Path(_plain(pattern))
    if path.is_dir():
        return f"{path} is a folder; say which files of it, such as {path}/*.csv"
    if not _has_magic(pattern):
        return None if path.exists() else f"there is no file {path}"
    fixed = Path(pattern)
    while _has_magic(str(fixed)):
        fixed = fixed.parent
    folder = Path(_plain(str(fixed)))
    return None if folder.is_dir() else f"there is no folder {folder} (in {pattern})"


def _plain(pattern: str) -> str:
    """The path that a pattern without magic stands for."""
    return _ESCAPED.sub(r"\1", pattern)


def _has_magic(pattern: str) -> bool:
    return glob.has_magic(_ESCAPED.sub("", pattern))


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise vanished(path) from None
    except PermissionError:
        raise DataInsightError(
            f"{path} may not be read by this user", hint=f"give it the right: chmod +r {path}"
        ) from None
