"""Looks at a source without landing anything: can it be reached, and what is in it."""

import tempfile
from pathlib import Path
from typing import Any

from connectors.files_kind import FilesSource, FileTable
from connectors.listing import list_files, missing_paths
from connectors.readers import open_reader
from connectors.readers.reading import UnreadableFileError
from connectors.source import SourceConfig


def check(source: SourceConfig) -> list[dict[str, Any]]:
    """Whether each table of `source` can be read.

    Returns:
        One entry per table: `table_name`, `files`, `size_bytes`, `ok`, and `problem`, a line of text or None.
    """
    found = []
    for name, table in _tables(source).items():
        paths = list_files(table)
        problems = missing_paths(table)
        if not paths and not problems:
            problems = [f"no file matches {' or '.join(table.path)}"]
        try:
            size = sum(path.stat().st_size for path in paths)
            if paths:
                _header(paths[0], table)
        except UnreadableFileError as error:
            problems.append(f"{paths[0]}: {error.reason}")
        except OSError as error:
            size = 0
            problems.append(str(error))
        found.append(
            {
                "table_name": name,
                "files": len(paths),
                "size_bytes": size,
                "ok": not problems,
                "problem": "; ".join(problems) or None,
            }
        )
    return found


def discover(source: SourceConfig) -> list[dict[str, Any]]:
    """The columns of each table, from the beginning of its newest file by name.

    Returns:
        One entry per table: `table_name`, `key`, and `columns`, named as they will be in raw; no columns where no file
        can be read.
    """
    found = []
    for name, table in _tables(source).items():
        columns: list[str] = []
        for path in reversed(list_files(table)):
            try:
                columns = _header(path, table)
            except (UnreadableFileError, OSError):
                continue
            break
        found.append({"table_name": name, "key": table.key_columns, "columns": columns})
    return found


def _tables(source: SourceConfig) -> dict[str, FileTable]:
    source.prepare()
    return dict(source.tables) if isinstance(source, FilesSource) else {}


def _header(path: Path, table: FileTable) -> list[str]:
    """The columns of a file, checked for the table's key."""
    with tempfile.TemporaryDirectory() as scratch:
        columns = open_reader(path, table, Path(scratch)).header()
    missing = [column for column in table.key_columns if column not in columns]
    if missing:
        raise UnreadableFileError(f"it has no key column {', '.join(missing)}; its columns are {', '.join(columns)}")
    return columns
