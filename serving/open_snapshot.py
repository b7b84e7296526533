"""One snapshot as DuckDB has it open: its marts as relations, and statements over them, each with an end.

Which snapshots are open, and for how long, is the business of `engine`.
"""

import itertools
import re
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.delta import files_of
from serving.flights import AbandonedError, Interruption
from serving.names import Dimension
from serving.pruning import EVERY_DAY, Days
from serving.snapshots import Snapshot, TableState
from serving.store_files import is_local, table_url
from serving.types import type_name
from warehouse.database import quote_identifier
from warehouse.errors import DataInsightError, UnavailableError
from warehouse.settings import Settings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from sqlglot import exp

MEMORY_LIMIT = "2GB"
# Ranges of months that have a relation of their own; any other is read from that of all.
_MOST_RANGES = 2_000
_NUMBERS = itertools.count(1)
_MONTH = re.compile(r"\d{4}-\d{2}")


class OpenSnapshot:
    """The tables of one snapshot as relations of DuckDB, which go when nobody has them any more.

    Args:
        connection: A connection of its own.
        settings: Where the metric store is, and how long a statement may take.
        snapshot: Which versions.

    Attributes:
        is_withdrawn: Whether nothing may be asked of it any more.
    """

    def __init__(self, connection: "duckdb.DuckDBPyConnection", settings: Settings, snapshot: Snapshot) -> None:
        store = settings.metric_store_url
        self.snapshot = snapshot
        self.is_withdrawn = False
        self._seconds = settings.query_seconds
        self._connection = connection
        # Whoever has an earlier one of the same snapshot goes on with it.
        self._schema = f"snapshot_{snapshot.snapshot_id}_{next(_NUMBERS)}"
        self._datasets: dict[str, Any] = {}
        self._schemas: dict[str, pa.Schema] = {}
        self._types: dict[tuple[str, str], str] = {}
        self._files: dict[str, list[tuple[str, str]]] = {}
        self._ranges: dict[tuple[str, tuple[str, ...]], str] = {}
        self._lock = threading.Lock()
        connection.execute(f"create schema {self._schema}")
        weakref.finalize(self, _let_go, connection, self._schema).atexit = False  # type: ignore[misc]
        for name, state in snapshot.tables.items():
            self._add(table_url(store, name), name, state, local=is_local(store))

    @property
    def time_columns(self) -> dict[str, str | None]:
        """The time column of each mart that is split by one."""
        return {name: state.time_column for name, state in self.snapshot.tables.items()}

    def relation(self, mart: str, days: Days = EVERY_DAY) -> "exp.Table":
        """Where the rows of some days of a mart are, with those of the rest of their months at least.

        Raises:
            DataInsightError: The snapshot has no such mart.
        """
        from sqlglot import exp

        self.schema_of(mart)
        if mart in self._datasets:
            return exp.table_(self._dataset_name(mart), quoted=True)
        return exp.table_(self._of_months(mart, days), db=self._schema, quoted=True)

    def schema_of(self, mart: str) -> "pa.Schema":
        """The columns of a mart, with what is known of them.

        Raises:
            DataInsightError: The snapshot has no such mart.
        """
        if mart not in self._schemas:
            raise DataInsightError(
                f"the table {mart} is not in snapshot {self.snapshot.snapshot_id}",
                hint="it is published with the next `datainsight run` that builds it",
            )
        return self._schemas[mart]

    def type_of(self, mart: str, dimension: Dimension) -> str:
        """The type of a dimension's values, by `type_name`."""
        key = (mart, dimension.expression)
        if key not in self._types:
            relation = self.relation(mart).sql(dialect="duckdb")
            found = self.run(f"select {dimension.expression} as found from {relation} limit 0")
            self._types[key] = type_name(found.schema.field(0).type)
        return self._types[key]

    def run(
        self, sql: str, interruption: Interruption | None = None, tables: "Mapping[str, pa.Table] | None" = None
    ) -> "pa.Table":
        """Execute a statement; safe to call from several threads.

        Args:
            sql: The statement.
            interruption: By which it may be ended from elsewhere.
            tables: What else it may read, by name.

        Raises:
            AbandonedError: It was ended.
            UnavailableError: The snapshot was withdrawn.
            DataInsightError: DuckDB cannot: a file is gone, or the question takes too much memory or time.
        """
        import duckdb

        if self.is_withdrawn:
            raise withdrawn(self.snapshot)
        interruption = interruption or Interruption()
        try:
            with (
                self._connection.cursor() as cursor,
                interruption.over(cursor),
                _ended_after(self._seconds, cursor),
            ):
                for mart, dataset in self._datasets.items():
                    cursor.register(self._dataset_name(mart), dataset)
                for name, given in (tables or {}).items():
                    cursor.register(name, given)
                table: pa.Table = cursor.sql(sql).to_arrow_table()
                return table
        except duckdb.InterruptException as error:
            if interruption.asked:
                raise AbandonedError from error
            raise DataInsightError(
                f"this takes longer than {self._seconds} s, so it was ended",
                hint="ask for less at once: fewer dimensions, a coarser grain, a shorter time; or raise"
                " DATAINSIGHT_QUERY_SECONDS",
            ) from error
        except duckdb.Error as error:
            if self.is_withdrawn:
                raise withdrawn(self.snapshot) from error
            raise DataInsightError(
                f"snapshot {self.snapshot.snapshot_id} cannot answer this: {str(error).splitlines()[0]}",
                hint=f"ask for less at once (the limit is {MEMORY_LIMIT} of memory), or publish again",
            ) from error

    def _of_months(self, mart: str, days: Days) -> str:
        """The name of a relation with the files of these days: passing over others costs half of reading them."""
        import duckdb

        known = self._files.get(mart, [])
        # Of a month that is not there any file has nothing, as good as another.
        wanted = tuple(file for month, file in known if _may_have(month, days)) or tuple(file for _, file in known[:1])
        if len(wanted) == len(known):
            return mart
        with self._lock:
            if (mart, wanted) not in self._ranges:
                if len(self._ranges) >= _MOST_RANGES:
                    return mart
                name = f"{mart} {len(self._ranges)}"
                try:
                    with self._connection.cursor() as cursor:
                        cursor.execute(f"create view {self._schema}.{quote_identifier(name)} as {_reading(wanted)}")
                except duckdb.Error:
                    # What is wrong with a file is told by the statement that reads it.
                    return mart
                self._ranges[mart, wanted] = name
            return self._ranges[mart, wanted]

    def _dataset_name(self, mart: str) -> str:
        return f"{self._schema}_{mart}"

    def _add(self, url: str, mart: str, state: TableState, *, local: bool) -> None:
        import pyarrow as pa
        from deltalake import DeltaTable

        table = DeltaTable(url, version=state.version)
        target = f"{self._schema}.{quote_identifier(mart)}"
        # Delta's own list of paths is percent-encoded, which DuckDB takes at its word.
        stored = [(file.partition, str(Path(url).absolute() / file.path)) for file in files_of(table)]
        self._schemas[mart] = pa.schema(table.schema().to_arrow())
        if not stored:
            self._connection.register("empty_mart", self._schemas[mart].empty_table())
            self._connection.execute(f"create or replace table {target} as from empty_mart")
            self._connection.unregister("empty_mart")
        elif local:
            self._files[mart] = stored
            self._connection.execute(f"create or replace view {target} as {_reading(file for _, file in stored)}")
        else:
            # DuckDB reaches object stores by an extension only; Arrow reads them with Delta's own file system.
            self._datasets[mart] = table.to_pyarrow_dataset()


def _may_have(partition: str, days: Days) -> bool:
    """Whether a partition may have rows of these days; one that is no month may have any."""
    if not _MONTH.fullmatch(partition):
        return True
    is_before = days.first is not None and partition < days.first.isoformat()[:7]
    is_after = days.before is not None and partition > (days.before - timedelta(days=1)).isoformat()[:7]
    return not is_before and not is_after


def _reading(files: Iterable[str]) -> str:
    listed = ", ".join("'" + without_wildcards(file).replace("'", "''") + "'" for file in files)
    return f"select * from read_parquet([{listed}], hive_partitioning = false)"


def _let_go(connection: "duckdb.DuckDBPyConnection", schema: str) -> None:
    import duckdb

    # With the engine everything was closed, and nothing is left to be dropped.
    with suppress(duckdb.ConnectionException):
        connection.execute(f"drop schema {schema} cascade")
        connection.close()


def withdrawn(snapshot: Snapshot) -> UnavailableError:
    """The error of a snapshot of which nothing may be asked any more."""
    return UnavailableError(
        f"snapshot {snapshot.snapshot_id} was withdrawn while this was asked of it",
        hint="ask again: a newer one answers",
    )


@contextmanager
def _ended_after(seconds: float, cursor: "duckdb.DuckDBPyConnection") -> Iterator[None]:
    """End what a cursor does when it takes too long."""
    timer = threading.Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def without_wildcards(path: str) -> str:
    """A path as DuckDB's pattern that only this one path meets."""
    return re.sub(r"([\[*?])", r"[\1]", path)
