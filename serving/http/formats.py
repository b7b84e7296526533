"""An answer as JSON, lines of JSON, CSV or an Arrow stream, by what the client accepts."""

from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any

import orjson
from starlette.responses import Response

from serving.answer import Answer
from serving.http.problems import ProblemError

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"

# Where the answer's own form has no place for what it stands on.
TRUST = "X-DataInsight-Trust"


def accepted(accept: str) -> str:
    """The form of answer that a client likes best, by its `Accept`.

    Raises:
        ProblemError: It takes none that there is.
    """
    wanted: list[tuple[float, str]] = []
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            wanted.append((float(quality), media_type.lower()))
        except ValueError:
            wanted.append((0.0, media_type.lower()))
    for weight, media_type in sorted(wanted, key=lambda one: -one[0]):
        if weight <= 0:
            break
        for offered in _WRITERS:
            family = offered.partition("/")[0]
            if media_type in (offered, f"{family}/*", "*/*"):
                return offered
    raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, f"{accept} is not to be had", f"there are {', '.join(_WRITERS)}")


def rendered(answer: Answer, media_type: str, headers: dict[str, str]) -> Response:
    """The answer in one of the forms."""
    if media_type != JSON:
        headers = {**headers, TRUST: orjson.dumps(answer.trust.to_dict()).decode()}
    return Response(_WRITERS[media_type](answer), headers=headers, media_type=media_type)


def _json(answer: Answer) -> bytes:
    return answer.to_json()


def _ndjson(answer: Answer) -> bytes:
    told = answer.to_dict()
    names = [column["name"] for column in told["columns"]]
    return b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in told["rows"])


def _csv(answer: Answer) -> bytes:
    from pyarrow import csv

    written = BytesIO()
    csv.write_csv(answer.table, written)
    return written.getvalue()


def _arrow(answer: Answer) -> bytes:
    import pyarrow as pa

    metadata: dict[bytes, bytes] = {b"trust": orjson.dumps(answer.trust.to_dict())}
    table = answer.table.replace_schema_metadata(metadata)
    written = BytesIO()
    with pa.ipc.new_stream(written, table.schema) as stream:
        stream.write_table(table)
    return written.getvalue()


_WRITERS: dict[str, Callable[[Answer], Any]] = {JSON: _json, CSV: _csv, ARROW: _arrow, NDJSON: _ndjson}
