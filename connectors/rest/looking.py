"""Looks at an API without landing anything: do its tables answer, and what columns have they."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.extraction.request import DiscoveredTable, TableCheck
from connectors.names import column_name
from connectors.rest import cursors
from connectors.rest.api import Api
from connectors.rest.definition import Definition
from connectors.rest.endpoint_settings import Incremental
from connectors.rest.kind import RestTableConfig
from connectors.rest.placeholders import Lookup, fill
from connectors.rest.rows import inherited_fields, shaped, value_of
from warehouse.errors import DataInsightError


class Look:
    """Asks for the first page of each table, once.

    Args:
        api: What to ask.
        definition: What it is like.
        tables: The tables that are configured.
        parameter: Gives a parameter's value.
    """

    def __init__(
        self, api: Api, definition: Definition, tables: Mapping[str, RestTableConfig], parameter: Lookup
    ) -> None:
        self._api, self._definition, self._tables, self._parameter = api, definition, tables, parameter
        self._samples: dict[str, list[dict[str, Any]]] = {}

    def check(self) -> list[TableCheck]:
        """Whether each table answers.

        Raises:
            DataInsightError: The definition's cheap request fails.
        """
        if self._definition.check is not None:
            self._api.ask(self._definition.check)
        found: list[TableCheck] = []
        for name in self._tables:
            told = None
            try:
                self._rows(name)
            except DataInsightError as error:
                told = _told(error)
            found.append({"table_name": name, "ok": told is None, "problem": told})
        return found

    def discover(self) -> list[DiscoveredTable]:
        """The definition's tables; no columns for one that has no rows on its first page, or does not answer.

        Raises:
            DataInsightError: The definition's cheap request fails.
        """
        if self._definition.check is not None:
            self._api.ask(self._definition.check)
        found: list[DiscoveredTable] = []
        for name, table in self._definition.tables.items():
            try:
                rows = self._rows(name)
            except DataInsightError:
                # `check` says what is wrong with it; the others are to be found all the same.
                rows = []
            columns = list(dict.fromkeys(column_name(key) for row in rows for key in row))
            bounds = table.endpoint.incremental
            cursor = (bounds.cursor_path if bounds else None) or table.cursor
            config = self._tables.get(name)
            key = (config.key if config else None) or table.key or ()
            found.append(
                {
                    "table_name": name,
                    "key": [column_name(column) for column in key],
                    "cursor": column_name(cursor) if cursor else None,
                    "columns": columns,
                    "types": dict.fromkeys(columns, "json"),
                    "configured": config is not None,
                    "settings": {},
                }
            )
        return found

    def _rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of the first page: of the first parent, of the latest range."""
        if name in self._samples:
            return self._samples[name]
        table = self._definition.tables[name]
        values: dict[str, Any] = {}
        inherited: dict[str, Any] = {}
        if table.parent is not None:
            parents = self._rows(table.parent)
            if not parents:
                return []
            for field in table.endpoint.parent_fields[table.parent]:
                values[f"resources.{table.parent}.{field}"] = value_of(parents[0], field)
            for field in inherited_fields(table.parent, table, self._definition.tables[table.parent].key or ()):
                inherited[f"_{table.parent}_{field}"] = value_of(parents[0], field)
        bounds = table.endpoint.incremental
        params: dict[str, Any] = {}
        if bounds is not None:
            low, high = self._range(bounds)
            values.update({"incremental.start_value": low, "incremental.end_value": high})
            params.update(cursors.bound_params(bounds, low, high))
        page = next(self._api.pages(name, self._api.call(name), values, params), None)
        rows = [row for row in shaped(page, table, inherited) if row is not None] if page else []
        self._samples[name] = rows
        return rows

    def _range(self, bounds: Incremental) -> tuple[Any, Any]:
        filled = fill(bounds.initial_value, self._parameter) if bounds.initial_value is not None else None
        start = cursors.beginning(bounds, None, filled if isinstance(filled, str) else None)
        if bounds.slice and isinstance(start, datetime):
            start = max(start, datetime.now(UTC) - bounds.slice)
        return next(cursors.ranges(bounds, start))


def _told(error: DataInsightError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
