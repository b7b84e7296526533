"""A source database of the test's own in the embedded server, and the source `shop` that reads a database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.extraction.request import Progress, Request
from connectors.extraction.spool import Portion, Spool
from connectors.inspection import check, discover
from connectors.source import SourceConfig
from tests.conftest import NewDatabase
from warehouse.database import Warehouse


@dataclass
class SourceDatabase:
    """A database that the test fills, and that a source reads."""

    url: sa.URL
    engine: sa.Engine

    @property
    def text(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def execute(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            plain = connection.execution_options(no_parameters=True)
            for statement in statements:
                plain.exec_driver_sql(statement)


@pytest.fixture
def origin(server_url: sa.URL) -> Iterator[SourceDatabase]:
    """An empty PostgreSQL database to read from."""
    with NewDatabase(server_url) as name:
        url = server_url.set(database=name)
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        yield SourceDatabase(url, engine)
        engine.dispose()


@dataclass
class Extraction:
    """The source `shop`, extracted run after run as landing would: each run is handed what the last one left.

    Attributes:
        portions: By table, what the last run gave.
        said: What the runs said on the way.
    """

    source: SourceConfig
    folder: Path
    portions: dict[str, Portion] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    _states: dict[str, Any] = field(default_factory=dict)
    _runs: int = 0

    def run(self, *, full_refresh: bool = False) -> None:
        self._runs += 1
        progress = Progress(self.said.append)
        spool = Spool(self.folder / str(self._runs), progress)
        nowhere = Warehouse(sa.make_url("postgresql+psycopg2://nowhere"))
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        request = Request(nowhere, self.folder, scratch, full_refresh, progress, self._states)
        self.source.extract(request, spool)
        assert not list(scratch.iterdir())
        self.portions = {portion.table: portion for portion in spool.portions}
        for table, portion in self.portions.items():
            if portion.refused is None and portion.state is not None:
                self._states[table] = portion.state

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [row for batch in self.portions[table].read() for row in batch.to_pylist()]

    def column(self, table: str, column: str) -> list[Any]:
        return [row[column] for row in self.rows(table)]

    def types(self, table: str) -> dict[str, str]:
        (schema, *_) = self.portions[table].schemas
        return {field.name: str(field.type) for field in schema}

    def check(self) -> dict[str, Any]:
        return {found["table_name"]: found for found in check(self.source)}

    def discover(self) -> dict[str, Any]:
        return {found["table_name"]: found for found in discover(self.source)}


Shop = Callable[..., Extraction]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """`shop(url, "tables: {orders: {}}")` is the source `shop` of kind `database`."""

    def configure(url: str, *lines: str) -> Extraction:
        path = tmp_path / "sources.yaml"
        keys = "".join(f"    {line}\n" for line in lines)
        path.write_text(f'sources:\n  shop:\n    kind: database\n    url: "{url}"\n{keys}')
        source = load_sources(path, tmp_path / "home", drafts=() if lines else ("shop",))[0]
        return Extraction(source, tmp_path / "extracted")

    return configure
