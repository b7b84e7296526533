"""Reads a file as a table would be read, without a warehouse."""

from pathlib import Path
from typing import Any

from connectors.files.kind import FileTable
from connectors.files.readers import open_reader
from connectors.files.readers.reading import FileReader


def read(path: Path, **table: Any) -> tuple[list[dict[str, Any]], FileReader]:
    """The rows of a file, and its reader."""
    reader = open_reader(path, FileTable(path=(str(path),), **table), path.parent / "scratch")
    return [row for batch in reader.batches() for row in batch.to_pylist()], reader


def set_aside(reader: FileReader) -> list[tuple[int, str, str]]:
    """Line, text and reason of every line set aside."""
    return [(line.line, line.text, line.reason) for line in reader.unreadable]
