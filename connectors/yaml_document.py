"""A YAML file as plain values that remember their lines: `${NAME}` filled in, duplicate keys refused.

What the values mean is not known here.
"""

import os
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from warehouse.errors import DataInsightError

Location = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$(?:\$|\{([^}]*)\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class YamlDocument:
    """The values of a file and where each of them stands.

    Attributes:
        path: The file.
        values: Mappings, sequences and scalars as YAML reads them, variables filled in.
        written: What stands in the file where a value has variables: such a value may be a secret.
        filled: The values of those variables.
        proposed: What is not in the file yet, though the text that was read has it; only there variables are filled in.
    """

    path: Path
    values: Any = None
    written: dict[Location, str] = field(default_factory=dict)
    filled: dict[Location, list[str]] = field(default_factory=dict)
    proposed: Location = ()
    _lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """The line, counted from 1, of the value at `location` or of the nearest thing around it."""
        while location and location not in self._lines:
            location = location[:-1]
        return self._lines.get(location, 1)

    def mistake(self, location: Location, problem: str, hint: str | None = None) -> DataInsightError:
        """The error for a mistake at `location`: file, line and key, or the source proposed; then the problem."""
        if self.proposed and self._is_proposed(location):
            *_, name = self.proposed
            setting = ".".join(str(part) for part in location[len(self.proposed) :])
            return DataInsightError(f"source {name}{': ' + setting if setting else ''} {problem}", hint)
        key = ".".join(str(part) for part in location)
        return DataInsightError(f"{self.path}:{self.line(location)}: {key + ' ' if key else ''}{problem}", hint)

    def written_around(self, location: Location) -> tuple[str, Any] | None:
        """What stands in the file for the value at `location` or around it, and that value; None without variables."""
        while location and location not in self.written:
            location = location[:-1]
        if location not in self.written:
            return None
        value = self.values
        for part in location:
            value = value[part]
        return self.written[location], value

    def variables(self, location: Location) -> set[str]:
        """The values under `location` that are one variable and nothing else."""
        return {
            values[0]
            for place, values in self.filled.items()
            if place[: len(location)] == location and _VARIABLE.fullmatch(self.written.get(place, ""))
        }

    def _is_proposed(self, location: Location) -> bool:
        return location[: len(self.proposed)] == self.proposed


def read_yaml(path: Path, *, text: str | None = None, proposed: Location = ()) -> YamlDocument:
    """Read `path`.

    Args:
        text: What to read instead of what the file says now.
        proposed: What of the text is not in the file yet; elsewhere `${NAME}` stays as it is.

    Raises:
        DataInsightError: It cannot be opened, is no YAML, says a key twice, or names a variable that is not set.
    """
    try:
        text = path.read_text(encoding="utf-8-sig") if text is None else text
    except FileNotFoundError:
        raise DataInsightError(
            f"there is no file {path}", hint="DATAINSIGHT_SOURCES says where the sources are configured"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataInsightError(f"{path} cannot be read: {error}") from error
    document = YamlDocument(path, proposed=proposed)
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        raise DataInsightError(f"{path}: this is not valid YAML: {error.reason}") from error
    try:
        node = loader.get_single_node()
        if node is not None:
            document.values = _Walk(loader, document).value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise DataInsightError(
            f"{where}: this is not valid YAML: {error.problem or error.context}",
            hint="check the indentation, quotes and colons on that line and the one before it",
        ) from error
    finally:
        loader.dispose()
    return document


class _Walk:
    """Turns YAML's nodes into values, noting lines on the way."""

    def __init__(self, loader: yaml.SafeLoader, document: YamlDocument) -> None:
        self._loader = loader
        self._document = document
        self._open: list[int] = []

    def value(self, node: yaml.Node, location: Location) -> Any:
        self._document._lines.setdefault(location, node.start_mark.line + 1)  # noqa: SLF001 - it fills the document.
        if id(node) in self._open:
            raise self._document.mistake(location, "contains itself")
        self._open.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, location)
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*location, number)) for number, item in enumerate(node.value)]
            return self._scalar(node, location)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[Hashable, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                self._document._lines[(*location, str(key.value))] = line  # noqa: SLF001
                raise self._document.mistake(
                    (*location, str(key.value)), f"is there twice, first on line {seen[key.value]}"
                )
            seen[str(key.value)] = line
        self._loader.flatten_mapping(node)
        values: dict[Hashable, Any] = {}
        for key, item in node.value:
            place = (*location, str(key.value))
            self._document._lines[place] = key.start_mark.line + 1  # noqa: SLF001
            values[str(key.value)] = self.value(item, place)
        return values

    def _scalar(self, node: yaml.Node, location: Location) -> Any:
        value = self._loader.construct_object(node)
        if not isinstance(value, str) or not self._document._is_proposed(location):  # noqa: SLF001
            return value
        filled = _VARIABLE.sub(lambda found: self._variable(found, location), value)
        if filled != value:
            self._document.written[location] = value
        return filled

    def _variable(self, found: re.Match[str], location: Location) -> str:
        if found[0] == "$$":
            return "$"
        name = found[1]
        if not found[0].endswith("}") or not _NAME.fullmatch(name):
            raise self._document.mistake(location, f"has {found[0]!r}; a variable is written ${{NAME}}, a dollar $$")
        value = os.environ.get(name) or _dot_env().get(name)
        if value is None and name not in os.environ:
            raise self._document.mistake(
                location,
                f"needs the environment variable {name}, which is not set",
                f"export {name}=…, or write {name}=… into the file .env",
            )
        self._document.filled.setdefault(location, []).append(value or "")
        return value or ""


def _dot_env() -> dict[str, str | None]:
    """What the file `.env` of the working folder says, as for the settings."""
    from dotenv import dotenv_values

    return dotenv_values(".env")
