"""MySQL and MariaDB: described through PyMySQL, read through ConnectorX, each table in one read-only query."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.database.address import Address
from connectors.database.connectorx_stream import drained, stream
from connectors.database.mysql_types import described
from connectors.database.relation import Column, Relation, Statement
from connectors.database.session import Session, SetAside
from connectors.database.trouble import told

if TYPE_CHECKING:
    import pyarrow as pa

# Every column and literal is UTF-8, every TIMESTAMP UTC, and nothing can be changed.
_SETUP = ["set time_zone = '+00:00'", "set session transaction read only"]
_SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")

_RELATIONS = """
select table_schema, table_name, table_type like '%%VIEW'
from information_schema.tables
where table_schema not in %s and table_type <> 'SEQUENCE'
order by table_schema, table_name
"""
_COLUMNS = """
select column_name, column_type, numeric_precision, numeric_scale
from information_schema.columns
where table_schema = %s and table_name = %s
order by ordinal_position
"""
_KEY = """
select s.index_name, s.column_name, s.nullable, s.sub_part
from information_schema.statistics as s
where s.table_schema = %s and s.table_name = %s and s.non_unique = 0
order by s.index_name <> 'PRIMARY', s.index_name, s.seq_in_index
"""
_ESTIMATE = "select table_rows from information_schema.tables where table_schema = %s and table_name = %s"


class MysqlSession(Session):
    """A connection that reads the catalogue; ConnectorX opens its own for each table."""

    consistency = "each table as of one moment"
    text_type = "char"

    def __init__(self, address: Address, connection: Any, schemas: Sequence[str]) -> None:
        self._address = address
        self._connection = connection
        self._schemas = list(schemas)

    def schemas(self) -> list[str | None]:
        """See `Session`."""
        default = self._address.url.database
        return list(self._schemas) or ([default] if default else [])

    def relations(self) -> list[Relation]:
        """See `Session`."""
        return [Relation(name, schema, bool(is_view)) for schema, name, is_view in self._run(_RELATIONS, (_SYSTEM,))]

    def columns(self, relation: Relation) -> list[Column]:
        """See `Session`."""
        known: dict[str, tuple[Any, ...]] = {}
        if relation.query is None:
            known = {row[0]: row[1:] for row in self._run(_COLUMNS, (relation.schema, relation.name))}
        what = f"{relation.said} cannot be read"
        with told(self._address, what, *_errors()), self._connection.cursor() as cursor:
            cursor.execute(f"select * from {self.source(relation)} limit 0")
            fields = cursor._result.fields  # noqa: SLF001 - the public description has neither signs nor character sets.
        return described(fields, known, self.quote)

    def key(self, relation: Relation) -> list[str]:
        """See `Session`."""
        if relation.query is not None:
            return []
        indexes: dict[str, list[tuple[Any, ...]]] = {}
        for index, *rest in self._run(_KEY, (relation.schema, relation.name)):
            indexes.setdefault(index, []).append(tuple(rest))
        usable = {
            index: [column for column, _, _ in parts]
            for index, parts in indexes.items()
            if all(column and nullable != "YES" and sub_part is None for column, nullable, sub_part in parts)
        }
        return usable.get("PRIMARY") or min(usable.values(), key=len, default=[])

    def estimate(self, relation: Relation) -> int | None:
        """See `Session`."""
        if relation.query is not None or relation.is_view:
            return None
        found = self._run(_ESTIMATE, (relation.schema, relation.name))
        return int(found[0][0]) if found and found[0][0] is not None else None

    def quote(self, name: str) -> str:
        """See `Session`."""
        return "`" + name.replace("`", "``") + "`"

    def literal(self, column: Column, value: Any) -> str:  # noqa: ARG002
        """See `Session`."""
        if isinstance(value, bool | int | Decimal):
            return str(int(value) if isinstance(value, bool) else value)
        if isinstance(value, float):
            return repr(value)
        if isinstance(value, datetime):
            value = (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat(" ")
        # Hexadecimal, because what ends a quoted text depends on the server's sql_mode.
        return f"convert(x'{str(value).encode().hex()}' using utf8mb4)"

    def at_least(self, column: Column, start: Any) -> str:
        """See `Session`."""
        if isinstance(start, str):
            return f"cast({self.quote(column.name)} as binary) >= x'{start.encode().hex()}'"
        return super().at_least(column, start)

    def read(self, statement: Statement, set_aside: SetAside) -> Iterator["pa.RecordBatch"]:  # noqa: ARG002
        """See `Session`."""
        batches = stream(self._address, self._address.driver_url("mysql"), statement.sql, statement.said, _SETUP)
        return drained(batches, self._address, self.scratch) if self.scratch else batches

    def _run(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        what = f"the catalogue of {self._address.where} cannot be read"
        with told(self._address, what, *_errors()), self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())


@contextmanager
def mysql_session(address: Address, schemas: Sequence[str]) -> Iterator[Session]:
    """A session of a MySQL or MariaDB server.

    Raises:
        DataInsightError: It cannot be reached, or a query fails.
    """
    import pymysql

    url = address.url
    is_encrypted = str(url.query.get("require_ssl", "")).lower() == "true"
    with told(address, f"{address.where} cannot be reached", *_errors()):
        connection = pymysql.connect(
            host=url.host or "localhost",
            port=url.port or 3306,
            user=url.username,
            password=str(url.password or ""),
            database=url.database,
            charset="utf8mb4",
            connect_timeout=20,
            ssl={} if is_encrypted else None,
            init_command=_SETUP[1],
        )
    try:
        yield MysqlSession(address, connection, schemas)
    finally:
        connection.close()


def _errors() -> tuple[type[BaseException], ...]:
    import pymysql

    return (pymysql.Error, OSError, RuntimeError)
