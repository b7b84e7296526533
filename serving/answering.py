"""Finds answers: those that are kept, those that are just being computed, all others by compiling and running them."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from serving.answer import Timing
from serving.composition.composer import Composer
from serving.composition.joining import Ask
from serving.engine import Engine
from serving.flights import Asker, Flights, Interruption
from serving.kept_answers import AnswerKey, KeptAnswer, KeptAnswers
from serving.query import ComposedQuery, MetricQuery
from serving.snapshots import Snapshot
from serving.statements import Statements
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa


class Answering:
    """One process's way to answers.

    Args:
        statements: Makes the statements of plain questions.
        engine: Runs them.
        kept: Answers that were given before.
        most_rows: How many rows an answer may have.
    """

    def __init__(self, statements: Statements, engine: Engine, kept: KeptAnswers, most_rows: int) -> None:
        self._statements = statements
        self._engine = engine
        self._kept = kept
        self._most_rows = most_rows
        self._flights: Flights[tuple[KeptAnswer, Timing]] = Flights()

    def answer(self, key: AnswerKey, asker: Asker | None) -> tuple[KeptAnswer, Timing]:
        """The answer, computed once for all who ask at the same moment.

        Raises:
            AbandonedError: All of them have left.
            DataInsightError: There is no answer, or one of more rows than it may have.
        """
        return self._flights.answer(key, lambda interruption: self.find(key, interruption), asker)

    def find(self, key: AnswerKey, interruption: Interruption) -> tuple[KeptAnswer, Timing]:
        """The answer, from what is kept or computed now.

        Raises:
            AbandonedError: It was interrupted.
            DataInsightError: There is no answer, or one of more rows than it may have.
        """
        # The one before may have just been put there.
        known = self._kept.near(key) or self._kept.far(key)
        if known is not None:
            return known, Timing(0.0, 0.0, "hit")
        if isinstance(key.query, ComposedQuery):
            found, timing = self._composed(key, key.query, interruption)
        else:
            found, timing = self._computed(key, interruption)
        if found.table.num_rows > self._most_rows:
            raise DataInsightError(
                f"the answer has more than {self._most_rows:,} rows",
                hint="ask for less at once: fewer dimensions, a coarser grain, a shorter time, a `limit`; or raise"
                " DATAINSIGHT_QUERY_ROWS",
            )
        found = found.compact()
        self._kept.put(key, found)
        return found, timing

    def _computed(self, key: AnswerKey, interruption: Interruption) -> tuple[KeptAnswer, Timing]:
        started = time.perf_counter()
        # The same for both, however many snapshots are opened meanwhile.
        opened = self._engine.open(key.snapshot)
        statement = self._statements.compile(opened, key.query, key.organization)
        compiled = time.perf_counter()
        table = opened.run(statement.sql, interruption)
        executed = time.perf_counter()
        timing = Timing(_milliseconds(started, compiled), _milliseconds(compiled, executed), "miss")
        return KeptAnswer(table, statement.marts), timing

    def _composed(self, key: AnswerKey, query: ComposedQuery, interruption: Interruption) -> tuple[KeptAnswer, Timing]:
        """The answer to a composed question by those to plain ones, each kept and found like any other."""
        started = time.perf_counter()
        marts: set[str] = set()
        compile_ms = 0.0

        def ask(part: MetricQuery) -> "pa.Table":
            nonlocal compile_ms
            kept, timing = self.part(replace(key, query=part), interruption)
            marts.update(kept.marts)
            compile_ms += timing.compile_ms
            return kept.table

        found = self.composer(key.snapshot, query, ask, interruption).compose(query)
        took = _milliseconds(started, time.perf_counter())
        return (
            KeptAnswer(found.table, frozenset(marts), found.totals),
            Timing(round(compile_ms, 2), round(took - compile_ms, 2), "miss"),
        )

    def part(self, key: AnswerKey, interruption: Interruption) -> tuple[KeptAnswer, Timing]:
        """The same for a part of a composed question, which others may be asking at the same moment.

        Raises:
            AbandonedError: It was interrupted.
            DataInsightError: There is no answer.
        """
        kept = self._kept.near(key)
        if kept is not None:
            return kept, Timing(0.0, 0.0, "hit")
        asker = Asker()
        with interruption.over(asker):
            return self._flights.answer(key, lambda mine: self.find(key, mine), asker)

    def composer(self, snapshot: Snapshot, query: MetricQuery, ask: Ask, interruption: Interruption) -> Composer:
        """Puts the answer to a composed question together from those that `ask` gives to plain ones."""
        opened = self._engine.open(snapshot)
        return Composer(
            self._statements.catalog(snapshot).names(query.metrics),
            ask,
            lambda sql, tables: opened.run(sql, interruption, tables),
            self._most_rows,
        )


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 2)
