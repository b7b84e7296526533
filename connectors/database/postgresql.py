"""PostgreSQL: read through ADBC, which streams a binary COPY, in one read-only snapshot that all tables share."""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.database.address import Address
from connectors.database.postgresql_types import describe
from connectors.database.relation import Column, Relation, Statement
from connectors.database.session import Session, SetAside
from connectors.database.trouble import told

if TYPE_CHECKING:
    import pyarrow as pa

_BEGIN = "begin isolation level repeatable read read only"
_TEXTS = {"text", "character varying", "character", "bpchar", "name", '"char"'}
_SESSION = [
    "set local timezone = 'UTC'",
    "set local intervalstyle = 'iso_8601'",
    "set local datestyle = 'ISO'",
    "set local bytea_output = 'hex'",
    # Two reads of an unchanged table give its rows in one order, which shows that it is unchanged.
    "set local synchronize_seqscans = off",
    # The session that holds the snapshot waits while the others read.
    "set local idle_in_transaction_session_timeout = 0",
]

_RELATIONS = """
select n.nspname, c.relname, c.relkind in ('v', 'm')
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname, c.relname
"""

_KEY = """
select array_agg(a.attname order by k.place)
from pg_catalog.pg_index as i
cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
left join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = %s::regclass and i.indisunique and i.indpred is null and i.indisvalid and k.place <= i.indnkeyatts
group by i.indexrelid, i.indisprimary
having bool_and(coalesce(a.attnotnull, false))
order by i.indisprimary desc, count(*), i.indexrelid
limit 1
"""

_ESTIMATE = """
select sum(c.reltuples)::bigint
from pg_catalog.pg_class as c
where c.oid in (select relid from pg_catalog.pg_partition_tree(%(name)s::regclass) where isleaf)
    or c.oid = %(name)s::regclass and c.relkind <> 'p'
having min(c.reltuples) >= 0
"""


class PostgresqlSession(Session):
    """One transaction that reads the catalogue and holds the snapshot, and a connection per table that is read."""

    def __init__(self, address: Address, connection: Any, schemas: Sequence[str]) -> None:
        self._address = address
        self._connection = connection
        self._schemas = list(schemas)
        self._setup = [_BEGIN]
        snapshot = self._snapshot()
        self.consistency = "all tables of the run as of one moment" if snapshot else "each table as of one moment"
        self._setup += [f"set transaction snapshot '{snapshot}'"] if snapshot else []
        path = ", ".join(self.quote(schema) for schema in self._schemas)
        self._setup += _SESSION
        if path:
            self._setup.append(
                f"select set_config('search_path', {_text(path)} || ', ' || current_setting('search_path'), true)"
            )
        for command in self._setup[-len(_SESSION) - bool(path) :]:
            self._run(command)

    def schemas(self) -> list[str | None]:
        """See `Session`."""
        if self._schemas:
            return list(self._schemas)
        found: list[str | None] = self._run("select current_schemas(false)::text[]")[0][0]
        return found

    def relations(self) -> list[Relation]:
        """See `Session`."""
        return [Relation(name, schema, is_view) for schema, name, is_view in self._run(_RELATIONS)]

    def columns(self, relation: Relation) -> list[Column]:
        """See `Session`."""
        with self._attempt(f"{relation.said} cannot be read") as cursor:
            cursor.execute(f"select * from {self.source(relation)} limit 0")
            return describe(cursor, self.quote)

    def key(self, relation: Relation) -> list[str]:
        """See `Session`."""
        found = self._run(_KEY, (self.source(relation),)) if relation.query is None else []
        return list(found[0][0]) if found else []

    def estimate(self, relation: Relation) -> int | None:
        """See `Session`."""
        if relation.query is not None or relation.is_view:
            return None
        found = self._run(_ESTIMATE, {"name": self.source(relation)})
        return int(found[0][0]) if found and found[0][0] is not None else None

    def quote(self, name: str) -> str:
        """See `Session`."""
        return '"' + name.replace('"', '""') + '"'

    def literal(self, column: Column, value: Any) -> str:
        """See `Session`."""
        if isinstance(value, datetime) and not column.literal_type.startswith("timestamp with time zone"):
            value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return f"{_text(str(value))}::{column.literal_type}"

    def at_least(self, column: Column, start: Any) -> str:
        """See `Session`."""
        if isinstance(start, str) and column.literal_type in _TEXTS:
            return f'{self.quote(column.name)}::text collate "C" >= {_text(start)}'
        return super().at_least(column, start)

    def read(self, statement: Statement, set_aside: SetAside) -> Iterator["pa.RecordBatch"]:  # noqa: ARG002
        """See `Session`."""
        import pyarrow as pa
        from adbc_driver_manager import dbapi as adbc
        from adbc_driver_postgresql import dbapi

        with (
            told(self._address, f"{statement.said} cannot be read", adbc.Error, pa.ArrowException, OSError),
            dbapi.connect(self._address.driver_url("postgresql"), autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            for command in self._setup:
                cursor.execute(command)
                cursor.fetchall()
            cursor.execute(statement.sql)
            reader = cursor.fetch_record_batch()
            some = False
            for batch in reader:
                some = True
                yield batch
            if not some:
                yield from reader.schema.empty_table().to_batches() or [_no_rows(reader.schema)]

    def _snapshot(self) -> str | None:
        """A name under which other connections see what this one sees; None where the server has no such thing."""
        import psycopg2

        with self._connection.cursor() as cursor:
            cursor.execute(_BEGIN)
            try:
                cursor.execute("select pg_export_snapshot()")
                return str(cursor.fetchone()[0])
            except psycopg2.Error:
                cursor.execute("rollback")
                cursor.execute(_BEGIN)
                return None

    def _run(self, sql: str, values: Any = None) -> list[tuple[Any, ...]]:
        with self._attempt(f"the catalogue of {self._address.where} cannot be read") as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def _attempt(self, what: str) -> Iterator[Any]:
        """A cursor; when something fails the transaction, and with it the snapshot, lives on."""
        import psycopg2

        with told(self._address, what, psycopg2.Error), self._connection.cursor() as cursor:
            cursor.execute("savepoint attempt")
            try:
                yield cursor
            except psycopg2.Error:
                with contextlib.suppress(psycopg2.Error):
                    cursor.execute("rollback to savepoint attempt")
                raise
            cursor.execute("release savepoint attempt")


@contextmanager
def postgresql_session(address: Address, schemas: Sequence[str]) -> Iterator[Session]:
    """A session of a PostgreSQL server.

    Raises:
        DataInsightError: It cannot be reached, or a query fails.
    """
    import psycopg2

    with told(address, f"{address.where} cannot be reached", psycopg2.Error):
        connection = psycopg2.connect(address.driver_url("postgresql"))
    try:
        # The transaction is begun and ended by our own commands.
        connection.autocommit = True
        with told(address, f"{address.where} cannot be read", psycopg2.Error):
            session = PostgresqlSession(address, connection, schemas)
        yield session
    finally:
        connection.close()


def _no_rows(schema: Any) -> Any:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _text(value: str) -> str:
    """A text literal; with E and doubled backslashes it ends where it should whatever the server's settings are."""
    return "E'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
