"""Digests that tell whether a row has landed before, and how an incremental table's state keeps them.

They are counted: a table without a key may hold the same row twice, and only as many as have landed are known.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.names import column_name

if TYPE_CHECKING:
    import pyarrow as pa

_BYTES = 8
_COUNT_BYTES = 4
_MOST = (1 << 8 * _COUNT_BYTES) - 1


def digest_of(text: str) -> bytes:
    """The digest of a row that is written out as `text`."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


def record_digest(payload: Mapping[str, Any]) -> bytes:
    """The digest of a record that cannot be a row."""
    return digest_of(f"set aside {json.dumps(payload, sort_keys=True, default=str)}")


def row_digests(batch: "pa.RecordBatch") -> Iterator[bytes]:
    """A digest of each row: of its columns by their names in raw, those that are null left out.

    Neither the batch's other rows nor the types that Arrow finds for it change a row's digest: 5.00 is 5.
    """
    from pyarrow import types

    from connectors.extraction.shaping import Shape

    shaped = Shape.of(batch.schema).apply(batch).batch
    names = [column_name(name, place) for place, name in enumerate(batch.schema.names, start=1)]
    columns = sorted(zip(names, shaped.columns, strict=True), key=lambda column: column[0])
    rows: list[list[tuple[str, Any]]] = []
    for name, column in columns:
        values = column.to_pylist()
        if types.is_decimal(column.type):
            values = [_shortest(value) for value in values]
        rows.append([(name, value) for value in values])
    for row in zip(*rows, strict=True) if rows else ():
        yield digest_of(repr([(name, value) for name, value in row if value is not None]))


def packed(digests: Mapping[bytes, int]) -> str:
    """Counted digests as text: those met once, and behind a full stop those met more often, each with its count."""
    once = b"".join(sorted(digest for digest, count in digests.items() if count == 1))
    often = b"".join(
        digest + min(count, _MOST).to_bytes(_COUNT_BYTES) for digest, count in sorted(digests.items()) if count > 1
    )
    text = base64.b64encode(once).decode()
    return f"{text}.{base64.b64encode(often).decode()}" if often else text


def unpacked(text: str) -> Counter[bytes]:
    """What `packed` has written."""
    once, _, often = text.partition(".")
    found = Counter(_pieces(base64.b64decode(once), _BYTES))
    for piece in _pieces(base64.b64decode(often), _BYTES + _COUNT_BYTES):
        found[piece[:_BYTES]] = int.from_bytes(piece[_BYTES:])
    return found


def _pieces(data: bytes, size: int) -> Iterable[bytes]:
    return (data[place : place + size] for place in range(0, len(data), size))


def _shortest(value: Decimal | None) -> Decimal | None:
    """The number without the zeros at its end, which its column's scale adds."""
    text = "" if value is None else f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else value
