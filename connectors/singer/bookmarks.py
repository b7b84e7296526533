"""A tap's STATE, one value for all its streams, kept by table; and which tables may share a run of the tap.

A table is only given what its own newest batch that counts has left, so one whose batch was refused gets its rows
again.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_BOOKMARKS = "bookmarks"
# Where a tap was interrupted; nothing of an interrupted run counts.
_NOT_KEPT = "currently_syncing"


@dataclass
class Round:
    """One run of the tap.

    Attributes:
        tables: The tables whose streams it extracts.
        state: What the tap is given; empty: it gives everything there is.
    """

    tables: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)


def of_table(state: Any, streams: Iterable[str], others: Iterable[str]) -> dict[str, Any]:
    """What to keep of a STATE for one table.

    Args:
        state: What the tap wrote last.
        streams: The names that the table's stream has.
        others: The names of the streams of all tables, whose bookmarks are theirs.
    """
    if not isinstance(state, Mapping):
        return {}
    rest = {name: value for name, value in state.items() if name not in {_BOOKMARKS, _NOT_KEPT}}
    bookmarks = state.get(_BOOKMARKS)
    if not isinstance(bookmarks, Mapping):
        return _filled({"rest": rest if bookmarks is None else {**rest, _BOOKMARKS: bookmarks}})
    taken = set(others)
    names = set(streams)
    kept = {name: value for name, value in bookmarks.items() if name in names and value}
    # Bookmarks of streams that are nobody's table, such as the parents of one, count for every table.
    common = {name: value for name, value in bookmarks.items() if name not in taken and value}
    return _filled({_BOOKMARKS: kept, "rest": {**rest, **({_BOOKMARKS: common} if common else {})}})


def rounds(states: Mapping[str, Mapping[str, Any] | None]) -> list[Round]:
    """The runs that it takes, so that each table starts where its own state says.

    Args:
        states: By table, what `of_table` gave; None or empty: everything is to be extracted.
    """
    found: dict[str, Round] = {}
    for table, state in states.items():
        rest = dict((state or {}).get("rest") or {})
        bookmarks = (state or {}).get(_BOOKMARKS) or {}
        common = json.dumps(rest, sort_keys=True)
        group = found.setdefault(common if state and (rest or bookmarks) else "everything", Round(state=rest))
        group.tables.append(table)
        if bookmarks:
            group.state = {**group.state, _BOOKMARKS: {**group.state.get(_BOOKMARKS, {}), **bookmarks}}
    return list(found.values())


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
