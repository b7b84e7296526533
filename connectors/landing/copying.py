"""The end of a dlt load that is ours: Arrow batches go straight from where they are spooled into PostgreSQL's COPY.

dlt's own way writes the rows to Parquet in its package first and reads them again; here its package holds a heading
for each table, and its load jobs share the rows among them. Imports dlt, so it is imported late.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from dlt.common.destination import DestinationCapabilitiesContext, PreparedTableSchema
from dlt.common.destination.client import LoadJob, RunnableLoadJob
from dlt.common.destination.exceptions import DestinationTerminalException
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper, get_adbc_driver_location, postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient

from warehouse.database import quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

LOAD_ID = "_dlt_load_id"


class SharedRows:
    """The batches of one table, handed out one by one to the jobs that copy them.

    Attributes:
        copied: Rows that jobs have committed.
        error: What went wrong first, in reading the batches or in copying them; then nobody gets another batch.
    """

    def __init__(self, schema: "pa.Schema", batches: Iterator["pa.RecordBatch"]) -> None:
        import pyarrow as pa

        self.schema = schema.append(pa.field(LOAD_ID, pa.string(), nullable=False))
        self.copied = 0
        self.error: Exception | None = None
        self._batches = batches
        self._lock = threading.Lock()
        self._load_ids: pa.Array | None = None

    def share(self, load_id: str) -> Iterator["pa.RecordBatch"]:
        """Batches that no other caller gets, each row with the load id."""
        import pyarrow as pa

        while True:
            with self._lock:
                try:
                    batch = None if self.error else next(self._batches, None)
                except Exception as error:
                    # Kept here because it goes through ADBC, which keeps no more of it than its text.
                    self.error = error
                    raise
                if batch is None:
                    return
                if self._load_ids is None or len(self._load_ids) < batch.num_rows:
                    self._load_ids = pa.repeat(pa.scalar(load_id), batch.num_rows)
                load_ids = self._load_ids[: batch.num_rows]
            yield pa.RecordBatch.from_arrays([*batch.columns, load_ids], schema=self.schema)

    def count(self, rows: int) -> None:
        """Add to the rows that are committed."""
        with self._lock:
            self.copied += rows

    def fail(self, error: Exception) -> None:
        """Hand out no more, and remember why."""
        with self._lock:
            self.error = self.error or error


class CopyJob(RunnableLoadJob):
    """Copies its share of a table's rows in one transaction.

    It is never tried again: the connection may break when the rows are committed already, and a second time they
    would have the same load id. The next landing starts anew, under another one.
    """

    def __init__(self, file_path: str, rows: SharedRows) -> None:
        super().__init__(file_path)
        self._rows = rows

    def run(self) -> None:
        """See `RunnableLoadJob`."""
        share = self._rows.share(self._load_id)
        try:
            first = next(share, None)
            if first is not None:
                self._rows.count(self._copy(chain([first], share)))
        except Exception as error:
            self._rows.fail(error)
            raise DestinationTerminalException(str(error)) from error

    def _copy(self, batches: Iterator["pa.RecordBatch"]) -> int:
        import pyarrow as pa
        from adbc_driver_manager import dbapi

        client: Any = self._job_client
        options = {"uri": client.config.credentials.to_native_representation()}
        with (
            dbapi.connect(driver=get_adbc_driver_location(), db_kwargs=options) as connection,
            connection.cursor() as cursor,
        ):
            rows: int = cursor.adbc_ingest(
                self.load_table_name,
                pa.RecordBatchReader.from_batches(self._rows.schema, batches),
                mode="append",
                db_schema_name=client.sql_client.dataset_name,
            )
            connection.commit()
        return rows


class RawTypes(PostgresTypeMapper):
    """PostgreSQL types of raw: a decimal is `numeric` of any precision, so that later rows may have more digits."""

    def to_db_decimal_type(self, column: TColumnSchema) -> str:  # noqa: ARG002 - the precision is what is left out.
        """See `TypeMapperImpl`."""
        return "numeric"


class RawPostgres(postgres):
    """dlt's destination PostgreSQL, with `CopyJob` in place of its own jobs for files.

    Args:
        url: libpq URL.
        rows: The rows of each table that is loaded.
    """

    def __init__(self, url: str, rows: dict[str, SharedRows]) -> None:
        super().__init__(credentials=url, destination_name="postgres")
        self._rows = rows

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = RawTypes
        return capabilities

    @property
    def client_class(self) -> type[PostgresClient]:
        """See `Destination`."""
        rows = self._rows

        class Client(PostgresClient):
            """Makes the tables with their index, and starts the jobs."""

            def _get_table_update_sql(
                self, table_name: str, new_columns: Sequence[TColumnSchema], generate_alter: bool
            ) -> list[str]:
                statements = super()._get_table_update_sql(table_name, new_columns, generate_alter)
                is_landed = any(column["name"] == LOAD_ID for column in new_columns)
                if is_landed and not generate_alter:
                    statements.append(_index(table_name, self.sql_client.make_qualified_table_name(table_name)))
                return statements

            def create_load_job(
                self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
            ) -> LoadJob:
                if table["name"] in rows:
                    return CopyJob(file_path, rows[table["name"]])
                return super().create_load_job(table, file_path, load_id, restore)

        return Client


def _index(table: str, qualified_name: str) -> str:
    """Lets a batch be found without reading the table: rows of a load lie together, so a BRIN index does.

    It is made while the table is empty, which costs nothing; new pages are summarized by autovacuum.
    """
    name = quote_identifier(f"{table[:45]}_{hashlib.sha256(table.encode()).hexdigest()[:8]}_load")
    return f"create index {name} on {qualified_name} using brin ({LOAD_ID}) with (autosummarize = on)"
