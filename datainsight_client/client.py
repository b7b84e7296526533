"""The client: one connection pool, one key, a method for each thing the API does."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from datainsight_client.answer import Answer
from datainsight_client.errors import DataInsightClientError, error_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ARROW = "application/vnd.apache.arrow.stream"
_AGAIN = (429, 503)
_MOST_WAIT_SECONDS = 60.0


class DataInsight:
    """Asks one platform, as whoever the key belongs to.

    Args:
        url: Where it is, `https://metrics.example.com`.
        key: A key or an access token.
        organization: Whose rows an operator asks for; None: everybody's, or for any other key its own.
        timeout_seconds: How long one answer may take.
        attempts: How often a question is asked that the server has no time for now.
    """

    def __init__(
        self, url: str, key: str, *, organization: str | None = None, timeout_seconds: float = 60, attempts: int = 3
    ) -> None:
        self._attempts = attempts
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            params={} if organization is None else {"organization": organization},
            timeout=timeout_seconds,
        )

    def metrics(self) -> list[dict[str, Any]]:
        """Every metric: name, description, type, owner, unit, dimensions, grains.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        found: list[dict[str, Any]] = self._send("GET", "/metrics").json()["metrics"]
        return found

    def query(self, *metrics: str, **question: Any) -> Answer:
        """The answer as Python values.

        Args:
            metrics: One metric or more.
            question: Any part of the question, `group_by=["metric_time"], grain="month"`; `start` and `end` for its
                time range, `filters` also as `{"country": ["US", "DE"]}`.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        return Answer.from_json(self._send("POST", "/metrics/query", json=_question(metrics, question)).json())

    def query_arrow(self, *metrics: str, **question: Any) -> "pa.Table":
        """The answer as an Arrow table; the trust envelope is the metadata `trust` of its schema.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        import pyarrow as pa

        body = _question(metrics, question)
        answer = self._send("POST", "/metrics/query", json=body, headers={"Accept": _ARROW})
        return pa.ipc.open_stream(answer.content).read_all()

    def query_pandas(self, *metrics: str, **question: Any) -> "pd.DataFrame":
        """The answer as a frame; the trust envelope is `frame.attrs["trust"]`.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        table = self.query_arrow(*metrics, **question)
        frame: pd.DataFrame = table.to_pandas()
        frame.attrs["trust"] = json.loads(table.schema.metadata[b"trust"])
        return frame

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        for attempt in range(1, self._attempts + 1):
            try:
                response = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                raise DataInsightClientError(f"{self._http.base_url} cannot be reached: {error}") from error
            if response.status_code not in _AGAIN or attempt == self._attempts:
                break
            time.sleep(min(float(response.headers.get("Retry-After", 1)), _MOST_WAIT_SECONDS))
        if response.is_error:
            raise error_of(response)
        return response


def _question(metrics: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    question = {"metrics": list(metrics), **given}
    start, end = question.pop("start", None), question.pop("end", None)
    if start is not None or end is not None:
        question["time_range"] = {"start": _day(start), "end": _day(end)}
    filters = question.get("filters")
    if isinstance(filters, Mapping):
        question["filters"] = [_filter(dimension, values) for dimension, values in filters.items()]
    return question


def _filter(dimension: str, values: Any) -> dict[str, Any]:
    """One value or several that a dimension may have; None: it has none."""
    if values is None:
        return {"dimension": dimension, "op": "is_null"}
    many = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    return {"dimension": dimension, "op": "in", "values": [_day(value) for value in many]}


def _day(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
