"""A source whose rows the test says: what every kind may do, without a system behind it."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from pydantic import PrivateAttr, SecretStr

from connectors.extraction.request import DiscoveredTable, Request, TableCheck
from connectors.extraction.spool import Spool
from connectors.landing.land import land
from connectors.source import SourceConfig, TableConfig
from warehouse.database import Warehouse


class ScriptedSource(SourceConfig):
    """Calls the test's function where another kind would read."""

    kind: str = "scripted"
    tables: Mapping[str, TableConfig] = {}
    password: SecretStr = SecretStr("")
    _script: Callable[[Request, Spool], None] = PrivateAttr()

    @classmethod
    def that(cls, script: Callable[[Request, Spool], None], **settings: Any) -> "ScriptedSource":
        source = cls(name="shop", **settings)
        source._script = script
        return source

    def check(self) -> list[TableCheck]:
        return []

    def discover(self) -> list[DiscoveredTable]:
        return []

    def extract(self, request: Request, spool: Spool) -> None:
        self._script(request, spool)


class Shop:
    """Lands what a test says as tables of the source `shop`, and reads what became of it."""

    def __init__(self, warehouse: Warehouse, home: Any) -> None:
        self.warehouse = warehouse
        self.home = home
        self.said: list[str] = []

    def land(
        self, script: Callable[[Request, Spool], None], *, full_refresh: bool = False, **settings: Any
    ) -> list[int]:
        source = ScriptedSource.that(script, **settings)
        return land(source, self.warehouse, self.home, full_refresh=full_refresh, say=self.said.append)

    def land_rows(
        self, *rows: Mapping[str, Any], key: str | None = "id", full_refresh: bool = False, **said: Any
    ) -> Any:
        """Land rows as one portion of the table `orders`; gives the batch ids."""
        columns = said.pop("columns", None)

        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders", key=[key] if key else [], **said) as portion:
                if rows or columns:
                    portion.write(batch_of(rows, columns))

        return self.land(script, full_refresh=full_refresh)

    def admit(self) -> None:
        """Admit whatever landed, as quality would."""
        self.query(
            "update ops.batches set status = 'admitted', admission_seq = nextval('ops.admission_seq')"
            " where status = 'landed'"
        )

    def query(self, sql: str) -> list[Any]:
        with self.warehouse.engine().begin() as connection:
            result = connection.execute(sa.text(sql))
            return [tuple(row) for row in result] if result.returns_rows else []

    def batch(self, batch_id: int) -> Any:
        with self.warehouse.engine().begin() as connection:
            return connection.execute(sa.text("select * from ops.batches where batch_id = :id"), {"id": batch_id}).one()


def batch_of(rows: Any, columns: Mapping[str, Any] | None = None) -> pa.RecordBatch:
    """Rows as a batch of the types that Arrow finds, or of these."""
    if columns is not None:
        return pa.RecordBatch.from_pylist(list(rows), schema=pa.schema(list(columns.items())))
    return pa.RecordBatch.from_pylist(list(rows))
