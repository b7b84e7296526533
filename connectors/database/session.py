"""What every engine gives: a session that lists, describes and reads, without changing anything."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.database.address import Address
from connectors.database.relation import Column, Relation, Statement

if TYPE_CHECKING:
    import pyarrow as pa


SetAside = Callable[[dict[str, Any], str], None]


class Session(ABC):
    """A connection to a source database, open for one run.

    Attributes:
        consistency: What can be said of the rows of several tables, in words for the ledger.
        is_parallel: Whether `read` may be called from several threads.
        text_type: What a cast to text of any length is called.
        scratch: A folder of the run for an engine that needs one; None while nothing is extracted.
    """

    consistency: str = "each table by itself"
    is_parallel: bool = True
    text_type: str = "text"
    scratch: Path | None = None

    @abstractmethod
    def schemas(self) -> list[str | None]:
        """Where tables are looked for that are named without a schema."""

    @abstractmethod
    def relations(self) -> list[Relation]:
        """Every table and view that is no part of the system, of another table, or hidden from this user."""

    @abstractmethod
    def columns(self, relation: Relation) -> list[Column]:
        """The columns in their order."""

    @abstractmethod
    def key(self, relation: Relation) -> list[str]:
        """The primary key, else the shortest unique index over columns that are never null; empty without any."""

    @abstractmethod
    def estimate(self, relation: Relation) -> int | None:
        """About how many rows it has, from statistics; None when there are none."""

    @abstractmethod
    def quote(self, name: str) -> str:
        """An identifier in the engine's quotes."""

    def as_text(self, column: Column) -> Column:
        """The column as the source itself writes it."""
        name = self.quote(column.name)
        return replace(column, expression=f"cast({name} as {self.text_type})", decoding="as_is")

    @abstractmethod
    def literal(self, column: Column, value: Any) -> str:
        """A value to compare `column` with, as SQL; nothing in it can end the literal."""

    def at_least(self, column: Column, start: Any) -> str:
        """The condition that `column` is `start` or more; of texts, in the order of their characters' codes."""
        return f"{self.quote(column.name)} >= {self.literal(column, start)}"

    @abstractmethod
    def read(self, statement: Statement, set_aside: SetAside) -> Iterator["pa.RecordBatch"]:
        """The rows in bounded batches, before decoding; at least one batch, if only to tell the columns.

        Args:
            set_aside: Takes a row that cannot be one of the table, and why.
        """

    def statement(self, relation: Relation, columns: Sequence[Column], cursor: Column | None, start: Any) -> Statement:
        """The SELECT for `columns`, from `start` of the cursor on; rows without a cursor are always among them."""
        quoted = {column.name: self.quote(column.name) for column in columns}
        chosen = ", ".join(
            column.expression
            if column.expression == quoted[column.name]
            else f"{column.expression} as {quoted[column.name]}"
            for column in columns
        )
        sql = f"select {chosen} from {self.source(relation)}"
        if cursor is not None and start is not None:
            sql += f" where {self.at_least(cursor, start)} or {self.quote(cursor.name)} is null"
        return Statement(sql, tuple(columns), relation.said)

    def source(self, relation: Relation) -> str:
        """What stands after FROM."""
        if relation.query is not None:
            return f"(\n{relation.query.strip().rstrip(';')}\n) {self.quote('q')}"
        name = self.quote(relation.name)
        return f"{self.quote(relation.schema)}.{name}" if relation.schema else name


def open_session(address: Address, schemas: Sequence[str]) -> AbstractContextManager[Session]:
    """A session of the engine that reads `address`.

    Raises:
        DataInsightError: It cannot be reached.
    """
    match address.engine:
        case "postgresql":
            from connectors.database.postgresql import postgresql_session

            return postgresql_session(address, schemas)
        case "mysql":
            from connectors.database.mysql import mysql_session

            return mysql_session(address, schemas)
        case "mssql":
            from connectors.database.sql_server import sql_server_session

            return sql_server_session(address, schemas)
        case _:
            from connectors.database.dialect import dialect_session

            return dialect_session(address, schemas)
