"""Adds a source to `sources.yaml`: looked at first, then written with what it proposes, and never with a secret."""

import io
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.config import load_sources
from connectors.extraction.request import DiscoveredTable
from connectors.inspection import check, discover
from connectors.secrets import shows_secret
from connectors.yaml_document import read_yaml
from warehouse.errors import DataInsightError


@dataclass(frozen=True)
class NewSource:
    """A source that can be reached, not yet written down.

    Attributes:
        values: What stands under its name, `${NAME}` as it was said.
        tables: What was found there.
        names_tables: Whether they are to be written down.
    """

    path: Path
    name: str
    values: dict[str, Any]
    tables: list[DiscoveredTable]
    names_tables: bool


def look_at(path: Path, home: Path, name: str, values: Mapping[str, Any]) -> NewSource:
    """Reach a source that is not configured yet, and find out what it has.

    Args:
        path: The `sources.yaml` that it will be written to; it need not be there.
        name: What it will be called.
        values: Its settings besides the tables.

    Raises:
        DataInsightError: It cannot be reached, a setting is wrong or holds a secret, or the name is taken.
    """
    text = _with(path, name, dict(values))
    [source] = load_sources(path, home, text=text, drafts={name}, new=name)
    if shows_secret(source, values):
        raise DataInsightError(
            f"the settings of source {name} hold a secret in the clear",
            hint="put it into the environment, or the file .env, and say ${NAME} in its place",
        )
    problems = [f"{found['table_name']}: {found['problem']}" for found in check(source) if found["problem"]]
    if problems:
        raise DataInsightError(f"source {name}: {'; '.join(problems)}")
    tables = discover(source)
    if not tables:
        raise DataInsightError(f"source {name} has no table in reach")
    return NewSource(path, name, dict(values), tables, source.names_tables)


def choose(found: NewSource, wanted: Collection[str] = ()) -> list[DiscoveredTable]:
    """The tables to land: those that are wanted, or all.

    Raises:
        DataInsightError: There is no such table.
    """
    by_name = {table["table_name"]: table for table in found.tables}
    for name in wanted:
        if name not in by_name:
            raise DataInsightError(f"source {found.name} has no table {name}; it has {', '.join(by_name)}")
    return [table for name, table in by_name.items() if not wanted or name in wanted]


def write(found: NewSource, tables: Collection[DiscoveredTable], home: Path) -> str:
    """Write the source with these tables into its file; what else the file says, comments included, stays.

    Returns:
        The lines that were added.

    Raises:
        DataInsightError: What would be written is not valid; the file is as it was.
    """
    said: dict[str, Any] = found.values.get("tables") or {}
    proposed = {table["table_name"]: {**table["settings"], **said.get(table["table_name"], {})} for table in tables}
    values = {**found.values, **({"tables": proposed} if found.names_tables else {})}
    text = _with(found.path, found.name, values)
    load_sources(found.path, home, text=text, new=found.name)
    beside = found.path.with_name(f".{found.path.name}.{os.getpid()}")
    try:
        found.path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(found.path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise DataInsightError(f"{found.path} cannot be written: {error.strerror}") from error
    return _dumped({found.name: values})


def _with(path: Path, name: str, values: dict[str, Any]) -> str:
    """The text of the file with one more source."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        text = ""
    except OSError as error:
        raise DataInsightError(f"{path} cannot be read: {error.strerror}") from error
    document = _loaded(path, text) if text.strip() else None
    if document is None:
        document = {}
    if not isinstance(document, dict) or not isinstance(document.get("sources") or {}, dict):
        raise DataInsightError(f"{path} is no file of sources: it must have the key sources")
    if name in (document.get("sources") or {}):
        raise DataInsightError(f"there is a source {name} already, in {path}", hint="choose another name, or edit it")
    if not document.get("sources"):
        document["sources"] = {}
    document["sources"][name] = values
    return _dumped(document)


def _loaded(path: Path, text: str) -> Any:
    """The file with its comments; what is no YAML is said as for every other command."""
    from ruamel.yaml.error import YAMLError

    try:
        return _yaml().load(text)
    except YAMLError as error:
        read_yaml(path, text=text, proposed=("sources",))
        raise DataInsightError(f"{path} cannot be added to: {getattr(error, 'problem', error)}") from None


def _dumped(values: Any) -> str:
    stream = io.StringIO()
    _yaml().dump(values, stream)
    return stream.getvalue()


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
