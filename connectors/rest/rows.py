"""Rows of an answer as they land: objects, with what is lifted out of them and what their parent adds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from connectors.extraction.records import json_text
from connectors.names import column_name
from connectors.rest.api import Page
from connectors.rest.definition import RestTable
from connectors.rest.paths import find, find_one


def shaped(page: Page, table: RestTable, inherited: Mapping[str, Any]) -> Iterator[dict[str, Any] | None]:
    """The rows of a page as objects; None in the place of one that is none."""
    names = [[json_text(name) or "" for name in find(pair.names, page.reply.exact)] for pair in table.endpoint.zip]
    for item in page.rows:
        row: dict[str, Any] | None = None
        if table.endpoint.zip:
            row = _zipped(item, table, names)
        elif isinstance(item, dict):
            row = dict(item)
        if row is None:
            yield None
            continue
        for column, path in table.columns.items():
            row[column] = find_one(path, item)
        yield {**inherited, **row}


def _zipped(item: Any, table: RestTable, names: Sequence[Sequence[str]]) -> dict[str, Any] | None:
    row: dict[str, Any] = {}
    for pair, headers in zip(table.endpoint.zip, names, strict=True):
        values = find(pair.values, item)
        if pair.values == "$":
            values = item if isinstance(item, list) else []
        if len(values) != len(headers):
            return None
        row.update(zip(headers, values, strict=True))
    return row


def inherited_fields(parent: str, table: RestTable, parent_key: Sequence[str]) -> list[str]:
    """What the rows of a child have of their parent: its key and what `include_from_parent` says."""
    return list(dict.fromkeys([*parent_key, *table.include_from_parent])) if parent else []


class ParentRows:
    """The fields of a table's rows that its children need, on disk, so that there may be any number of parents.

    Args:
        path: Where to.
        fields: JSON paths in the rows, or columns of them.
    """

    def __init__(self, path: Path, fields: Sequence[str]) -> None:
        self._path, self._fields = path, fields
        self._file: IO[str] | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """Remember a row; one without a field that is needed has no children."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8")
        values = [json_text(value_of(row, field)) for field in self._fields]
        self._file.write(json.dumps(values) + "\n")

    def read(self) -> Iterator[dict[str, str | None]]:
        """The fields of each row."""
        if self._file is not None:
            self._file.flush()
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                yield dict(zip(self._fields, json.loads(line), strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def value_of(row: Mapping[str, Any], field: str) -> Any:
    """The value at a JSON path or of a column, in either spelling."""
    value = find_one(field, row)
    if value is None:
        name = column_name(field)
        value = next((value for key, value in row.items() if column_name(key) == name), None)
    return value
