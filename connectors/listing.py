"""Which files a table has, and which of them have not landed before."""

import glob
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from connectors.files_kind import FileTable
from warehouse.errors import DataInsightError

_ESCAPED = re.compile(r"\[([*?[])\]")  # What `glob.escape` makes of a character that has a meaning.


@dataclass(frozen=True)
class FoundFile:
    """A file as it is on disk right now."""

    path: Path
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
    """Every file that the table's paths and globs match, sorted by path."""
    found: set[Path] = set()
    for pattern in table.path:
        path = Path(_plain(pattern))
        if path.exists() or not _has_magic(pattern):
            found.add(path)
        else:
            found.update(map(Path, glob.glob(pattern, recursive=True)))  # noqa: PTH207 - the pattern is absolute.
    return sorted(path for path in found if path.is_file() or (path.is_symlink() and not path.exists()))


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
    """The files of a table that are not what the ledger last saw at their path, sorted by path.

    A file is known by path, size and modification time; when these differ, by path and content. A file that was
    refused is new again once its table is to be read in another way. With `full_refresh` every file is new.

    Raises:
        DataInsightError: A path leads nowhere and nothing of it was ever landed, or a file is gone again.
    """
    paths = list_files(table)
    rows = connection.execute(
        sa.text(
            "select distinct on (file.path) file.path, file.size_bytes, file.modified_at, file.content_hash"
            " from ops.files as file"
            " join ops.batches as batch using (batch_id)"
            " where batch.source = :source and batch.table_name = :name and file.path = any(:paths)"
            " and (batch.load_id is not null or batch.schema_version = :reading_version)"
            " order by file.path, file.file_id desc"
        ),
        {
            "source": source,
            "name": name,
            "paths": [str(path) for path in paths],
            "reading_version": table.reading_version,
        },
    )
    known = {} if full_refresh else {row.path: row for row in rows}
    if not paths:
        _explain_nothing(connection, source, name, table)
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


def check_unchanged(file: FoundFile) -> None:
    """Make sure that what was read is what was listed.

    Raises:
        DataInsightError: The file is gone, or was written to meanwhile.
    """
    if look_at(file.path) != FoundFile(file.path, file.size_bytes, file.modified_microseconds):
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


def missing_paths(table: FileTable) -> list[str]:
    """Why patterns of the table match nothing, where that looks like a mistake: one line each."""
    return [problem for pattern in table.path if (problem := _missing(pattern))]


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


def _explain_nothing(connection: sa.Connection, source: str, name: str, table: FileTable) -> None:
    """Accept that a table has no file, unless its path looks mistaken and it never had one."""
    for problem in missing_paths(table):
        landed: bool = connection.execute(
            sa.text("select exists (select from ops.batches where source = :source and table_name = :name)"),
            {"source": source, "name": name},
        ).scalar_one()
        if not landed:
            raise DataInsightError(
                f"table {name} of source {source}: {problem}", hint="correct its path in the sources file"
            )


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
