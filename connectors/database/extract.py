"""Reads the tables of a plan side by side into the spool: the door `extract`."""

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.database.address import Address
from connectors.database.decoding import Decoder
from connectors.database.plan import TablePlan, chosen, plan
from connectors.database.relation import Column, Relation
from connectors.database.session import Session, open_session
from connectors.extraction.cursor_values import at_least
from connectors.extraction.window import Window, parse_lag
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa

    from connectors.database.kind import DatabaseSource
    from connectors.extraction.request import Request
    from connectors.extraction.spool import Portion, Spool


class _StoppedError(Exception):
    """Another table has failed, so that the rest is not wanted."""


@dataclass
class _Run:
    """One extraction, shared by its threads."""

    address: Address
    session: Session
    request: "Request"
    spool: "Spool"
    stopped: bool = False

    def read(self, found: TablePlan) -> None:
        """Read one table into a portion of its own."""
        cursor = found.cursor
        window = None
        if cursor is not None:
            window = Window(self.request.state(found.name), cursor.name, parse_lag(found.config.lag))
        start = window.start if window else None
        # No engine's literals are bytes: what is before the start is left out here.
        bound = None if isinstance(start, bytes) else start
        statement = self.session.statement(found.relation, found.columns, cursor, bound)
        origin = {"server": self.address.where, "query": statement.sql, "consistent": self.session.consistency}
        decoder = Decoder(statement.columns)
        with self.spool.portion(found.name, key=found.key, origin=origin, complete=start is None) as portion:
            if window and cursor and bound is not None:
                window.check(self._type(found.relation, cursor))
            for raw in self.session.read(statement, _aside(found, portion, window)):
                if self.stopped:
                    raise _StoppedError
                batch = _since(start, decoder.batch(raw), cursor)
                portion.write(window.fresh(batch) if window else batch)
            if window:
                portion.state = window.state(portion.read())
            if decoder.read_as_null:
                portion.origin["read_as_null"] = dict(decoder.read_as_null)
        for column, count in decoder.read_as_null.items():
            self.request.progress.say(
                f"{found.name}.{column}: {count:,} values that no type of the warehouse can hold are read as null;"
                f" `cast: {{{column}: text}}` keeps them"
            )

    def _type(self, relation: Relation, column: Column) -> Any:
        """The Arrow type that a column has today; a value of another one can make a query fail."""
        whole = self.session.statement(relation, [column], None, None)
        batches = list(self.session.read(replace(whole, sql=f"{whole.sql} where 1 = 0"), lambda _, __: None))
        return Decoder([column]).batch(batches[0]).column(0).type


def extract(source: "DatabaseSource", request: "Request", spool: "Spool") -> None:
    """Read what is new in each table of `source`.

    Raises:
        DataInsightError: The database cannot be reached, or a table cannot be read; nothing of the run counts.
    """
    address = source.address
    with open_session(address, source.schema_) as session:
        session.scratch = request.scratch
        plans = []
        for name, (config, relation) in chosen(source, session).items():
            if not isinstance(relation, Relation):
                raise DataInsightError(f"source {source.name}, table {name}: {relation}", hint=_REMEDY)
            plans.append(plan(name, config, relation, session))
            is_whole = plans[-1].cursor is None or request.state(name) is None
            request.progress.expect(name, rows=session.estimate(relation) if is_whole else None)
        run = _Run(address, session, request, spool)
        if session.is_parallel and source.parallel > 1 and len(plans) > 1:
            _side_by_side(run, plans, source.parallel)
        else:
            for found in plans:
                run.read(found)


_REMEDY = "`datainsight sources discover` lists what is in reach"


def _side_by_side(run: _Run, plans: list[TablePlan], workers: int) -> None:
    """Read tables in threads; the first error stops the others at their next batch and is the one that is raised."""
    with ThreadPoolExecutor(workers, thread_name_prefix="table") as pool:
        tasks = [pool.submit(run.read, found) for found in plans]
        try:
            wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            run.stopped = any(task.done() and task.exception() for task in tasks) or not all(t.done() for t in tasks)
            for task in tasks:
                task.cancel()
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    for error in sorted(errors, key=lambda error: isinstance(error, _StoppedError)):
        raise error


def _since(start: Any, batch: "pa.RecordBatch", cursor: Column | None) -> "pa.RecordBatch":
    """The rows from `start` on; SQLite, whose moments are texts, gives some that are earlier, and of bytes all come."""
    if cursor is None or not isinstance(start, datetime | bytes):
        return batch
    from pyarrow import types

    values: Any = batch.column(cursor.name)
    is_comparable = types.is_binary if isinstance(start, bytes) else types.is_timestamp
    if not is_comparable(values.type) or (isinstance(start, datetime) and values.type.tz is None):
        return batch
    return batch.filter(at_least(values, start))


def _aside(found: TablePlan, portion: "Portion", window: Window | None) -> Any:
    def aside(record: dict[str, Any], reason: str) -> None:
        payload = {"table": found.relation.said, "record": record, "reason": reason}
        if window is None or not window.seen_before(payload):
            portion.set_aside(payload)

    return aside
