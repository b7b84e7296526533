"""Placeholders in a definition's texts: `{parameter}`, `{resources.parent.field}`, `{incremental.start_value}`."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_][\w.]*)\}")
Lookup = Callable[[str], Any]


class Absent:
    """What an optional parameter without a value stands for: whatever mentions it is left out."""


ABSENT = Absent()


def names_in(value: Any) -> Iterator[str]:
    """Every placeholder in a text, or in the texts of a mapping, a list or a model; keys of mappings are none."""
    match value:
        case SecretStr():
            yield from names_in(value.get_secret_value())
        case str():
            yield from (found[1] for found in _PLACEHOLDER.finditer(value) if found[1])
        case BaseModel():
            for name in type(value).model_fields:
                yield from names_in(getattr(value, name))
        case Mapping():
            for item in value.values():
                yield from names_in(item)
        case list() | tuple():
            for item in value:
                yield from names_in(item)


def fill(value: Any, lookup: Lookup) -> Any:
    """The value with its placeholders filled in.

    A text that is nothing but one placeholder becomes what that stands for, whatever its type; within a text, a list
    is written with commas. A text, or an entry of a mapping or list, that mentions something absent becomes `ABSENT`,
    or is left out.

    Args:
        value: Text, mapping, list or scalar.
        lookup: Gives what a placeholder stands for.
    """
    match value:
        case SecretStr():
            return fill(value.get_secret_value(), lookup)
        case str():
            return _text(value, lookup)
        case Mapping():
            filled = {key: fill(item, lookup) for key, item in value.items()}
            return {key: item for key, item in filled.items() if item is not ABSENT}
        case list() | tuple():
            items = [fill(item, lookup) for item in value]
            return [item for item in items if item is not ABSENT]
    return value


def _text(text: str, lookup: Lookup) -> Any:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole and whole[1]:
        return lookup(whole[1])
    parts, end = [], 0
    for found in _PLACEHOLDER.finditer(text):
        value = lookup(found[1]) if found[1] else found[0][0]
        if value is ABSENT:
            return ABSENT
        parts += [text[end : found.start()], ",".join(value) if isinstance(value, list) else str(value)]
        end = found.end()
    return "".join([*parts, text[end:]])
