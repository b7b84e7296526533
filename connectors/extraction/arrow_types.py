"""Which Arrow type a typed column lands with: few types, all of which dlt and PostgreSQL's COPY take."""

import base64
import json
import math
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def landing_type(found: Any) -> "pa.DataType":
    """The type that a column of type `found` lands with.

    Integers are 64 bits wide, floats double, timestamps in microseconds of UTC (a
    moment without a zone is taken for UTC), so that a file written with narrower types
    is no change of type. Durations become seconds; lists, structs and maps JSON text; a column without any value
    keeps the type null, which fits every other.
    """
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(found) or types.is_run_end_encoded(found):
        return landing_type(found.value_type)
    if isinstance(found, pa.BaseExtensionType):
        return pa.string() if found.extension_name == "arrow.uuid" else landing_type(found.storage_type)
    if types.is_timestamp(found):
        return pa.timestamp("us", "UTC")
    tests: list[tuple[Callable[[Any], bool], pa.DataType]] = [
        (types.is_null, pa.null()),
        (types.is_boolean, pa.bool_()),
        (types.is_uint64, pa.decimal128(20, 0)),
        (types.is_integer, pa.int64()),
        (types.is_floating, pa.float64()),
        (types.is_duration, pa.float64()),
        (types.is_date, pa.date32()),
        (types.is_time, pa.time64("us")),
    ]
    for test, target in tests:
        if test(found):
            return target
    if types.is_decimal(found):
        kind = pa.decimal128 if found.precision <= 38 else pa.decimal256  # noqa: PLR2004 - what 128 bits hold.
        return kind(found.precision, found.scale)
    is_bytes = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    return pa.binary() if any(test(found) for test in is_bytes) else pa.string()


def to_landing(values: Any) -> Any:
    """The values of an Arrow array as they land."""
    import pyarrow as pa
    from pyarrow import compute, types

    found = values.type
    target = landing_type(found)
    if found.equals(target):
        return values
    if types.is_dictionary(found) or types.is_run_end_encoded(found) or isinstance(found, pa.BaseExtensionType):
        return to_landing(_decoded(values))
    if types.is_duration(found):
        micros = values.cast(pa.duration("us"), safe=False).cast(pa.int64())
        return compute.divide(micros.cast(pa.float64()), 1_000_000.0)
    if types.is_interval(found):
        return pa.array([_interval(item) for item in values.to_pylist()], pa.string())
    if types.is_nested(found):
        return pa.array([_json(item) for item in values.to_pylist()], pa.string())
    # Nanoseconds are cut to PostgreSQL's microseconds.
    return values.cast(target, safe=not types.is_temporal(found))


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _interval(value: Any) -> str | None:
    """Months, days and nanoseconds as ISO 8601 writes a duration, each with its own sign."""
    return None if value is None else f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:.9g}S"


def _decoded(values: Any) -> Any:
    """The values themselves, out of a dictionary, runs, or an extension type."""
    import pyarrow as pa
    from pyarrow import compute, types

    if types.is_dictionary(values.type):
        return values.dictionary_decode()
    if types.is_run_end_encoded(values.type):
        return compute.call_function("run_end_decode", [values])
    if values.type.extension_name != "arrow.uuid":
        return values.storage
    texts = [None if item is None else str(uuid.UUID(bytes=item)) for item in values.storage.to_pylist()]
    return pa.array(texts, pa.string())


def _plain(value: Any) -> Any:
    """`value` with nothing in it but what JSON has."""
    match value:
        case dict():
            value = {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            value = [_plain(item) for item in value]
        case bytes():
            value = base64.b64encode(value).decode()
        case datetime() | date() | time():
            value = value.isoformat()
        case timedelta():
            value = value.total_seconds()
        case Decimal() | uuid.UUID():
            value = str(value)
        case float() if not math.isfinite(value):
            value = str(value)
    return value
