"""Cursors of APIs: how rows write them, how requests want them, and the ranges that are asked for."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connectors.extraction.cursor_values import at_least
from connectors.extraction.window import Window
from connectors.names import column_name
from connectors.rest.endpoint_settings import Incremental, initial_moment
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMN = "_window_cursor"  # Of the rows while they are compared; states of older versions name it too.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parsed(text: str, written: str) -> Any:
    """A cursor as a value that can be compared: a moment, a Decimal or text.

    Raises:
        ValueError: It is not written that way.
    """
    try:
        match written:
            case "text":
                return text
            case "number":
                if not (number := Decimal(text)).is_finite():
                    raise ValueError("it is no number")
                return number
            case "unix" | "unix_ms":
                seconds = Decimal(text) / (1000 if written == "unix_ms" else 1)
                return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
            case "iso8601" | "date":
                moment = datetime.fromisoformat(text)
            case _:
                moment = datetime.strptime(text, written)  # noqa: DTZ007 - a zone is given below.
    except (InvalidOperation, OverflowError) as error:
        raise ValueError(str(error)) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def read(column: str, text: str, form: str) -> Any:
    """The cursor of a row.

    Raises:
        DataInsightError: It is not written that way.
    """
    try:
        return parsed(text, form)
    except ValueError:
        raise DataInsightError(
            f"the cursor {column} of a row is {text[:60]!r}, which is not written as {form}",
            "cursor_format under incremental says how rows write it",
        ) from None


def no_cursor(column: str, columns: Iterable[str]) -> DataInsightError:
    """What is wrong with rows that have no cursor."""
    return DataInsightError(
        f"the rows have no cursor {column}; their columns are {', '.join(columns)[:300]}",
        "cursor, or incremental.cursor_path, names a column of the rows",
    )


def written(value: Any, form: str) -> Any:
    """A bound as a request wants it; moments are rounded down to what the format can say."""
    if not isinstance(value, datetime):
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
        return text.rstrip("0").rstrip(".") if isinstance(value, Decimal) and "." in text else text
    match form:
        case "iso8601" | "number" | "text":
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "date":
            return value.astimezone(UTC).date().isoformat()
        case "unix":
            return (value - _EPOCH) // timedelta(seconds=1)
        case "unix_ms":
            return (value - _EPOCH) // timedelta(milliseconds=1)
    return value.astimezone(UTC).strftime(form)


def beginning(bounds: Incremental, start: Any, initial: str | None) -> Any:
    """The lower bound of this run: where the last one ended, or where a first one begins; None is no bound."""
    if start is not None or initial is None:
        return start
    if bounds.row_format in {"number", "text"}:
        return Decimal(initial) if bounds.row_format == "number" else initial
    return initial_moment(initial)


def is_fixed(initial: str | None) -> bool:
    """Whether a first run begins at the same place whenever it runs, so that it is the whole table."""
    try:
        return initial is None or bool(datetime.fromisoformat(initial))
    except ValueError:
        return False


def ranges(bounds: Incremental, start: Any) -> Iterator[tuple[Any, Any]]:
    """The lower and upper bounds to ask for, as requests want them; the end of one is the beginning of the next."""
    form, now = bounds.format or "iso8601", datetime.now(UTC)
    if not isinstance(start, datetime):
        yield None if start is None else written(start, form), written(now, form)
        return
    end = start if bounds.slice else now
    while True:
        end = min(start + bounds.slice, now) if bounds.slice else now
        yield written(start, form), written(end, form)
        if end >= now:
            return
        start = end


def spans(bounds: Incremental | None, start: Any, initial: str | None) -> Iterator[tuple[Any, Any]]:
    """`ranges` from `start` or where a first run begins; once without bounds for a table that has none."""
    if bounds is None:
        return iter([(None, None)])
    return ranges(bounds, beginning(bounds, start, initial))


def bound_params(bounds: Incremental | None, low: Any, high: Any) -> dict[str, Any]:
    """The bounds as query parameters; none for one that is written elsewhere or is not known."""
    if bounds is None:
        return {}
    named = {bounds.start_param: low, bounds.end_param: high}
    return {name: value for name, value in named.items() if name is not None and value is not None}


class RowWindow:
    """`Window` over rows of text: their cursor is read as what it means.

    Args:
        state: What the last run left.
        bounds: The definition's.
        cursor: The column.
        lag: How late rows may come.
    """

    def __init__(self, state: dict[str, Any] | None, bounds: Incremental, cursor: str, lag: Any) -> None:
        self._cursor, self._format = column_name(cursor), bounds.row_format
        self._window = Window(self._known(state), _COLUMN, lag)
        self.start = self._window.start

    @property
    def are_new(self) -> bool:
        """Whether everything is asked for."""
        return self.start is None

    def fresh(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        """The rows from `start` on that have not landed before.

        Raises:
            DataInsightError: There is no such column, or a row's cursor cannot be read.
        """
        typed = self._typed(batch)
        if self.start is not None:
            typed = typed.filter(at_least(typed.column(_COLUMN), self.start))
        fresh = self._window.fresh(typed)
        return fresh.select([name for name in fresh.schema.names if name != _COLUMN])

    def state(self, batches: Iterable["pa.RecordBatch"]) -> dict[str, Any] | None:
        """What to hand to the next run, from the rows that landed now."""
        found = self._window.state(_Typed(batches, self))
        return found and {**found, "column": self._column}

    @property
    def _column(self) -> str:
        """What a state calls the cursor: one that another cursor has left tells nothing."""
        return f"_window_{self._cursor}"

    def _known(self, state: dict[str, Any] | None) -> dict[str, Any] | None:
        """The state as `Window` has written it; None when it is of another cursor, or of one written otherwise."""
        kind = {"text": "str", "number": "Decimal"}.get(self._format, "datetime")
        if not state or state.get("column") not in {self._column, _COLUMN} or (state.get("cursor") or [""])[0] != kind:
            return None
        return {**state, "column": _COLUMN}

    def _typed(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        import pyarrow as pa

        named = next((name for name in batch.schema.names if column_name(name) == self._cursor), None)
        if named is None:
            raise no_cursor(self._cursor, batch.schema.names)
        values = [
            None if value is None else read(self._cursor, value, self._format)
            for value in batch.column(named).to_pylist()
        ]
        kinds = {"text": pa.string(), "number": None}  # As many digits as the numbers have.
        array = pa.array(values, kinds.get(self._format, pa.timestamp("us", "UTC")))
        return batch.append_column(_COLUMN, array)


class _Typed:
    """Batches with their cursor read, as often as they are gone through."""

    def __init__(self, batches: Iterable["pa.RecordBatch"], window: RowWindow) -> None:
        self._batches, self._window = batches, window

    def __iter__(self) -> Iterator["pa.RecordBatch"]:
        for batch in self._batches:
            yield self._window._typed(batch)  # noqa: SLF001 - its other half.
