"""Reads the tables of an API into the spool: parents before children, only what is new where the API can tell."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.extraction.records import json_text, text_batch
from connectors.extraction.request import Request
from connectors.extraction.spool import Portion, Spool
from connectors.rest import cursors
from connectors.rest.api import Api
from connectors.rest.definition import Definition, RestTable
from connectors.rest.endpoint_settings import Incremental
from connectors.rest.families import Families
from connectors.rest.placeholders import Lookup, fill
from connectors.rest.rows import ParentRows, inherited_fields, shaped
from connectors.rest.session import Call
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from connectors.rest.kind import RestTableConfig

_BATCH_ROWS = 5_000
_BATCH_BYTES = 16 << 20
_Window = cursors.RowWindow | Families | None


@dataclass(frozen=True)
class _Parents:
    """A parent's rows, and whether they are all there are."""

    rows: ParentRows
    are_all: bool


class Reader:
    """Reads tables, once each.

    Args:
        api: What to ask.
        definition: What it is like.
        tables: What the user says of the tables to read.
        parameter: Gives a parameter's value, for a first run's beginning.
        request: What is asked for.
    """

    def __init__(
        self,
        api: Api,
        definition: Definition,
        tables: Mapping[str, "RestTableConfig"],
        parameter: Lookup,
        request: Request,
    ) -> None:
        self._api, self._definition, self._tables = api, definition, tables
        self._parameter, self._request = parameter, request
        self._parents: dict[str, _Parents] = {}
        self._listed: dict[str, _Parents] = {}
        self._reached: dict[str, dict[str, Any] | None] = {}
        self._open = ExitStack()

    def read(self, spool: Spool) -> None:
        """Read all tables into `spool`.

        Raises:
            DataInsightError: Something failed.
        """
        with self._open:
            for name in sorted(self._tables, key=lambda name: (self._depth(name), list(self._tables).index(name))):
                self._read(name, spool)

    def _read(self, name: str, spool: Spool) -> None:
        table, config, state = self._definition.tables[name], self._tables[name], self._request.state(name)
        window, parents = self._window(name, state), self._parents_of(name, state)
        are_all = _are_all(parents, window)
        whole = are_all and (window is None or cursors.is_fixed(self._initial(name)))
        call = self._api.call(name)
        origin = {"request": self._api.address(name)}
        with spool.portion(name, key=config.key or (), origin=origin, complete=whole, changelog=True) as portion:
            kept = self._keep_for_children(name, are_all=are_all)
            writer = _Writer(portion, window)
            for row in self._rows(name, call, parents, window, writer):
                if kept is not None:
                    kept.add(row)
                writer.add(row)
            writer.flush()
            portion.state = self._state(name, portion, window, parents)
            if table.parent is not None:
                portion.state = {**(portion.state or {}), "parents": self._reached.get(table.parent)}
            portion.origin.update(pages=writer.pages, requests=call.requests, retries=call.retries)
        # Without a row nothing is recorded, and the next run begins where this one did.
        self._reached[name] = _place(portion.state if portion.rows else state)

    def _rows(
        self, name: str, call: Call, parents: _Parents | None, window: _Window, writer: "_Writer | None" = None
    ) -> Iterator[dict[str, Any]]:
        """The rows of a table: for all of its parents, in all of its ranges, of all pages."""
        table = self._definition.tables[name]
        bounds = table.endpoint.incremental
        for values, inherited, key in self._each_parent(table, parents):
            ignored = call.ignored
            start = window.begin(key) if isinstance(window, Families) else window.start if window else None
            for low, high in cursors.spans(bounds, start, self._initial(name)):
                params = cursors.bound_params(bounds, low, high)
                asked = {**values, "incremental.start_value": low, "incremental.end_value": high}
                for page in self._api.pages(name, call, asked, params):
                    good = 0
                    if writer is not None:
                        writer.pages += 1
                        writer.bytes += len(page.reply.content)
                    for number, row in enumerate(shaped(page, table, inherited), start=1):
                        if row is not None:
                            good += 1
                            yield row
                        elif writer is not None:
                            writer.set_aside(name, number, page.rows[number - 1])
                    if page.rows and not good:
                        raise DataInsightError(
                            f"table {name}: what is at {table.endpoint.data_selector or '$'} are no rows",
                            "data_selector must lead to objects; zip names the values of lists",
                        )
            if isinstance(window, Families):
                window.end(whole=call.ignored == ignored)

    def _each_parent(
        self, table: RestTable, parents: _Parents | None
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any], list[Any]]]:
        """For each parent, or once for none: what placeholders stand for, what its children get of it, and its key."""
        if parents is None:
            yield {}, {}, []
            return
        parent = str(table.parent)
        fields = table.endpoint.parent_fields[parent]
        key = self._key(parent)
        passed_on = inherited_fields(parent, table, key)
        for row in parents.rows.read():
            if any(row[field] is None for field in fields):
                continue
            yield (
                {f"resources.{parent}.{field}": row[field] for field in fields},
                {f"_{parent}_{field}": row[field] for field in passed_on},
                [row[field] for field in key or fields],
            )

    def _parents_of(self, name: str, state: dict[str, Any] | None) -> _Parents | None:
        """The parents to ask for: those that changed since the children were read the last time, or all.

        Args:
            name: The children's table.
            state: What was left when its rows landed; it says how far the parent had been read then.
        """
        table = self._definition.tables[name]
        parent = table.parent
        if parent is None:
            return None
        since = state.get("parents") if state and table.parents == "changed" else None
        read = self._parents.get(parent)
        if read is not None and (read.are_all or (since and since == _place(self._request.state(parent)))):
            return read
        wanted = f"{parent} {json.dumps(since, sort_keys=True)}"
        if wanted not in self._listed:
            self._listed[wanted] = self._list(parent, since)
        return self._listed[wanted]

    def _list(self, name: str, since: dict[str, Any] | None) -> _Parents:
        """The rows of a parent that changed since then, or all, asked for only because of its children."""
        window, parents = self._window(name, since), self._parents_of(name, since)
        kept = self._file(f"{name}.{len(self._listed)}", name)
        for row in self._rows(name, self._api.call(name), parents, window):
            kept.add(row)
        return _Parents(kept, are_all=_are_all(parents, window))

    def _keep_for_children(self, name: str, *, are_all: bool) -> ParentRows | None:
        if not any(self._definition.tables[child].parent == name for child in self._tables):
            return None
        kept = self._file(name, name)
        self._parents[name] = _Parents(kept, are_all)
        return kept

    def _file(self, file_name: str, name: str) -> ParentRows:
        fields: dict[str, None] = {}
        for child in self._definition.tables.values():
            if child.parent == name:
                fields.update(dict.fromkeys(child.endpoint.parent_fields[name]))
                fields.update(dict.fromkeys(inherited_fields(name, child, self._key(name))))
        path = self._request.scratch / f"{file_name}.jsonl"
        return self._open.enter_context(ParentRows(path, list(fields)))

    def _window(self, name: str, state: dict[str, Any] | None) -> _Window:
        table = self._definition.tables[name]
        bounds = table.endpoint.incremental
        if bounds is None:
            return None
        kind = Families if table.parent is not None else cursors.RowWindow
        return kind(state, bounds, str(bounds.cursor_path or table.cursor), self._lag(name, bounds))

    def _state(self, name: str, portion: Portion, window: _Window, parents: _Parents | None) -> dict[str, Any] | None:
        if not isinstance(window, Families):
            return window.state(portion.read()) if window is not None else None
        state = window.state(all_listed=parents is None or parents.are_all)
        if window.forgotten:
            self._request.progress.say(
                f"{name}: {window.forgotten:,} of its parents are more than can be remembered,"
                " and will be asked for everything again"
            )
        return state

    def _key(self, name: str) -> Sequence[str]:
        config = self._tables.get(name)
        return (config.key if config else self._definition.tables[name].key) or ()

    def _initial(self, name: str) -> str | None:
        config, bounds = self._tables.get(name), self._definition.tables[name].endpoint.incremental
        value = (config and config.initial_value) or (bounds and bounds.initial_value)
        filled = fill(value, self._parameter) if value is not None else None
        return filled if isinstance(filled, str) else None

    def _lag(self, name: str, bounds: Incremental) -> Any:
        config = self._tables.get(name)
        return config.lag if config and config.lag is not None else bounds.lag_value

    def _depth(self, name: str) -> int:
        parent = self._definition.tables[name].parent
        return 0 if parent is None else 1 + self._depth(parent)


class _Writer:
    """Rows on their way into a portion, in batches."""

    def __init__(self, portion: Portion, window: _Window) -> None:
        self._portion, self._window = portion, window
        self._rows: list[dict[str, Any]] = []
        self.pages = 0
        self.bytes = 0

    def add(self, row: dict[str, Any]) -> None:
        if isinstance(self._window, Families) and not self._window.is_fresh(row):
            return
        self._rows.append(row)
        if len(self._rows) >= _BATCH_ROWS or self.bytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            batch = text_batch(self._rows)
            self._portion.write(self._window.fresh(batch) if isinstance(self._window, cursors.RowWindow) else batch)
        self._rows, self.bytes = [], 0

    def set_aside(self, name: str, number: int, item: Any) -> None:
        self._portion.set_aside(
            {
                "stream": name,
                "record": f"{number} of page {self.pages}",
                "text": json_text(item) or "null",
                "reason": "it is JSON, but no object",
            }
        )


def _are_all(parents: _Parents | None, window: _Window) -> bool:
    return (parents is None or parents.are_all) and (window is None or window.are_new)


def _place(state: dict[str, Any] | None) -> dict[str, Any] | None:
    """How far a table was read, without the digests of its last rows."""
    if not state:
        return None
    place = {name: value for name, value in state.items() if name != "seen"}
    if "families" in place:
        place["families"] = {name: [high, ""] for name, (high, _) in place["families"].items()}
    return place
