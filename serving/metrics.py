"""The door to the metrics: what there is, and the answer to a question, for the operator or for one organization."""

import logging
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from serving.answer import Answer, Timing
from serving.answering import Answering
from serving.engine import Engine
from serving.explanation import Explained, explanation
from serving.flights import AbandonedError, Asker, Flight, Interruption
from serving.kept_answers import AnswerKey, KeptAnswer, KeptAnswers
from serving.names import METRIC_TIME
from serving.query import ComposedQuery, Filter, MetricQuery, TimeRange, parse_query
from serving.query_log import COMMAND, Call, QueryLog
from serving.shared_answers import SharedAnswers
from serving.standing import Standing, Standings
from serving.statements import Statements
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError
from warehouse.policy import Policy, load_policy
from warehouse.settings import Settings

__all__ = ["Answer", "Filter", "MetricQuery", "Metrics", "TimeRange", "parse_query"]

if TYPE_CHECKING:
    import pyarrow as pa

_WARMED_QUESTIONS = 20

_log = logging.getLogger(__name__)


class Metrics:
    """Metrics over whatever snapshot is served at the moment of the question.

    Args:
        settings: Where the metric store is.
        warehouse: Where the snapshots and the ledger are.
        policy: Whose the rows of each mart are; None: the platform's own.

    Attributes:
        log: Where each call of them is written down.
    """

    def __init__(self, settings: Settings, warehouse: Warehouse, policy: Policy | None = None) -> None:
        self._settings = settings
        self._policy = policy or load_policy()
        self._engine = Engine(settings)
        self.log = QueryLog(warehouse)
        self._standings = Standings(warehouse, settings.snapshot_retention_hours)
        self._statements = Statements(settings, self._engine, self._policy)
        most_bytes = settings.cache_bytes
        redis_url = settings.redis_url
        self._shared = None if redis_url is None else SharedAnswers(redis_url.get_secret_value(), most_bytes // 4)
        self._kept = KeptAnswers(most_bytes, self._shared)
        self._answering = Answering(self._statements, self._engine, self._kept, settings.query_rows)

    def watch(self) -> None:
        """Notice new snapshots from now on without a question, and make them warm before they are asked."""
        self._standings.watch(self._warm, self._forget)

    def standing(self) -> Standing:
        """What answers now.

        Raises:
            UnavailableError: Nothing was published yet.
        """
        return self._standings.now()

    def standing_if_any(self) -> Standing | None:
        """The same, or None."""
        return self._standings.now_if_any()

    def standing_at(self, snapshot_id: int) -> Standing | None:
        """What answered when that snapshot was served; None when the store keeps it no more.

        Raises:
            UnavailableError: Nothing was published yet, or the warehouse is away.
        """
        return self._standings.at(snapshot_id)

    @property
    def policy_version(self) -> str:
        """By which rules rows are shown."""
        return self._policy.version

    def version_of(self, standing: Standing) -> str:
        """A name for the rows that are served now and for everything that is said of them."""
        return standing.version if self._kept.unreachable_since is None else f"{standing.version}, without a cache"

    @property
    def cache_bytes(self) -> int:
        """What the answers take that are kept."""
        return self._kept.bytes

    def list(self, organization: str | None = None) -> list[dict[str, Any]]:
        """Every metric: its name, label, description, type, owner, unit, dimensions, grains and freshness.

        Args:
            organization: Leave out what no organization may see; None: everything.

        Raises:
            UnavailableError: Nothing was published yet.
        """
        standing = self.standing()
        catalog = self._statements.catalog(standing.snapshot)
        found = []
        for metric in sorted(catalog.metrics.values(), key=lambda metric: metric.name):
            if organization is not None and any(self._policy.mart(mart).internal for mart in metric.marts):
                continue
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
                    "freshness": standing.freshness(metric.marts),
                }
            )
        return found

    def type_of(self, metric: str, dimension: str, standing: Standing) -> str:
        """The type of a dimension's values.

        Raises:
            DataInsightError: There is no such metric, or it has no such dimension.
        """
        catalog = self._statements.catalog(standing.snapshot)
        found = catalog.names([metric]).group_by(dimension, None)
        if found.dimension is None or found.grain is not None:
            return "date"
        return self._engine.open(standing.snapshot).type_of(catalog.table_of(found.dimension.model), found.dimension)

    def query(
        self,
        query: MetricQuery,
        organization: str | None = None,
        *,
        standing: Standing | None = None,
        asker: Asker | None = None,
        call: Call | None = None,
    ) -> Answer:
        """Answer a question.

        Args:
            query: The question.
            organization: Whose rows it is answered from; None: everybody's, for the platform's operators only.
            standing: What it is answered from, so that several answers stand on the same; None: the newest.
            asker: Who asks, if they may leave before there is an answer.
            call: What the log says of it; None: that somebody has asked by the command.

        Raises:
            AbandonedError: Whoever asked has left.
            DataInsightError: Nothing was published yet, or the question names something that does not exist.
        """
        with self.log.question(COMMAND, organization, query) if call is None else nullcontext(call) as noted:
            standing = standing or self.standing()
            noted.stands_on(standing.snapshot)
            answer = self._answer(query, organization, standing, noted, asker)
            noted.answered(answer.table.num_rows, is_cache_hit=answer.timing.cache == "hit")
        return answer

    def check(self, query: MetricQuery, organization: str | None) -> None:
        """Find out whether a question can be asked, without answering it.

        Raises:
            DataInsightError: Nothing was published yet, or the question names something that does not exist.
        """
        self._statements.compile(self._engine.open(self.standing().snapshot), query, organization)

    def known(self, query: MetricQuery, organization: str | None, standing: Standing, call: Call) -> Answer | None:
        """The answer, if this process has given it before: at once, and without waiting for anything."""
        kept = self._kept.near(self._key(query, organization, standing))
        if kept is None:
            return None
        call.stands_on(standing.snapshot)
        call.answered(kept.table.num_rows, is_cache_hit=True)
        return self._trusted(kept, standing, Timing(0.0, 0.0, "hit"))

    def explain(
        self,
        query: MetricQuery,
        organization: str | None = None,
        *,
        asker: Asker | None = None,
        call: Call | None = None,
    ) -> dict[str, Any]:
        """Where the answer to a question comes from, as JSON values; a composed question is asked for that.

        Args:
            query: The question.
            organization: Whose rows it would be answered from; None: everybody's.
            asker: Who asks, if they may leave before there is an answer.
            call: What the log says of it; None: nothing.

        Raises:
            AbandonedError: Whoever asked has left.
            DataInsightError: Nothing was published yet, or the question could not be answered, either.
        """
        standing = self.standing()
        if call is not None:
            call.stands_on(standing.snapshot)
        key = self._key(query, organization, standing)
        questions: list[Explained] = []

        def explained(part: MetricQuery) -> None:
            statement = self._statements.shown(standing.snapshot, part, organization)
            questions.append(Explained(part, statement.sql, statement.marts))

        if isinstance(query, ComposedQuery):
            flight: Flight[None] = Flight()
            if asker is not None:
                asker.board(flight)

            def ask(part: MetricQuery) -> "pa.Table":
                explained(part)
                return self._answering.part(replace(key, query=part), flight.interruption)[0].table

            self._answering.composer(standing.snapshot, query, ask, flight.interruption).compose(query)
        else:
            explained(query)
        catalog = self._statements.catalog(standing.snapshot)
        return explanation(catalog, self._policy, standing.snapshot, query.metrics, organization, questions)

    def close(self) -> None:
        """Let go of files, threads and memory, once what is to be logged is."""
        self._standings.close()
        self.log.close()
        self._engine.close()
        if self._shared is not None:
            self._shared.close()

    def _key(self, query: MetricQuery, organization: str | None, standing: Standing) -> AnswerKey:
        snapshot = standing.snapshot
        return AnswerKey(snapshot, snapshot.snapshot_id, self._policy.version, organization, query)

    def _answer(
        self,
        query: MetricQuery,
        organization: str | None,
        standing: Standing,
        call: Call,
        asker: Asker | None,
    ) -> Answer:
        key = self._key(query, organization, standing)
        kept, timing = self._kept.near(key), Timing(0.0, 0.0, "hit")
        if kept is None:
            # What a process does once, such as loading MetricFlow, is no part of any question's time.
            began = time.perf_counter()
            self._statements.catalog(standing.snapshot).names(query.metrics)
            self._engine.open(standing.snapshot)
            call.started += time.perf_counter() - began
            kept, timing = self._answering.answer(key, asker)
        return self._trusted(kept, standing, timing)

    def _trusted(self, kept: KeptAnswer, standing: Standing, timing: Timing) -> Answer:
        trust = replace(standing.trust(kept.marts), cache_unreachable_since=self._kept.unreachable_since)
        return Answer(kept, trust, timing)

    def _forget(self, snapshot_id: int) -> None:
        """Let go of the answers and the files of withdrawn snapshots."""
        self._kept.forget_up_to(snapshot_id)
        self._engine.close_up_to(snapshot_id)

    def _warm(self, standing: Standing) -> None:
        """Open a snapshot and ask it what was asked of the one before, so that nobody waits for that.

        All of it takes no longer than a question may: who asks meanwhile is answered from the one before, whose files
        an erasure may be about to delete.
        """
        self._statements.catalog(standing.snapshot)
        self._engine.open(standing.snapshot)
        interruption = Interruption()
        end = threading.Timer(self._settings.query_seconds, interruption.ask)
        end.daemon = True
        end.start()
        for key in self._kept.most_used(_WARMED_QUESTIONS):
            try:
                self._answering.find(self._key(key.query, key.organization, standing), interruption)
            except AbandonedError:
                # What is left by then is computed for whoever asks it first.
                break
            except DataInsightError:
                # What cannot be asked any more is told to whoever asks it.
                continue
            except Exception:  # noqa: BLE001  Whatever it was: it keeps nobody from the new snapshot.
                _log.exception("a question cannot be asked of the new snapshot")
        end.cancel()
