"""Answers in a Redis that replicas share.

It is a convenience: without it, or while it is away, everything is answered all the same.
"""

import logging
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import orjson

from serving.kept_answers import AnswerKey, KeptAnswer, stream_of
from warehouse.errors import DataInsightError

_REDIS_SECONDS = 0.25
_REDIS_PAUSE_SECONDS = 5.0
_SHARED_SECONDS = 3_600

# Another version may compute something else, or write it down otherwise.
_PREFIX = f"datainsight:answer:{version('datainsight')}:"

_log = logging.getLogger(__name__)


class SharedAnswers:
    """Answers in Redis, as Arrow streams.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.
        most_bytes: The largest answer that is put there.

    Attributes:
        unreachable_since: Since when Redis cannot be used; None: it could when it was last asked.
    """

    def __init__(self, url: str, most_bytes: int) -> None:
        import redis

        self._most_bytes = most_bytes
        self._errors = redis.RedisError
        self._client: Any = redis.Redis.from_url(
            url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS, retry=None
        )
        self._away_until = 0.0
        self.unreachable_since: datetime | None = None

    def get(self, key: AnswerKey) -> KeptAnswer | None:
        """The answer, if there is one and Redis can be reached."""
        found = self._try(lambda: self._client.get(self._name(key)))
        if found is None:
            return None
        try:
            return _unpacked(found)
        except (ValueError, KeyError, TypeError, OSError) as error:
            # Somebody else's, or half of one: it is computed again, and replaces that.
            _log.warning("an answer in Redis cannot be read: %s", error)
            return None

    def put(self, key: AnswerKey, answer: KeptAnswer) -> None:
        """Put an answer there, unless it is too large or Redis cannot be reached."""
        if answer.bytes <= self._most_bytes:
            packed = _packed(answer)
            self._try(lambda: self._client.set(self._name(key), packed, ex=_SHARED_SECONDS))

    def clear(self) -> None:
        """Remove every answer of every installation that shares this Redis; they are computed again when asked for.

        Raises:
            DataInsightError: Redis cannot be reached, and they are still there, for an hour at most.
        """
        try:
            for name in self._client.scan_iter(match=f"{_PREFIX}*", count=1_000):
                self._client.unlink(name)
        except self._errors as error:
            raise DataInsightError(
                f"the answers in Redis cannot be removed: {error}",
                hint="is DATAINSIGHT_REDIS_URL right, and does the server run? Call the command again then",
            ) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _name(self, key: AnswerKey) -> str:
        return f"{_PREFIX}{key.digest}"

    def _try(self, command: Any) -> Any:
        if time.monotonic() < self._away_until:
            return None
        try:
            found = command()
        except self._errors as error:
            # A server that is away would cost each question its timeout.
            _log.warning("Redis cannot be used for now: %s", error)
            self._away_until = time.monotonic() + _REDIS_PAUSE_SECONDS
            self.unreachable_since = self.unreachable_since or datetime.now(UTC)
            return None
        self.unreachable_since = None
        return found


def _packed(answer: KeptAnswer) -> bytes:
    metadata = {b"marts": orjson.dumps(sorted(answer.marts)), b"rows": str(answer.table.num_rows).encode()}
    if answer.totals is not None:
        metadata[b"totals"] = stream_of(answer.totals)
    return stream_of(answer.table.replace_schema_metadata(metadata))


def _unpacked(packed: bytes) -> KeptAnswer:
    import pyarrow as pa

    table = pa.ipc.open_stream(packed).read_all()
    metadata = table.schema.metadata
    if table.num_rows != int(metadata[b"rows"]):
        # A stream may end between two of its parts.
        raise ValueError(f"{table.num_rows} rows of {int(metadata[b'rows'])}")
    totals = pa.ipc.open_stream(metadata[b"totals"]).read_all() if b"totals" in metadata else None
    return KeptAnswer(table.replace_schema_metadata(None), frozenset(orjson.loads(metadata[b"marts"])), totals)
