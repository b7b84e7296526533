"""JSON paths into answers and rows: plain dotted ones are walked, the others are dlt's (jsonpath-ng)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)(?=[.\[]|$)|\[(\d+)\]")
_PLAIN = re.compile(r"[\w\-]+(?:\.[\w\-]+)*")


def find(path: str, value: Any) -> list[Any]:
    """Everything at `path`; nothing when there is no such place."""
    if path == "$":
        return [value]
    if not _PLAIN.fullmatch(path):
        return [match.value for match in _compiled(path).find(value)]
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return []
        value = value[step]
    return [value]


def find_one(path: str, value: Any) -> Any:
    """The first thing at `path`, or None; a key that is the whole path comes before a place inside."""
    if isinstance(value, Mapping) and path in value:
        return value[path]
    found = find(path, value)
    return found[0] if found else None


def put(path: str, body: Any, value: Any) -> None:
    """Set what is at a path such as `filters[0].value`; objects on the way are made, lists are not."""
    steps: list[str | int] = [int(index) if index else name for name, index in _STEP.findall(path)]
    for step, following in pairwise(steps):
        makes_way = isinstance(step, str) and isinstance(following, str)
        body = body.setdefault(step, {}) if makes_way else body[step]
    body[steps[-1]] = value


@lru_cache
def _compiled(path: str) -> Any:
    from dlt.common import jsonpath

    return jsonpath.compile_path(path)
