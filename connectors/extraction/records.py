"""Records of JSON APIs as Arrow: each key a column of text, exactly as the JSON has it (docs/decisions/0001)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import pyarrow as pa


def text_batch(records: Sequence[Mapping[str, Any]]) -> "pa.RecordBatch":
    """The records as one batch of text columns, in the order in which keys first appear.

    Text stays as it is, other scalars are their literal JSON text, objects and lists are JSON text; null and a missing
    key are NULL. An `orjson.Fragment` stands for JSON text that is to be kept to the letter, such as a long number.
    """
    import pyarrow as pa

    keys = dict.fromkeys(key for record in records for key in record)
    columns = [pa.array([json_text(record.get(key)) for record in records], pa.string()) for key in keys]
    return pa.RecordBatch.from_arrays(columns, names=list(keys))


def json_text(value: Any) -> str | None:
    """A JSON value as the text it lands as; None for null."""
    if value is None or type(value) is str:
        return value
    return orjson.dumps(value, default=str).decode()
