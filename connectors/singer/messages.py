"""A line of a tap's output as a Singer message: https://hub.meltano.com/singer/spec/."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from warehouse.errors import DataInsightError

Message = Mapping[str, Any]
_NEEDS = {
    "SCHEMA": ("stream", "schema"),
    "RECORD": ("stream", "record"),
    "STATE": ("value",),
    "ACTIVATE_VERSION": ("stream", "version"),
    "BATCH": ("stream", "encoding", "manifest"),
}


def parse(line: bytes, tap: str) -> Message | None:
    """The message in a line, or None for a line that is none, such as a greeting printed by a library.

    Raises:
        DataInsightError: The line was meant for a message and is broken: what it said is lost.
    """
    text = line.strip()
    if not text:
        return None
    try:
        found = _loaded(text)
    except ValueError:
        if text.startswith(b"{") or b'"type"' in text:
            raise _broken(text, tap, "no JSON") from None
        return None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        if isinstance(found, dict):
            raise _broken(text, tap, "JSON without a type")
        return None
    for field in _NEEDS.get(found["type"], ()):
        if field not in found:
            raise _broken(text, tap, f"a {found['type']} without {field}")
    return found


def exactly(line: bytes) -> Message:
    """The message again, with every number that has a point as a `Decimal`, and whole ones whatever their length."""
    found: Message = json.loads(line, parse_float=Decimal)
    return found


def _loaded(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Python's own reader takes NaN and Infinity, which taps in Python write.
        return json.loads(text)


def _broken(text: bytes, tap: str, what: str) -> DataInsightError:
    start = text[:120].decode(errors="replace")
    return DataInsightError(
        f"{tap} wrote a line that is no Singer message, but {what}: {start}",
        hint="nothing of this load counts; this is a mistake of the tap: try another version of it",
    )
