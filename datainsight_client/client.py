"""The client: one connection pool, one key, a method for each thing the API does."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack
from urllib.parse import quote

import httpx

from datainsight_client.answer import Answer
from datainsight_client.errors import DataInsightClientError, error_from, error_of
from datainsight_client.question import NamedQuestion, Question, whole

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_EVENTS_AT_ONCE = 1_000
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
        self._whose = {} if organization is None else {"organization": organization}
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout_seconds,
        )

    def metrics(self) -> list[dict[str, Any]]:
        """Every metric: name, description, type, owner, unit, dimensions, grains.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        return list(self._pages("/metrics", "metrics"))

    def query(self, *metrics: str, **question: Unpack[Question]) -> Answer:
        """The answer as Python values.

        Args:
            metrics: One metric or more.
            question: Any part of the question, `group_by=["metric_time"], grain="month"`; `start` and `end` for its
                time range, `filters` also as `{"country": ["US", "DE"]}`.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        body = whole(metrics, question)
        told = self._send("POST", "/metrics/query", json=body).json()
        answer = Answer.from_json(told)
        # The pages after the first stand on the same snapshot.
        while cursor := told.get("next_cursor"):
            told = self._send("POST", "/metrics/query", json=body, params={"cursor": cursor}).json()
            answer.rows.extend(told["rows"])
        return answer

    def batch(self, *questions: NamedQuestion) -> list[Answer]:
        """The answers to up to 50 questions from one snapshot, in their order.

        Args:
            questions: Each as for `query`, `{"metrics": ["mrr"], "group_by": ["metric_time"], "start": "2024-01-01"}`.

        Raises:
            DataInsightClientError: The API refuses one of them, or cannot be reached; or one has more than a page.
        """
        asked = [whole(question["metrics"], question) for question in questions]
        told = self._send("POST", "/metrics/batch", json={"queries": asked}).json()
        answers = []
        for number, one in enumerate(told["answers"]):
            if "problem" in one:
                raise error_from(one["problem"], f"question {number + 1}: ")
            if "next_cursor" in one:
                raise DataInsightClientError(f"question {number + 1} has a long answer: ask it by `query`")
            answers.append(Answer.from_json(one))
        return answers

    def values(self, metric: str, dimension: str, *, search: str | None = None) -> list[Any]:
        """The values of a dimension that a metric can be split by.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        path = f"/metrics/{quote(metric, safe='')}/dimensions/{quote(dimension, safe='')}/values"
        return list(self._pages(path, "values", {} if search is None else {"search": search}))

    def send_events(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Report what users did; every event is stored when this returns, and none twice, by its `event_id`.

        Returns:
            How many were new.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached; sending the same again is safe.
        """
        new = 0
        waiting = [dict(event) for event in events]
        for start in range(0, len(waiting), _EVENTS_AT_ONCE):
            body = {"events": waiting[start : start + _EVENTS_AT_ONCE]}
            new += self._send("POST", "/analytics/events", json=body).json()["accepted"]
        return new

    def query_arrow(self, *metrics: str, **question: Unpack[Question]) -> "pa.Table":
        """The answer as an Arrow table; the trust envelope is the metadata `trust` of its schema.

        Raises:
            DataInsightClientError: The API refuses, or cannot be reached.
        """
        import pyarrow as pa

        body = whole(metrics, question)
        answer = self._send("POST", "/metrics/query", json=body, headers={"Accept": _ARROW})
        return pa.ipc.open_stream(answer.content).read_all()

    def query_pandas(self, *metrics: str, **question: Unpack[Question]) -> "pd.DataFrame":
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

    def _pages(self, path: str, rows: str, given: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """The rows of every page of a list."""
        cursor: dict[str, Any] | None = {}
        while cursor is not None:
            told = self._send("GET", path, params={**(given or {}), **cursor}).json()
            yield from told[rows]
            following = told.get("next_cursor")
            cursor = None if following is None else {"cursor": following}

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None = None, **options: Any) -> httpx.Response:
        for attempt in range(1, self._attempts + 1):
            try:
                response = self._http.request(method, path, params={**self._whose, **(params or {})}, **options)
            except httpx.TransportError as error:
                raise DataInsightClientError(f"{self._http.base_url} cannot be reached: {error}") from error
            if response.status_code not in _AGAIN or attempt == self._attempts:
                break
            time.sleep(min(float(response.headers.get("Retry-After", 1)), _MOST_WAIT_SECONDS))
        if response.is_error:
            raise error_of(response)
        return response
