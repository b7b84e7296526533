"""What a resource yields as Arrow batches: rows as text, unless the resource says types; tables as they are."""

import base64
import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.extraction.records import text_batch
from connectors.extraction.request import RefusedError
from connectors.singer.columns import Column, fitting
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 10_000
_MOST_UNFIT = 100_000
_TEXT_CHARACTERS = 1_000
# dlt's names of types, and what each is read as.
_KINDS = {
    "bigint": "integer",
    "wei": "whole",
    "double": "number",
    "decimal": "decimal",
    "bool": "boolean",
    "timestamp": "date-time",
    "date": "date",
    "time": "time",
    "text": "text",
    "json": "text",
}


class Rows:
    """Gathers what one resource yields.

    Args:
        resource: Its name.
        columns: The hints of its columns, as dlt has them.
    """

    def __init__(self, resource: str, columns: Mapping[str, Any]) -> None:
        self._resource = resource
        self._typed = {
            name: Column(name, str(hint["data_type"]), _KINDS.get(hint["data_type"], "text"), hint.get("scale"))
            for name, hint in columns.items()
            if hint.get("data_type")
        }
        self._waiting: list[Mapping[str, Any]] = []
        self._number = 0
        self.unfit: list[dict[str, Any]] = []

    def batches(self, item: Any) -> "Iterator[pa.RecordBatch]":
        """What is complete once `item` has come: a row, a list of them, or a table of Arrow or pandas.

        Raises:
            DataInsightError: It is none of that.
        """
        import pyarrow as pa

        match item:
            case Mapping():
                self._waiting.append(item)
            case list() | tuple():
                for one in item:
                    yield from self.batches(one)
            case pa.RecordBatch():
                yield from self.rest()
                yield item
            case pa.Table():
                yield from self.rest()
                yield from item.to_batches(max_chunksize=65_536)
            case _ if hasattr(item, "__arrow_c_stream__"):
                yield from self.batches(pa.table(item))
            case _ if type(item).__name__ == "DataFrame":
                yield from self.batches(pa.Table.from_pandas(item, preserve_index=False))
            case _:
                raise DataInsightError(
                    f"the resource {self._resource} yields a {type(item).__name__}, which is no row and no table",
                    hint="yield a dict, a list of them, an Arrow table or batch, or a pandas DataFrame",
                )
        if len(self._waiting) >= _BATCH_ROWS:
            yield from self.rest()

    def rest(self) -> "Iterator[pa.RecordBatch]":
        """The rows that wait for a full batch."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        if not self._typed:
            yield text_batch([{key: _plain(value) for key, value in row.items()} for row in rows])
        else:
            names = dict.fromkeys([*self._typed, *(key for row in rows for key in row)])
            columns = [self._typed.get(name) or Column(name, "text", "text") for name in names]
            plain = [
                {key: value if key in self._typed else _plain(value) for key, value in row.items()} for row in rows
            ]
            batch, unfit = fitting(columns, plain)
            for place, reason in unfit.items():
                told = {"resource": self._resource, "record": self._number + place + 1}
                self.unfit.append({**told, "text": str(rows[place])[:_TEXT_CHARACTERS], "reason": reason})
            if len(self.unfit) > _MOST_UNFIT:
                raise RefusedError(f"more than {_MOST_UNFIT:,} rows do not fit the types said")
            yield batch
        self._number += len(rows)


def _plain(value: Any) -> Any:
    """A value as JSON may have it, with dates and exact numbers as their own text."""
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | uuid.UUID():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode()
    return value
