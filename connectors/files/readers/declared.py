"""Declared columns: texts turned into the types that a table's `columns` promise, and the rows that do not keep it.

What is understood is what `ops.parse_*` in the warehouse understand, so that a declared type and a later cast agree.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from connectors.files.kind import ColumnType

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{2})-(\d{2})-(\d{4})", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*|\d{4}-\d{2}-\d{2}", re.ASCII)
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Fitted:
    """A batch with its declared types.

    Attributes:
        batch: The rows that fit.
        misfits: Place in the batch, and reason, of each row that does not, in order.
    """

    batch: "pa.RecordBatch"
    misfits: list[tuple[int, str]]


@dataclass
class Declared:
    """The types that columns were promised to have.

    Attributes:
        types: By column, as in raw.
        missing: Columns that were declared and not found; they land as NULL.
    """

    types: Mapping[str, ColumnType]
    missing: list[str] = field(default_factory=list)

    def fit(self, batch: "pa.RecordBatch", broken: str | None = None) -> Fitted:
        """Turn the declared columns of a batch into their types.

        Args:
            batch: Rows under the names of raw.
            broken: A text that marks a broken byte; a row with it in any column does not fit.
        """
        import pyarrow as pa

        misfits: dict[int, str] = {}
        columns: dict[str, Any] = dict(zip(batch.schema.names, batch.columns, strict=True))
        if broken is not None:
            for values in columns.values():
                misfits |= dict.fromkeys(_places_of(values, broken), "it holds bytes that are not text in its encoding")
        for name, kind in self.types.items():
            if name in columns:
                columns[name] = _typed(name, kind, columns[name], misfits)
            else:
                columns[name] = pa.nulls(batch.num_rows, arrow_type(kind))
        self.missing = [name for name in self.types if name not in batch.schema.names]
        fitted = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        if misfits:
            kept = [place not in misfits for place in range(batch.num_rows)]
            fitted = fitted.filter(pa.array(kept, pa.bool_()))
        return Fitted(fitted, sorted(misfits.items()))


def arrow_type(kind: ColumnType) -> "pa.DataType":
    """The Arrow type in which a declared type lands."""
    import pyarrow as pa

    types = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    return types.get(kind, pa.string())


def type_of(texts: list[str | None]) -> ColumnType:
    """The narrowest type that every one of the texts has; empty ones have any. Text when there is none to go by.

    A number with a leading zero is a code, and therefore text.
    """
    filled = [text for text in texts if text]
    if not filled or any(re.match(r"[+-]?0\d", text) for text in filled):
        return "text"
    if all(text.lower() in {"true", "false"} for text in filled):
        return "boolean"
    if all(text[0] in "{[" and _parses("json", text) for text in filled):
        return "json"
    kinds: tuple[ColumnType, ...] = ("integer", "number", "date", "timestamp")
    return next((kind for kind in kinds if all(_parses(kind, text) for text in filled)), "text")


def _typed(name: str, kind: ColumnType, values: Any, misfits: dict[int, str]) -> Any:
    import pyarrow as pa

    target = arrow_type(kind)
    if values.type.equals(target) and kind != "json":
        return values
    fast = _fast(kind, values, target)
    if fast is not None:
        return fast
    found: list[Any] = []
    for place, value in enumerate(values.to_pylist()):
        text = _text(value)
        try:
            found.append(None if text is None or (kind != "text" and not text.strip()) else _PARSERS[kind](text))
        except (ValueError, OverflowError):
            found.append(None)
            shown = text if text is not None and len(text) <= _SHOWN_CHARACTERS else f"{str(text)[:_SHOWN_CHARACTERS]}…"
            misfits.setdefault(place, f"the column {name} is declared {kind}, and {shown!r} is none")
    return pa.array(found, target)


def _fast(kind: ColumnType, values: Any, target: "pa.DataType") -> Any | None:
    """All values at once, where Arrow takes every one of them for what we would; else None."""
    import pyarrow as pa
    from pyarrow import compute

    if kind == "text" and pa.types.is_string(values.type):
        return values
    if kind not in {"integer", "number", "date", "timestamp"} or not pa.types.is_string(values.type):
        return None
    empty = compute.equal(values, "")
    values = compute.if_else(empty, pa.scalar(None, pa.string()), values)
    patterns = {"integer": r"^[+-]?[0-9]+$", "number": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"}
    if kind in patterns and compute.all(compute.match_substring_regex(values, patterns[kind])).as_py() is False:
        return None
    # Arrow wants either every moment to have a zone or none.
    for step in [target, pa.timestamp("us")] if kind == "timestamp" else [target]:
        try:
            found = values.cast(step).cast(target)
            return None if kind == "number" and compute.any(compute.is_inf(found)).as_py() else found
        except pa.ArrowInvalid:
            continue
    return None


def _places_of(values: Any, text: str) -> list[int]:
    import pyarrow as pa
    from pyarrow import compute

    if not pa.types.is_string(values.type):
        return []
    found = compute.indices_nonzero(compute.fill_null(compute.match_substring(values, text), fill_value=False))
    places: list[int] = found.to_pylist()
    return places


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case date():
            return value.isoformat()
    return str(value)


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise ValueError
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise OverflowError
    return number


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError
    number = float(text)
    if math.isinf(number):
        raise OverflowError
    return number


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def _date(text: str) -> date:
    text = text.strip()
    if day_first := _DAY_FIRST.fullmatch(text):
        return date(int(day_first[3]), int(day_first[2]), int(day_first[1]))
    if not _ISO_DATE.fullmatch(text):
        raise ValueError
    return date.fromisoformat(text)


def _timestamp(text: str) -> datetime:
    text = text.strip()
    if not _MOMENT.fullmatch(text):
        raise ValueError
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _json(text: str) -> str:
    orjson.loads(text)
    return text


_PARSERS: dict[ColumnType, Callable[[str], Any]] = {
    "text": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "json": _json,
}


def _parses(kind: ColumnType, text: str) -> bool:
    try:
        _PARSERS[kind](text)
    except (ValueError, OverflowError):
        return False
    return True
