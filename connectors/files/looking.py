"""Looks at a source of files: whether each table can be read, how, and what a sample of its newest file has in it."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, NotRequired

from connectors.extraction.request import DiscoveredTable, TableCheck
from connectors.files.kind import COMPRESSED, SUFFIXES, FilesSource, FileTable, is_remote, plain_suffix
from connectors.files.listing import list_files, list_remote_files, missing_paths
from connectors.files.object_store import ObjectStore, RemoteFile
from connectors.files.readers import open_reader
from connectors.files.readers.declared import type_of
from connectors.files.readers.reading import FileReader, UnreadableFileError
from connectors.names import column_name

_SAMPLE_ROWS = 10_000
_SAMPLED_BYTES = 256 << 20  # A larger file of an object store is not copied only to be looked at.
_MAX_FILES = 10_000
_CHANGING = re.compile(r"\d+(?:[-_.T]?\d+)*")
_TYPED = {"int64": "integer", "double": "number", "bool": "boolean", "date32[day]": "date"}


class FileTableCheck(TableCheck):
    """What `check` says of a table of files; `reading` tells how its first file would be read."""

    reading: NotRequired[dict[str, Any]]


@dataclass(frozen=True)
class _Sample:
    """The beginning of a file.

    Attributes:
        columns: The values of each column.
        types: What each column seems to be.
    """

    columns: dict[str, list[Any]]
    types: dict[str, str]
    reading: dict[str, Any]


def check_tables(source: FilesSource) -> list[TableCheck]:
    """See `SourceConfig.check`."""
    store = ObjectStore(source)
    return [_check(name, table, store) for name, table in source.tables.items()]


def discover_tables(source: FilesSource) -> list[DiscoveredTable]:
    """See `SourceConfig.discover`; without tables, what lies under `root`, files that differ in digits as one table."""
    store = ObjectStore(source)
    found = [_discover(name, table, store, configured=True) for name, table in source.tables.items()]
    if source.root is None:
        return found
    known = {file for table in source.tables.values() for file in _files(table, store)}
    for name, patterns in _tables_below(source.root, store, known).items():
        if name not in source.tables:
            table = FileTable(path=tuple(_under(source.root, pattern) for pattern in patterns))
            proposed = _discover(name, table, store, configured=False)
            proposed["settings"]["path"] = patterns[0] if len(patterns) == 1 else patterns
            found.append(proposed)
    return found


def _check(name: str, table: FileTable, store: ObjectStore) -> FileTableCheck:
    files = _files(table, store)
    problems = missing_paths(table, store)
    if not files and not problems:
        problems = [f"no file matches {' or '.join(table.path)}"]
    size, reading = 0, None
    try:
        size = sum(file.size_bytes if isinstance(file, RemoteFile) else file.stat().st_size for file in files)
        if files:
            reading = _reading(files[0], table, store)
    except UnreadableFileError as error:
        problems.append(f"{_path(files[0])}: {error.reason}")
    except OSError as error:
        size = 0
        problems.append(str(error))
    checked = FileTableCheck(
        table_name=name, ok=not problems, problem="; ".join(problems) or None, files=len(files), size_bytes=size
    )
    if reading:
        checked["reading"] = reading
    return checked


def _reading(file: Path | RemoteFile, table: FileTable, store: ObjectStore) -> dict[str, Any] | None:
    """How a file would be read; its header is checked for the table's key."""
    if isinstance(file, RemoteFile) and file.size_bytes > _SAMPLED_BYTES:
        return None
    with _opened(file, table, store) as reader:
        columns = reader.header()
        missing = [column for column in table.key_columns if column not in columns]
        if missing:
            raise UnreadableFileError(
                f"it has no key column {', '.join(missing)}; its columns are {', '.join(columns)}"
            )
        return reader.reading


def _discover(name: str, table: FileTable, store: ObjectStore, *, configured: bool) -> DiscoveredTable:
    sample = _Sample({}, {}, {})
    for file in reversed(_files(table, store)):
        if isinstance(file, RemoteFile) and file.size_bytes > _SAMPLED_BYTES:
            continue
        try:
            with _opened(file, table, store) as reader:
                sample = _sample(reader)
        except (UnreadableFileError, OSError):
            continue
        break
    key = table.key_columns or _key(name, sample)
    return DiscoveredTable(
        table_name=name,
        key=key,
        cursor=None,
        columns=list(sample.columns),
        types=sample.types,
        configured=configured,
        settings=_settings(table, key, sample),
    )


def _sample(reader: FileReader) -> _Sample:
    columns: dict[str, list[Any]] = {}
    types: dict[str, str] = {}
    rows = 0
    with closing(reader.batches()) as batches:
        for batch in batches:
            part = batch.slice(0, _SAMPLE_ROWS - rows)
            for name, values in zip(batch.schema.names, part.columns, strict=True):
                columns.setdefault(name, [None] * rows).extend(values.to_pylist())
                types.setdefault(name, str(values.type))
            rows += part.num_rows
            for values in columns.values():
                values.extend([None] * (rows - len(values)))
            if rows >= _SAMPLE_ROWS:
                break
    told = {
        name: type_of(columns[name]) if kind == "string" else "timestamp" if kind.startswith("timestamp") else kind
        for name, kind in types.items()
    }
    return _Sample(columns, {name: _TYPED.get(kind, kind) for name, kind in told.items()}, reader.reading)


def _key(table: str, sample: _Sample) -> list[str]:
    """A column that could tell rows apart: named like an id, filled and different in every row of the sample."""
    singular = table.removesuffix("s")
    liked = ("id", f"{singular}_id", f"{table}_id", "uuid", "key")
    candidates = [name for name in sample.columns if name in liked or name.endswith(("_id", "_uuid", "_key"))]
    candidates.sort(key=lambda name: liked.index(name) if name in liked else len(liked))
    for name in candidates:
        values = sample.columns[name]
        if values and all(value not in {None, ""} for value in values) and len(set(values)) == len(values):
            return [name]
    return []


def _settings(table: FileTable, key: list[str], sample: _Sample) -> dict[str, Any]:
    """What to write for the table: where it is, and what was found out, so that it stays that way."""
    settings: dict[str, Any] = {"path": table.path[0] if len(table.path) == 1 else list(table.path)}
    reading = sample.reading
    # The encoding is not written down: files of one folder may differ in it, and each is told apart by itself.
    for name in ("format", "delimiter", "quote", "header", "sheet", "records"):
        if name in reading:
            settings[name] = reading[name]
    if key:
        settings["key"] = key[0] if len(key) == 1 else key
    if reading.get("format") in {"csv", "json", "jsonl"} and sample.types:
        settings["columns"] = {**sample.types, **table.declared}
    return settings


def _files(table: FileTable, store: ObjectStore) -> list[Path | RemoteFile]:
    return [*list_files(table), *list_remote_files(table, store)]


def _path(file: Path | RemoteFile) -> str:
    return file.path.url if isinstance(file, RemoteFile) else str(file)


@contextmanager
def _opened(file: Path | RemoteFile, table: FileTable, store: ObjectStore) -> Iterator[FileReader]:
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(file, Path):
            yield open_reader(file, table, Path(scratch))
        else:
            copy = Path(scratch) / "copy"
            store.fetch(file, copy)
            yield open_reader(copy, table, Path(scratch), file.path.name)


def _tables_below(root: str, store: ObjectStore, known: set[Path | RemoteFile]) -> dict[str, list[str]]:
    """By table, the patterns, relative to `root`, of its files: those that differ in nothing but digits."""
    names = sorted(_names_below(root, store, known))
    patterns = sorted({(_table_name(name, root), _pattern(name)) for name in names})
    return {
        table: [pattern for _, pattern in group] for table, group in groupby(patterns, lambda pair: pair[0]) if table
    }


def _names_below(root: str, store: ObjectStore, known: set[Path | RemoteFile]) -> Iterator[str]:
    """The files under `root` whose suffix tells a format, relative to it."""
    if is_remote(root):
        base = root.rstrip("/") + "/"
        found: list[tuple[Path | RemoteFile, str]] = [
            (file, file.path.url.removeprefix(base)) for file in store.list_below(root)[:_MAX_FILES]
        ]
    else:
        found = []
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            paths = [Path(folder) / name for name in sorted(files)]
            found += [(path, path.relative_to(root).as_posix()) for path in paths]
            if len(found) > _MAX_FILES:
                break
    for file, name in found:
        hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
        if file not in known and not hidden and plain_suffix(name) in SUFFIXES:
            yield name


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    while path.suffix.lower() in SUFFIXES or path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    return path.name


def _table_name(name: str, root: str) -> str:
    stem = _CHANGING.sub("", _stem(name)).strip("-_. ")
    folder = PurePosixPath(name).parent.name or PurePosixPath(root.rstrip("/")).name
    told = column_name(stem or _CHANGING.sub("", folder).strip("-_. ") or "files").strip("_")
    return told if told[:1].isalpha() else f"table_{told}"


def _pattern(name: str) -> str:
    path = PurePosixPath(name)
    stem = _stem(name)
    escaped = re.sub(r"([*?[])", r"[\1]", _CHANGING.sub("\0", stem)).replace("\0", "*")
    return (path.parent / (escaped + path.name[len(stem) :])).as_posix()


def _under(root: str, pattern: str) -> str:
    if is_remote(root):
        return f"{root.rstrip('/')}/{pattern}"
    return str(Path(re.sub(r"([*?[])", r"[\1]", root)) / pattern)
