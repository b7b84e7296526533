"""What the operations port tells Prometheus of this process."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from serving.metrics import Metrics

MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Measured:
    """Counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Histogram(
            "datainsight_request_seconds",
            "Seconds from a request to the end of its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._answers = Counter(
            "datainsight_answers", "Answers to questions of metrics.", ("cache",), registry=self._registry
        )
        self._cache_bytes = Gauge("datainsight_cache_bytes", "Bytes of answers that are kept.", registry=self._registry)
        self._unlogged = Gauge(
            "datainsight_questions_unlogged",
            "Calls that are missing from ops.metric_queries, since the warehouse was away or too slow.",
            registry=self._registry,
        )
        self._snapshot = Gauge("datainsight_snapshot_id", "The snapshot that answers.", registry=self._registry)
        self._published = Gauge(
            "datainsight_snapshot_published_timestamp_seconds", "When it was published.", registry=self._registry
        )
        self._reachable = Gauge(
            "datainsight_warehouse_reachable", "1 when the warehouse can be asked, 0 when not.", registry=self._registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; one that met no route goes without its path, which anybody may make up."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def answer(self, cache: str) -> None:
        """Count an answer: `hit` or `miss`."""
        self._answers.labels(cache).inc()

    def exposition(self, metrics: Metrics) -> bytes:
        """Everything, as Prometheus reads it."""
        self._cache_bytes.set(metrics.cache_bytes)
        self._unlogged.set(metrics.log.lost)
        standing = metrics.standing_if_any()
        if standing is not None:
            self._snapshot.set(standing.snapshot.snapshot_id)
            self._published.set(standing.snapshot.published_at.timestamp())
            self._reachable.set(standing.unreachable_since is None)
        return generate_latest(self._registry)
