"""The kind `files`: tables that are CSV, JSON lines or Parquet files, plain or gzipped, found by path or glob."""

import glob
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from connectors.names import column_name
from connectors.source import SourceConfig, Surroundings, TableConfig, Texts

Format = Literal["csv", "jsonl", "parquet"]

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def _delimiter(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value in '"\r\n\0':
        raise PydanticCustomError("delimiter", "is no delimiter")
    return value


class FileTable(TableConfig):
    """A table that is made of files of one layout."""

    path: Annotated[Texts, Field(description="a path, a glob such as data/**/*.csv, or a list of them")]
    format: Annotated[
        Literal["auto", "csv", "jsonl", "parquet"], Field(description="auto (by suffix), csv, jsonl or parquet")
    ] = "auto"
    delimiter: Annotated[
        Annotated[str, AfterValidator(_delimiter)] | None,
        Field(description='one character, such as "," or ";" or "\\t"'),
    ] = None

    @field_validator("path")
    @classmethod
    def _beside_the_file(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        folder = info.context.folder if isinstance(info.context, Surroundings) else Path.cwd()
        return tuple(str(Path(glob.escape(str(folder))) / Path(pattern).expanduser()) for pattern in value)

    @property
    def key_columns(self) -> list[str]:
        """The key as it is named in raw."""
        return [column_name(header) for header in self.key or ()]

    @property
    def reading_version(self) -> str:
        """Changes with whatever decides how the table's files are read; a refused file gets another chance then."""
        how = f"{self.format}/{self.delimiter}/{self.key_columns}"
        return hashlib.sha256(how.encode()).hexdigest()[:12]

    def format_of(self, path: Path) -> Format | None:
        """How the file is to be read; None when nothing tells."""
        if self.format != "auto":
            return self.format
        return _SUFFIXES.get(_plain_suffix(path))

    def delimiter_of(self, path: Path) -> str:
        """What separates the fields of a CSV file: what is configured, else a tab for .tsv, else a comma."""
        return self.delimiter or ("\t" if _plain_suffix(path) == ".tsv" else ",")


def _plain_suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in {".gz", ".gzip"}:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


class FilesSource(SourceConfig):
    """A source whose tables are files."""

    tables: Annotated[Mapping[str, FileTable], Field(min_length=1, description="a mapping of tables to their settings")]
