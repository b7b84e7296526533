"""Reads `sources.yaml` into validated sources; whatever is wrong there is said with file, line, key and remedy."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connectors.kinds import KINDS
from connectors.names import MAX_BYTES
from connectors.secrets import also_hide, redacted, variable_secrets
from connectors.source import SourceConfig, Surroundings
from connectors.yaml_document import Location, YamlDocument, read_yaml
from warehouse.errors import DataInsightError
from warehouse.table_names import RESERVED_TABLES

_NAME = re.compile(r"[a-z](?:_?[a-z0-9])*")
_DESCRIBED = {"cron", "delimiter", "retention"}  # Mistakes that the description of the key says best.
_SHAPES = {"model_type", "dict_type", "mapping_type", "too_short"}
_SHORTEST = 3  # Of a value that is looked for in an error.
_TEXTS = {"arguments", "config", "json", "params", "query"}  # Settings of plain text in which variables are secrets.
_HINT = "docs/sources.md shows every key with an example"


def load_sources(
    path: Path, home: Path, *, text: str | None = None, drafts: Collection[str] = (), new: str | None = None
) -> list[SourceConfig]:
    """Read and check the sources that `path` configures.

    Args:
        path: A `sources.yaml`; paths in it are relative to its folder.
        home: The platform's home folder, where sources of kind `demo` keep their files.
        text: What to read instead of what the file says now.
        drafts: Names of sources that are only to be looked at: their tables need not be chosen yet.
        new: The source that `text` has and the file has not yet: it alone is read, and needs its variables.

    Returns:
        The sources in the order of the file.

    Raises:
        DataInsightError: Anything is wrong with the file; the message names file, line and key.
    """
    document = read_yaml(path, text=text, proposed=("sources", new) if new is not None else ())
    if document.values is None:
        raise document.mistake((), "is empty; it must have the key sources", _HINT)
    top = _mapping(document, (), document.values)
    for key in top:
        if key != "sources":
            raise document.mistake((key,), _unknown(key, ["sources"]), _HINT)
    if "sources" not in top:
        raise document.mistake((), "the key sources is missing", _HINT)
    sources = _mapping(document, ("sources",), top["sources"])
    if not sources:
        raise document.mistake(("sources",), "must name at least one source", _HINT)
    folder = path.absolute().parent
    return [
        _source(
            document,
            name,
            Surroundings(
                name, folder, home.absolute(), name in drafts, frozenset(document.variables(("sources", name)))
            ),
        )
        for name in sources
        if new is None or name == new
    ]


def source_given(
    values: Mapping[str, Any], secrets: Mapping[Location, Any], surroundings: Surroundings
) -> SourceConfig:
    """Check a source whose settings stand in no file.

    Args:
        values: As a `sources.yaml` would have them; `${NAME}` means nothing in them.
        secrets: Those of the values, by their places, that no error may repeat.
        surroundings: Its name, and what else its settings may depend on.

    Raises:
        DataInsightError: Anything is wrong with it; the message names the source and the key.
    """
    place = ("sources", surroundings.name)
    document = YamlDocument(Path("datasources"), {"sources": {surroundings.name: dict(values)}}, proposed=place)
    for where, value in secrets.items():
        document.written[(*place, *where)] = "***"
        document.filled[(*place, *where)] = [str(value)]
    return _source(document, surroundings.name, surroundings)


def find_source(sources: Iterable[SourceConfig], name: str) -> SourceConfig:
    """The source of that name.

    Raises:
        DataInsightError: There is none; the message says which there are.
    """
    by_name = {source.name: source for source in sources}
    if name not in by_name:
        raise DataInsightError(f"there is no such source: {_unknown(name, by_name)}")
    return by_name[name]


def _source(document: YamlDocument, name: str, surroundings: Surroundings) -> SourceConfig:
    place: Location = ("sources", name)
    _check_name(document, place, prefix="raw_")
    values = _mapping(document, place, document.values["sources"][name])
    if "kind" not in values:
        raise document.mistake(place, f"has no kind; allowed are {', '.join(sorted(KINDS))}", _HINT)
    kind = values["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        said = document.written.get((*place, "kind"), kind if isinstance(kind, str) else _shown(kind))
        raise document.mistake((*place, "kind"), _unknown(said, sorted(KINDS)), _HINT)
    tables = values.get("tables")
    for table in tables if isinstance(tables, Mapping) else ():
        _check_name(document, (*place, "tables", table))
    if "name" in values:
        raise document.mistake((*place, "name"), "is not known: a source is named by its key", _HINT)
    try:
        source = KINDS[kind].model_validate({"name": name, **values}, context=surroundings)
    except ValidationError as error:
        raise _first_mistake(document, place, error, KINDS[kind]) from None
    except DataInsightError as error:  # Of another file, such as a definition.
        raise DataInsightError(redacted(error.message, _filled(document)), error.hint) from None
    also_hide(source, _in_texts(document, place))
    return source


def _in_texts(document: YamlDocument, place: Location) -> set[str]:
    """What is secret of the variables in those settings of a source that are plain text, and no place."""
    secrets = set()
    for where, values in document.filled.items():
        setting = where[len(place) :]
        if setting[:1] == ("tables",):
            setting = setting[2:]
        if where[: len(place)] == place and setting and setting[0] in _TEXTS:
            secrets |= {secret for value in values for secret in variable_secrets(value)}
    return secrets


def _check_name(document: YamlDocument, place: Location, prefix: str = "") -> None:
    name = str(place[-1])
    if not _NAME.fullmatch(name):
        raise document.mistake(
            place, "is no usable name; allowed are a-z, 0-9 and single _ between them, starting with a letter", _HINT
        )
    if name in RESERVED_TABLES and not prefix:
        raise document.mistake(place, f"is no usable name; {', '.join(sorted(RESERVED_TABLES))} are kept", _HINT)
    longest = MAX_BYTES - len(prefix)
    if len(name) > longest:
        raise document.mistake(place, f"is too long a name: {len(name)} bytes, allowed are {longest}", _HINT)


def _mapping(document: YamlDocument, place: Location, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        found = "nothing" if value is None else document.written.get(place, _shown(value))
        raise document.mistake(place, f"must be a mapping of keys to values, not {found}", _HINT)
    return value


def _first_mistake(
    document: YamlDocument, place: Location, error: ValidationError, model: type[BaseModel]
) -> DataInsightError:
    """The first mistake that pydantic found, in our words; a misspelt key before the missing one it stands for."""
    details = min(error.errors(), key=lambda details: details["type"] != "extra_forbidden")
    where = details["loc"]
    fields = _fields_around(model, where)
    key = str(where[-1]) if where else ""
    if details["type"] == "extra_forbidden":
        return document.mistake((*place, *where), _unknown(key, sorted(fields)), _HINT)
    allowed = next((fields[str(part)] for part in reversed(where) if str(part) in fields), "")
    if details["type"] == "missing":
        return document.mistake((*place, *where[:-1]), f"has no {key}; it must be {allowed}", _HINT)
    around = document.written_around((*place, *where))
    said = around[0] if around else _shown(details["input"])
    kinds = [str(model.model_fields[str(part)].annotation) for part in where if part in model.model_fields]
    if any("SecretStr" in kind for kind in kinds):
        said = "what it is"
    problem = _wrong_value(details, allowed, said)
    if around and len(str(around[1])) >= _SHORTEST:
        problem = problem.replace(str(around[1]), around[0])
    return document.mistake((*place, *where), redacted(problem, _filled(document)), _HINT)


def _filled(document: YamlDocument) -> set[str]:
    return {secret for values in document.filled.values() for value in values for secret in variable_secrets(value)}


def _shown(value: Any) -> str:
    """A value as a message may show it: of what is in a mapping or list, nothing, for that may be a secret."""
    match value:
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
    return repr(value)


def _wrong_value(details: ErrorDetails, allowed: str, said: str) -> str:
    if "url" not in details and details["type"] not in _DESCRIBED:
        return details["msg"]  # A kind says it in its own words; pydantic's own mistakes come with a URL.
    if details["type"] in _SHAPES:
        allowed = allowed or "a mapping of keys to values"
    return f"must be {allowed}, not {said}"


def _fields_around(model: type[BaseModel], where: Location) -> dict[str, str]:
    """Names and descriptions of the keys that may stand beside the last part of `where`."""
    if where[:1] == ("tables",) and len(where) > 2:  # noqa: PLR2004 - tables, the table's name, its key.
        table = model.model_fields["tables"].annotation
        model = getattr(table, "__args__", (None, model))[1]
    hidden = {"name"}
    return {
        field.alias or name: field.description or name
        for name, field in model.model_fields.items()
        if name not in hidden
    }


def _unknown(name: str, allowed: Iterable[str]) -> str:
    allowed = list(allowed)
    close = difflib.get_close_matches(name, allowed, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{name!r} is not known; allowed are {', '.join(allowed)}{meant}"
