"""The two sources of these tests, one of files and one of a database: what they hold, and what of it is admitted."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.config import load_sources
from connectors.landing.land import land
from quality.validate import validate_landed
from tests.connectors.database.conftest import SourceDatabase
from tests.connectors.exactly_once.process import LandingProcess
from warehouse.database import Warehouse

Rows = Counter[tuple[Any, ...]]
SOURCE = "shop"


@dataclass
class Shop(ABC):
    """The source `shop`, the folder it is configured in, and the warehouse it lands in.

    Attributes:
        home: The platform's home folder.
    """

    warehouse: Warehouse
    folder: Path
    home: Path

    def __post_init__(self) -> None:
        (self.folder / "sources.yaml").write_text(json.dumps({"sources": {SOURCE: self.settings()}}))
        self.grow()

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """What `sources.yaml` says."""

    @abstractmethod
    def grow(self) -> None:
        """Have something new in every table."""

    @abstractmethod
    def verify(self) -> None:
        """Assert that the admitted rows are exactly the source's rows."""

    def process(self, moment: str | None = None, act: str = "pause", **settings: str) -> LandingProcess:
        """A process that lands it."""
        environment = {
            "DATAINSIGHT_DATABASE_URL": self.warehouse.url(),
            "DATAINSIGHT_HOME": str(self.home),
            "DATAINSIGHT_SOURCES": str(self.folder / "sources.yaml"),
        }
        return LandingProcess(environment | settings, SOURCE, moment, act)

    def rerun(self) -> list[int]:
        """One clean run, and the judgement of quality."""
        (source,) = load_sources(self.folder / "sources.yaml", self.home)
        batches = land(source, self.warehouse, self.home)
        validate_landed(self.warehouse)
        return batches

    def rerun_and_verify(self) -> None:
        """After one clean run, nothing is missing, nothing is there twice, and nothing is left to land."""
        self.rerun()
        self.verify()
        assert self.rerun() == []
        self.verify()

    def admitted(self, table: str, columns: Sequence[str], where: str = "true") -> Rows:
        """The rows that staging reads: those of admitted batches, without what is in quarantine."""
        return self.rows(
            f"select {', '.join(f'landed.{column}' for column in columns)} from raw_{SOURCE}.{table} as landed"
            f" join ops.batches as batch on batch.load_id = landed._dlt_load_id and batch.table_name = '{table}'"
            f" where batch.source = '{SOURCE}' and status = 'admitted' and ({where}) and not exists (select from"
            " ops.quarantine where quarantine.batch_id = batch.batch_id and row_id = landed._row_number)"
        )

    def rows(self, sql: str) -> Rows:
        with self.warehouse.engine().connect() as connection:
            return Counter(tuple(row) for row in connection.execute(sa.text(sql)))

    def verify_ledger(self) -> None:
        """What the ledger says of each batch is what is there."""
        for table, load_id, count in self.rows(
            f"select table_name, load_id, row_count - quarantined_count + deleted_count from ops.batches"
            f" where source = '{SOURCE}' and load_id is not null"
        ):
            assert self.rows(
                f"select count(*), count(distinct _row_number) from raw_{SOURCE}.{table}"
                f" where _dlt_load_id = '{load_id}'"
            ) == Counter([(count, count)])


@dataclass
class FileShop(Shop):
    """Orders with a key as CSV, visits without one as JSON lines, one of which cannot be read in each delivery."""

    delivered: dict[str, Rows] = field(default_factory=lambda: {"orders": Counter(), "visits": Counter()})
    deliveries: int = 0

    def settings(self) -> Mapping[str, Any]:
        tables = {"orders": {"path": "data/orders_*.csv", "key": "id"}, "visits": {"path": "data/visits_*.jsonl"}}
        return {"kind": "files", "tables": tables}

    def grow(self) -> None:
        for _ in range(2):
            self.deliveries += 1
            self._deliver(self.deliveries)

    def _deliver(self, number: int) -> None:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        orders = [(f"{number}-{row}", f"{row}.50", f"'naïve',\n{row}") for row in range(300)]
        lines = [f'{key},{amount},"{note}"' for key, amount, note in orders]
        (data / f"orders_{number}.csv").write_text("\n".join(["id,amount,note", *lines, ""]))
        # Many rows are the same, to the letter, within a file and between files.
        visits = [(f"/page/{row % 7}", row % 3) for row in range(200)]
        rows = [json.dumps({"page": page, "seconds": seconds}) for page, seconds in visits]
        (data / f"visits_{number}.jsonl").write_text("\n".join([*rows, '{"page": ', ""]))
        self.delivered["orders"] += Counter(orders)
        self.delivered["visits"] += Counter((page, str(seconds)) for page, seconds in visits)

    def verify(self) -> None:
        assert self.admitted("orders", ["id", "amount", "note"]) == self.delivered["orders"]
        assert self.admitted("visits", ["page", "seconds::text"]) == self.delivered["visits"]
        assert self.rows("select count(*) from ops.quarantine") == Counter([(self.deliveries,)])
        assert self.rows("select count(*), count(distinct path) from ops.files") == Counter(
            [(2 * self.deliveries,) * 2]
        )
        self.verify_ledger()


@dataclass
class DatabaseShop(Shop):
    """Orders with a key and a cursor; customers with a key, some of whom leave; readings without a key."""

    origin: SourceDatabase
    changes: int = 0
    versions: Rows = field(default_factory=Counter)

    def settings(self) -> Mapping[str, Any]:
        tables = {"orders": {"cursor": "updated_at", "lag": "1 hour"}, "customers": {}, "readings": {}}
        return {"kind": "database", "url": self.origin.text, "tables": tables}

    def grow(self) -> None:
        if not self.changes:
            self.origin.execute(
                "create table orders (id int primary key, amount numeric(9, 2), updated_at timestamptz)",
                "create table customers (id int primary key, name text)",
                "create table readings (sensor text, value double precision)",
            )
        self.changes += 1
        now = f"timestamptz '2024-01-{self.changes:02} 00:00Z'"
        self.origin.execute(
            f"update orders set amount = amount + 1, updated_at = {now} where id % 5 = 0",
            f"insert into orders select {self.changes} * 1000 + n, n / 4.0, {now} - n % 50 * interval '1 minute'"
            " from generate_series(1, 300) as n",
            "delete from customers where id % 7 = 0",
            "update customers set name = name || '!' where id % 11 = 0",
            f"insert into customers select {self.changes} * 1000 + n, 'n° ' || n from generate_series(1, 200) as n",
            "insert into readings select 'sensor ' || n % 4, n % 3 / 8.0 from generate_series(1, 150) as n",
        )
        self.versions |= self._source("select id, amount, updated_at from orders")

    def _source(self, sql: str) -> Rows:
        with self.origin.engine.connect() as connection:
            return Counter(tuple(row) for row in connection.execute(sa.text(sql)))

    def verify(self) -> None:
        # Orders as a history: each version that a run has met came once.
        assert self.admitted("orders", ["id", "amount", "updated_at"]) == self.versions
        newest = self.rows(
            "select id, name from (select distinct on (id) landed.*, to_jsonb(landed) -> '_dlt_deleted' as deleted"
            f" from raw_{SOURCE}.customers as landed join ops.batches on load_id = _dlt_load_id"
            " and table_name = 'customers' where status = 'admitted'"
            " order by id, admission_seq desc, _row_number desc) as newest where deleted is distinct from 'true'"
        )
        assert newest == self._source("select id, name from customers")
        newest_copy = (
            "admission_seq = (select max(admission_seq) from ops.batches where table_name = 'readings' and is_complete)"
        )
        readings = self.admitted("readings", ["sensor", "value"], newest_copy)
        assert readings == self._source("select sensor, value from readings")
        self.verify_ledger()
