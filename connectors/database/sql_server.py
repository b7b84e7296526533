"""Microsoft SQL Server: described and read through ConnectorX, each table in one query."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from connectors.database.address import Address
from connectors.database.connectorx_stream import drained, stream
from connectors.database.relation import Column, Relation, Statement
from connectors.database.session import Session, SetAside
from connectors.database.sql_server_types import column_of

if TYPE_CHECKING:
    import pyarrow as pa

_RELATIONS = """
select s.name as schema_name, o.name as name, cast(case o.type when 'V' then 1 else 0 end as int) as is_view
from sys.objects as o
inner join sys.schemas as s on o.schema_id = s.schema_id
where o.type in ('U', 'V') and o.is_ms_shipped = 0 and s.name not in ('sys', 'INFORMATION_SCHEMA')
"""
_COLUMNS = """
select cast(name as nvarchar(200)) as name, cast(system_type_name as nvarchar(200)) as type_name,
    cast(precision as int) as precision, cast(scale as int) as scale,
    cast(error_message as nvarchar(2000)) as problem, cast(user_type_name as nvarchar(200)) as user_type
from sys.dm_exec_describe_first_result_set({statement}, null, 0)
where is_hidden = 0 or is_hidden is null
order by column_ordinal offset 0 rows
"""
_KEY = """
select i.index_id as index_id, cast(i.is_primary_key as int) as is_primary, c.name as name,
    cast(c.is_nullable as int) as is_nullable
from sys.indexes as i
inner join sys.index_columns as k on i.object_id = k.object_id and i.index_id = k.index_id and k.is_included_column = 0
inner join sys.columns as c on k.object_id = c.object_id and k.column_id = c.column_id
where i.object_id = object_id({relation}) and i.is_unique = 1 and i.has_filter = 0 and i.is_disabled = 0
order by i.is_primary_key desc, i.index_id, k.key_ordinal offset 0 rows
"""
_ESTIMATE = """
select cast(sum(row_count) as bigint) as row_count
from sys.dm_db_partition_stats
where object_id = object_id({relation}) and index_id in (0, 1)
"""


class SqlServerSession(Session):
    """Asks the catalogue with queries like any other; there is no connection to keep."""

    consistency = "each table by itself, as the server's isolation level has it"
    text_type = "nvarchar(max)"

    def __init__(self, address: Address, schemas: Sequence[str]) -> None:
        self._address = address
        self._schemas = list(schemas)
        self._default = str(self._rows("select cast(schema_name() as nvarchar(200)) as name")[0]["name"])

    def schemas(self) -> list[str | None]:
        """See `Session`."""
        return list(self._schemas) or [self._default]

    def relations(self) -> list[Relation]:
        """See `Session`."""
        found = [Relation(row["name"], row["schema_name"], bool(row["is_view"])) for row in self._rows(_RELATIONS)]
        return sorted(found, key=lambda relation: relation.said)

    def columns(self, relation: Relation) -> list[Column]:
        """See `Session`."""
        from connectors.database.trouble import failure

        described = self._rows(_COLUMNS.format(statement=_text(f"select * from {self.source(relation)}")))
        if problem := next((row["problem"] for row in described if row["problem"]), None):
            raise failure(self._address, f"{relation.said} cannot be read", problem)
        return [
            column_of(
                row["name"],
                row["type_name"] or row["user_type"],
                self.quote(row["name"]),
                row["precision"],
                row["scale"],
            )
            for row in described
        ]

    def key(self, relation: Relation) -> list[str]:
        """See `Session`."""
        if relation.query is not None:
            return []
        indexes: dict[int, list[dict[str, Any]]] = {}
        for row in self._rows(_KEY.format(relation=_text(self.source(relation)))):
            indexes.setdefault(row["index_id"], []).append(row)
        usable = [rows for rows in indexes.values() if not any(row["is_nullable"] for row in rows)]
        best = min(usable, key=lambda rows: (not rows[0]["is_primary"], len(rows)), default=[])
        return [row["name"] for row in best]

    def estimate(self, relation: Relation) -> int | None:
        """See `Session`."""
        if relation.query is not None or relation.is_view:
            return None
        found = self._rows(_ESTIMATE.format(relation=_text(self.source(relation))))
        return int(found[0]["row_count"]) if found and found[0]["row_count"] is not None else None

    def quote(self, name: str) -> str:
        """See `Session`."""
        return "[" + name.replace("]", "]]") + "]"

    def literal(self, column: Column, value: Any) -> str:
        """See `Session`."""
        if isinstance(value, datetime):
            moment = (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()
            if column.type_name.startswith("datetimeoffset"):
                return f"cast('{moment}+00:00' as datetimeoffset(7))"
            return f"cast('{moment}' as datetime2(7))"
        if isinstance(value, date):
            return f"cast('{value}' as date)"
        return _text(value) if isinstance(value, str) else str(value)

    def at_least(self, column: Column, start: Any) -> str:
        """See `Session`."""
        if isinstance(start, str):
            return f"{self.quote(column.name)} collate Latin1_General_BIN2 >= {_text(start)}"
        return super().at_least(column, start)

    def read(self, statement: Statement, set_aside: SetAside) -> Iterator["pa.RecordBatch"]:  # noqa: ARG002
        """See `Session`."""
        batches = stream(self._address, self._address.driver_url("mssql"), statement.sql, statement.said)
        return drained(batches, self._address, self.scratch) if self.scratch else batches

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        url = self._address.driver_url("mssql")
        return [row for batch in stream(self._address, url, sql, "the catalogue") for row in batch.to_pylist()]


@contextmanager
def sql_server_session(address: Address, schemas: Sequence[str]) -> Iterator[Session]:
    """A session of a SQL Server.

    Raises:
        DataInsightError: It cannot be reached, or a query fails.
    """
    _knock(address)
    yield SqlServerSession(address, schemas)


def _knock(address: Address) -> None:
    """Find a server that is down at once; ConnectorX would try again for half a minute, and write of it."""
    import socket

    from connectors.database.trouble import told

    host, port = address.url.host or "localhost", address.url.port or 1433
    with told(address, f"{address.where} cannot be reached", OSError):
        socket.create_connection((host, port), timeout=20).close()


def _text(value: str) -> str:
    return "N'" + value.replace("'", "''") + "'"
