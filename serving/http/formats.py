"""An answer as JSON, lines of JSON, CSV or an Arrow stream, by what the client accepts."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response, StreamingResponse

from serving.answer import Answer
from serving.http.pages import Page
from serving.http.problems import ProblemError
from serving.json_values import columns_and_rows

if TYPE_CHECKING:
    import pyarrow as pa

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
# As links name them, which cannot say what they accept.
FORMATS = {"json": JSON, "csv": CSV, "ndjson": NDJSON, "arrow": ARROW}

# Where the answer's own form has no place for what it stands on.
TRUST = "X-DataInsight-Trust"
TOTALS = "X-DataInsight-Totals"

# So much is written at once; a client that reads slowly keeps no more of it waiting.
_CHUNK_ROWS = 10_000


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
        for offered in _OFFERED:
            family = offered.partition("/")[0]
            if media_type in (offered, f"{family}/*", "*/*"):
                return offered
    raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, f"{accept} is not to be had", f"there are {', '.join(_OFFERED)}")


def rendered(answer: Answer, media_type: str, headers: dict[str, str], page: Page) -> Response:
    """The answer in one of the forms: as JSON the page that was asked for, else all of it, sent while it is written."""
    if media_type == JSON:
        return Response(page.json(answer), headers=headers, media_type=JSON)
    headers = {**headers, TRUST: orjson.dumps(answer.trust.to_dict()).decode()}
    if totals := answer.kept.totals_by_name:
        headers[TOTALS] = orjson.dumps(totals["totals"]).decode()
    written = _WRITERS[media_type](answer)
    if answer.table.num_rows <= _CHUNK_ROWS:
        return Response(b"".join(written), headers=headers, media_type=media_type)
    return StreamingResponse(written, headers=headers, media_type=media_type)


def _ndjson(answer: Answer) -> Iterator[bytes]:
    for rows in _chunks(answer.table):
        told = columns_and_rows(rows)
        names = [column["name"] for column in told["columns"]]
        yield b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in told["rows"])


def _csv(answer: Answer) -> Iterator[bytes]:
    from pyarrow import csv

    for number, rows in enumerate(_chunks(answer.table)):
        written = BytesIO()
        csv.write_csv(rows, written, csv.WriteOptions(include_header=number == 0))
        yield written.getvalue()


def _arrow(answer: Answer) -> Iterator[bytes]:
    import pyarrow as pa

    metadata = {b"trust": orjson.dumps(answer.trust.to_dict())}
    metadata |= {name.encode(): orjson.dumps(told) for name, told in answer.kept.totals_by_name.items()}
    table = answer.table.replace_schema_metadata(metadata)
    written = BytesIO()
    with pa.ipc.new_stream(written, table.schema) as stream:
        for rows in _chunks(table):
            stream.write_table(rows)
            yield _taken(written)
    yield _taken(written)


def _chunks(table: "pa.Table") -> "Iterator[pa.Table]":
    """The rows in parts of which each is written at once; one without rows for a table that has none."""
    for start in range(0, max(table.num_rows, 1), _CHUNK_ROWS):
        yield table.slice(start, _CHUNK_ROWS)


def _taken(written: BytesIO) -> bytes:
    taken = written.getvalue()
    written.seek(0)
    written.truncate()
    return taken


_WRITERS: dict[str, Callable[[Answer], Iterator[bytes]]] = {CSV: _csv, ARROW: _arrow, NDJSON: _ndjson}
_OFFERED = (JSON, *_WRITERS)
