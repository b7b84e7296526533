"""The door to the metrics: what there is, and the answer to a question, for the operator or for one organization."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from serving.answer import Answer, Timing
from serving.catalog import Catalog
from serving.compiler import Compiler, Place, Statement
from serving.engine import Engine
from serving.names import METRIC_TIME
from serving.query import Filter, MetricQuery, TimeRange, parse_query
from serving.query_log import QueryLog, Question
from serving.snapshots import Snapshot, latest_snapshot
from serving.store_files import load_definitions
from serving.trust import Trust, TrustReader
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError
from warehouse.policy import Policy, load_policy
from warehouse.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Answer", "Filter", "MetricQuery", "Metrics", "TimeRange", "parse_query"]

_KEPT_ANSWERS = 256
_KEPT_ROWS = 10_000


class Metrics:
    """Metrics over whatever snapshot is served at the moment of the question.

    Args:
        settings: Where the metric store is.
        warehouse: Where the snapshots and the ledger are.
        policy: Whose the rows of each mart are; None: the platform's own.
    """

    def __init__(self, settings: Settings, warehouse: Warehouse, policy: Policy | None = None) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._policy = policy or load_policy()
        self._engine = Engine(settings)
        self._log = QueryLog(warehouse)
        self._trust_reader = TrustReader()
        self._lock = threading.Lock()
        self._compilers: dict[str, tuple[Catalog, Compiler]] = {}
        self._answers: OrderedDict[Hashable, tuple[pa.Table, Statement]] = OrderedDict()

    def list(self) -> list[dict[str, Any]]:
        """Every metric: its name, label, description, type, owner, unit, dimensions and grains.

        Raises:
            DataInsightError: Nothing was published yet.
        """
        catalog, _ = self._defined(self._served())
        found = []
        for metric in sorted(catalog.metrics.values(), key=lambda metric: metric.name):
            names = catalog.names([metric.name])
            found.append(
                {
                    "name": metric.name,
                    "label": metric.label,
                    "description": metric.description,
                    "type": metric.type,
                    "owner": metric.owner,
                    "unit": metric.unit,
                    "dimensions": [METRIC_TIME, *sorted(names.dimensions)],
                    "grains": names.grains,
                }
            )
        return found

    def query(self, query: MetricQuery, organization: str | None = None) -> Answer:
        """Answer a question from the newest snapshot.

        Args:
            query: The question.
            organization: Whose rows it is answered from; None: everybody's, for the platform's operators only.

        Raises:
            DataInsightError: Nothing was published yet, or the question names something that does not exist.
        """
        with self._log.question(query, organization) as question:
            answer = self._answer(query, organization, question)
            question.answered(answer.table.num_rows, is_cache_hit=answer.timing.cache == "hit")
        return answer

    def _answer(self, query: MetricQuery, organization: str | None, question: Question) -> Answer:
        snapshot = self._served()
        question.stands_on(snapshot)
        key = (snapshot.snapshot_id, organization, query)
        with self._lock:
            known = self._answers.get(key)
        if known is not None:
            table, statement = known
            return Answer(table, self._trust(snapshot, statement), Timing(0.0, 0.0, "hit"))
        # What a process does once, such as loading MetricFlow, is no part of any question's time.
        self._defined(snapshot)[0].names(query.metrics)
        self._engine.open(snapshot)
        started = question.started = time.perf_counter()
        statement = self._compile(snapshot, query, organization)
        compiled = time.perf_counter()
        table = self._engine.open(snapshot).run(statement.sql)
        executed = time.perf_counter()
        if table.num_rows <= _KEPT_ROWS:
            with self._lock:
                self._answers[key] = (table, statement)
                if len(self._answers) > _KEPT_ANSWERS:
                    self._answers.popitem(last=False)
        timing = Timing(_milliseconds(started, compiled), _milliseconds(compiled, executed), "miss")
        return Answer(table, self._trust(snapshot, statement), timing)

    def close(self) -> None:
        """Let go of files and memory, once what is to be logged is."""
        self._log.close()
        self._engine.close()

    def _served(self) -> Snapshot:
        with self._warehouse.engine(API).connect() as connection:
            snapshot = latest_snapshot(connection)
        if snapshot is None:
            raise DataInsightError("nothing was published yet", hint="`datainsight run` publishes the metrics")
        return snapshot

    def _defined(self, snapshot: Snapshot) -> tuple[Catalog, Compiler]:
        """The metrics by the definitions that the snapshot was published with."""
        version = snapshot.definition_version
        with self._lock:
            if version not in self._compilers:
                catalog = Catalog(load_definitions(self._settings.metric_store_url, version))
                self._compilers = {version: (catalog, Compiler(catalog, self._policy))}
            return self._compilers[version]

    def _compile(self, snapshot: Snapshot, query: MetricQuery, organization: str | None) -> Statement:
        catalog, compiler = self._defined(snapshot)
        opened = self._engine.open(snapshot)
        place = Place(
            organization=organization,
            relation=opened.relation,
            time_columns=opened.time_columns,
            schema_of=opened.schema_of,
            type_of=lambda dimension: opened.type_of(catalog.table_of(dimension.model), dimension),
        )
        return compiler.compile(query, place)

    def _trust(self, snapshot: Snapshot, statement: Statement) -> Trust:
        with self._warehouse.engine(API).connect() as connection:
            return self._trust_reader.trust_of(connection, snapshot, statement.marts)


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 2)
