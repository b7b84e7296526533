"""The kind `files`: tables that are files, on this machine or in an object store, found by path or glob.

How the files are found, read and landed is said in listing, object_store, readers and file_extraction.
"""

import glob
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connectors.extraction.request import DiscoveredTable, Request, TableCheck
from connectors.extraction.spool import Spool
from connectors.names import column_name
from connectors.source import SourceConfig, Surroundings, TableConfig, Texts, one_or_more

Format = Literal["csv", "json", "jsonl", "parquet", "excel"]
ColumnType = Literal["text", "integer", "number", "boolean", "date", "timestamp", "json"]

SCHEMES = ("s3", "gs", "az", "abfs", "sftp")
COMPRESSED = {".gz", ".gzip", ".zst", ".zstd", ".zip"}
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# Options of a store that are no secret; the value of any other is hidden.
_OPEN_OPTIONS = {"account_name", "anon", "client_kwargs", "config_kwargs", "host", "port", "project", "username"}


def _delimiter(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value in "\"'\r\n\0":
        raise PydanticCustomError("delimiter", "is no delimiter")
    return value


def _quote(value: str) -> str:
    if value != "none" and (len(value) != 1 or not value.isascii() or value in "\r\n\0"):
        raise PydanticCustomError("quote", 'must be one character, such as "\'", or none')
    return value


def _encoding(value: str) -> str:
    try:
        "".encode(value)
    except LookupError:
        raise PydanticCustomError(
            "encoding", "must be the name of an encoding, such as utf-8, utf-16, latin-1 or cp1250"
        ) from None
    return value


def _hidden(value: Any, name: str = "") -> Any:
    """An option as it is kept: texts as secrets, unless they are known to be none."""
    if isinstance(value, Mapping):
        return {key: _hidden(item, str(key)) for key, item in value.items()}
    if isinstance(value, str) and name not in _OPEN_OPTIONS:
        return SecretStr(value)
    return value


def is_remote(pattern: str) -> bool:
    """Whether a path names a place in an object store, and no file of this machine."""
    return bool(_SCHEME.match(pattern))


def _check_scheme(pattern: str) -> None:
    found = _SCHEME.match(pattern)
    account, has_account, _ = pattern[found.end() if found else 0 :].partition("/")[0].partition("@")
    if found and (found[1] not in SCHEMES or (has_account and ":" in account)):
        raise PydanticCustomError(
            "scheme",
            "is nowhere to read from; allowed are s3, gs, az, abfs and sftp, without a password in the URL",
        )


class FileTable(TableConfig):
    """A table that is made of files of one layout."""

    path: Annotated[
        Texts,
        Field(
            description="a path, a glob such as data/**/*.csv, a URL such as s3://bucket/*.csv (s3, gs, az, abfs or"
            " sftp; without a password in it), or a list of them"
        ),
    ]
    format: Annotated[
        Literal["auto", "csv", "json", "jsonl", "parquet", "excel"],
        Field(description="auto (by suffix), excel, json, csv, jsonl or parquet"),
    ] = "auto"
    delimiter: Annotated[
        Annotated[str, AfterValidator(_delimiter)] | None,
        Field(description='one character, such as "," or ";" or "\\t"'),
    ] = None
    quote: Annotated[
        Annotated[str, AfterValidator(_quote)] | None, Field(description='one character, such as "\'", or none')
    ] = None
    encoding: Annotated[
        Annotated[str, AfterValidator(_encoding)] | None,
        Field(description="the name of an encoding, such as utf-8, utf-16, latin-1 or cp1250"),
    ] = None
    header: Annotated[bool | Literal["auto"], Field(description="true, false or auto")] = "auto"
    sheet: Annotated[str | int, Field(description="the name of a sheet, or its number, counted from 1")] = 1
    records: Annotated[
        str | None, Field(min_length=1, description="where in a JSON document the records are, such as data.items")
    ] = None
    columns: Annotated[
        Mapping[str, ColumnType],
        Field(description="a mapping of columns to text, integer, number, boolean, date, timestamp or json"),
    ] = {}
    max_bad_share: Annotated[
        float, Field(ge=0, le=1, description="a number from 0 (no bad line at all) to 1 (however many)")
    ] = 0.5

    @field_validator("path")
    @classmethod
    def _beside_the_file(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        folder = info.context.folder if isinstance(info.context, Surroundings) else Path.cwd()
        for pattern in value:
            _check_scheme(pattern)
        return tuple(
            pattern if is_remote(pattern) else str(Path(glob.escape(str(folder))) / Path(pattern).expanduser())
            for pattern in value
        )

    @property
    def key_columns(self) -> list[str]:
        """The key as it is named in raw."""
        return [column_name(header) for header in self.key or ()]

    @property
    def declared(self) -> dict[str, ColumnType]:
        """The types of `columns`, by name in raw."""
        return {column_name(header): kind for header, kind in self.columns.items()}

    @property
    def reading_version(self) -> str:
        """Changes with whatever decides how the table's files are read; a refused file gets another chance then."""
        settings = self.model_dump(exclude={"path", "key"}, exclude_defaults=True)
        how = f"2/{sorted(settings.items())}/{self.key_columns}"
        return hashlib.sha256(how.encode()).hexdigest()[:12]

    def format_of(self, name: str | PurePath) -> Format | None:
        """How the file of that name is to be read; None when nothing tells."""
        if self.format != "auto":
            return self.format
        return SUFFIXES.get(plain_suffix(name))

    def delimiter_of(self, name: str | PurePath) -> str | None:
        """What separates the fields of a CSV file: what is configured, a tab for .tsv; None when it is to be found."""
        return self.delimiter or ("\t" if plain_suffix(name) in {".tsv", ".tab"} else None)


def plain_suffix(name: str | PurePath) -> str:
    """The suffix that tells a format, behind which only compression may stand."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


class FilesSource(SourceConfig):
    """A source whose tables are files."""

    root: Annotated[
        str | None, Field(description="a folder or a URL such as s3://bucket/folder, where relative paths start")
    ] = None
    endpoint: Annotated[
        str | None, Field(pattern=r"^https?://[^@]+$", description="the URL of an S3-compatible server")
    ] = None
    storage_options: Annotated[
        Mapping[str, Any],
        BeforeValidator(_hidden),
        Field(description="a mapping of what the store wants: key, secret, token, password …"),
    ] = {}
    tables: Annotated[Mapping[str, FileTable], Field(description="a mapping of tables to their settings")]

    @model_validator(mode="before")
    @classmethod
    def _under_the_root(cls, values: Any, info: ValidationInfo) -> Any:
        """Put `root` before relative paths; let tables be missing while a source is only looked at."""
        if not isinstance(values, Mapping):
            return values
        draft = isinstance(info.context, Surroundings) and info.context.draft
        tables = values.get("tables") or {} if draft else values.get("tables")
        root = values.get("root")
        if isinstance(root, str) and isinstance(tables, Mapping):
            _check_scheme(root)
            tables = {name: _rooted(root, table) for name, table in tables.items()}
        return {**values, "tables": tables} if draft or "tables" in values else values

    @field_validator("tables")
    @classmethod
    def _some_table(cls, value: Mapping[str, FileTable], info: ValidationInfo) -> Mapping[str, FileTable]:
        if not value and not (isinstance(info.context, Surroundings) and info.context.draft):
            raise PydanticCustomError("too_short", "must be a mapping of tables to their settings")
        return value

    @field_validator("root")
    @classmethod
    def _root_beside_the_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or is_remote(value) or not isinstance(info.context, Surroundings):
            return value
        return str(info.context.folder / Path(value).expanduser())

    def check(self) -> list[TableCheck]:
        """See `SourceConfig`; adds files, bytes, and how the first file would be read."""
        from connectors.files.looking import check_tables

        return check_tables(self)

    def discover(self) -> list[DiscoveredTable]:
        """See `SourceConfig`; from a sample of each table's newest file, or of what lies under `root`."""
        from connectors.files.looking import discover_tables

        return discover_tables(self)

    def extract(self, request: Request, spool: Spool) -> None:
        """See `SourceConfig`; one portion for each file that is new."""
        from connectors.files.extract import extract_files

        extract_files(self, request, spool)


def _rooted(root: str, table: Any) -> Any:
    paths = one_or_more(table.get("path")) if isinstance(table, Mapping) else None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return table
    base = root if is_remote(root) else glob.escape(root)
    under = [path if is_remote(path) or path.startswith(("/", "~")) else f"{base.rstrip('/')}/{path}" for path in paths]
    return {**table, "path": under}
