"""Every other database, through its SQLAlchemy dialect: large batches of rows, typed by what reflection says."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connectors.database.address import Address
from connectors.database.dialect_types import RowTyping, column_of
from connectors.database.relation import Column, Relation, Statement
from connectors.database.session import Session, SetAside
from connectors.database.trouble import told
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

_BATCH_ROWS = 20_000


class DialectSession(Session):
    """One connection, in one transaction where the database has such a thing; tables are read one after another."""

    consistency = "all tables of the run in one transaction"
    is_parallel = False

    def __init__(self, address: Address, connection: "sa.Connection", schemas: Sequence[str]) -> None:
        import sqlalchemy as sa

        self._address = address
        self._connection = connection
        # Without this a percent sign in a query would be taken for a parameter's place.
        self._plain = connection.execution_options(no_parameters=True)
        self._dialect = connection.dialect
        self._inspector = sa.inspect(connection)
        self._schemas = list(schemas)
        self.text_type = "varchar2(4000)" if self._dialect.name == "oracle" else "text"

    def schemas(self) -> list[str | None]:
        """See `Session`."""
        return list(self._schemas) or [self._inspector.default_schema_name]

    def relations(self) -> list[Relation]:
        """See `Session`."""
        found = []
        with self._failing(f"the catalogue of {self._address.where} cannot be read"):
            for schema in self.schemas():
                found += [Relation(name, schema) for name in self._inspector.get_table_names(schema)]
                found += [Relation(name, schema, is_view=True) for name in self._inspector.get_view_names(schema)]
        return sorted(set(found), key=lambda relation: relation.said)

    def columns(self, relation: Relation) -> list[Column]:
        """See `Session`."""
        import sqlalchemy as sa

        if relation.query is None:
            try:
                reflected = self._inspector.get_columns(relation.name, relation.schema)
                named = [(item["name"], _type_name(item["type"], self._dialect)) for item in reflected]
                return [column_of(name, kind, self.quote(name), self._dialect.name) for name, kind in named]
            except (sa.exc.SQLAlchemyError, NotImplementedError) as error:
                # SQLAlchemy's dialects raise NotImplementedError for what they cannot reflect: then the rows tell what
                # they are, or fail with the reason.
                self._go_on_after(error, relation)
        with self._failing(f"{relation.said} cannot be read"):
            result = self._plain.exec_driver_sql(f"select * from {self.source(relation)} where 1 = 0")
            described = list(result.cursor.description) if result.cursor is not None else []
            result.close()
        return [
            column_of(item[0], str(item[1] or "").upper(), self.quote(item[0]), self._dialect.name)
            for item in described
        ]

    def key(self, relation: Relation) -> list[str]:
        """See `Session`."""
        import sqlalchemy as sa

        if relation.query is not None or relation.is_view:
            return []
        try:
            primary = self._inspector.get_pk_constraint(relation.name, relation.schema).get("constrained_columns")
            if primary:
                return list(primary)
            columns = self._inspector.get_columns(relation.name, relation.schema)
            never_null = {column["name"] for column in columns if not column["nullable"]}
            unique = self._inspector.get_unique_constraints(relation.name, relation.schema)
            keys = [list(item["column_names"]) for item in unique if never_null.issuperset(item["column_names"])]
            return min(keys, key=len, default=[])
        except (sa.exc.SQLAlchemyError, NotImplementedError) as error:
            # SQLAlchemy's dialects raise NotImplementedError for what they cannot reflect, as duckdb_engine for keys;
            # then sources.yaml has to say the key.
            self._go_on_after(error, relation)
            return []

    def _go_on_after(self, error: Exception, relation: Relation) -> None:
        """Take up the connection after a dialect could not reflect something; a broken one is no such case."""
        if getattr(error, "connection_invalidated", False):
            with self._failing(f"{relation.said} cannot be read"):
                raise error
        self._connection.rollback()

    def estimate(self, relation: Relation) -> int | None:  # noqa: ARG002
        """See `Session`."""
        return None

    def quote(self, name: str) -> str:
        """See `Session`."""
        return self._dialect.identifier_preparer.quote(name)

    def as_text(self, column: Column) -> Column:
        """See `Session`."""
        expression = f"cast({self.quote(column.name)} as {self.text_type})"
        return column_of(column.name, "TEXT", expression, self._dialect.name)

    def literal(self, column: Column, value: Any) -> str:
        """See `Session`."""
        if isinstance(value, datetime):
            moment = (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat(" ")
            if self._dialect.name == "sqlite":
                return f"'{moment}'"
            has_zone = "ZONE" in column.type_name.upper() or "TZ" in column.type_name.upper()
            return f"cast('{moment}+00:00' as timestamp with time zone)" if has_zone else f"timestamp '{moment}'"
        if isinstance(value, date):
            return f"'{value}'" if self._dialect.name == "sqlite" else f"date '{value}'"
        if not isinstance(value, str):
            return str(value)
        import sqlalchemy as sa

        literal = sa.literal(value, sa.String())
        return str(literal.compile(dialect=self._dialect, compile_kwargs={"literal_binds": True}))

    def read(self, statement: Statement, set_aside: SetAside) -> Iterator["pa.RecordBatch"]:
        """See `Session`."""
        typing = RowTyping(statement.columns)
        with self._failing(f"{statement.said} cannot be read"):
            result = self._plain.execution_options(stream_results=True).exec_driver_sql(statement.sql)
            try:
                rows: Sequence[Any] = result.fetchmany(_BATCH_ROWS)
                yield typing.batch(rows, set_aside)
                while rows := result.fetchmany(_BATCH_ROWS):
                    yield typing.batch(rows, set_aside)
            finally:
                result.close()

    def _failing(self, what: str) -> Any:
        import sqlalchemy as sa

        return told(self._address, what, sa.exc.SQLAlchemyError, sqlite3.Error)


@contextmanager
def dialect_session(address: Address, schemas: Sequence[str]) -> Iterator[Session]:
    """A session through the SQLAlchemy dialect that the URL names.

    Raises:
        DataInsightError: Its driver is not installed, the database cannot be reached, or a query fails.
    """
    import sqlalchemy as sa

    what = f"{address.where} cannot be reached"
    try:
        engine = _engine(address)
    except (sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        missing = getattr(error, "name", None) or address.url.drivername
        raise DataInsightError(
            f"source {address.source}: nothing here reads {address.url.drivername}: {missing} is not installed",
            hint="install the package of its SQLAlchemy dialect and of its driver beside datainsight",
        ) from None
    try:
        with told(address, what, sa.exc.SQLAlchemyError, sqlite3.Error, OSError):
            connection = engine.connect()
        try:
            with told(address, what, sa.exc.SQLAlchemyError, sqlite3.Error):
                _begin(connection)
                session = DialectSession(address, connection, schemas)
            yield session
        finally:
            connection.close()
    finally:
        engine.dispose()


def _engine(address: Address) -> "sa.Engine":
    import sqlalchemy as sa

    backend = address.url.get_backend_name()
    if backend == "sqlite":
        path = f"file:{quote(str(address.url.database))}?mode=ro"

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(path, uri=True, check_same_thread=False)
            connection.text_factory = _text_or_bytes
            return connection

        return sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    options = {"read_only": True} if backend == "duckdb" else {}
    return sa.create_engine(address.url, connect_args=options, poolclass=sa.NullPool)


def _begin(connection: "sa.Connection") -> None:
    """Begin a transaction that reads one state of the database, where that needs saying."""
    match connection.dialect.name:
        case "sqlite":
            connection.exec_driver_sql("begin")
        case "oracle":
            connection.exec_driver_sql("set transaction read only")


def _text_or_bytes(data: bytes) -> str | bytes:
    """Text of SQLite; where it is not UTF-8, its bytes, which no text column takes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _type_name(kind: Any, dialect: Any) -> str:
    import sqlalchemy as sa

    try:
        return str(kind.compile(dialect=dialect))
    except sa.exc.SQLAlchemyError:
        return ""
