"""A source over files of the test's own, and a look at what landed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.landing.land import land
from connectors.source import SourceConfig
from warehouse.database import Warehouse

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file under the test's data folder; gives its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], SourceConfig]:
    """The source `shop` whose tables are the given YAML mapping."""

    def configure(tables: str) -> SourceConfig:
        path = tmp_path / "sources.yaml"
        path.write_text(f"sources:\n  shop:\n    kind: files\n    tables: {tables}\n")
        return load_sources(path, tmp_path / "home")[0]

    return configure


@dataclass
class Shop:
    """The source `shop` and the warehouse it lands in."""

    source: SourceConfig
    warehouse: Warehouse
    home: Path

    def land(self, *, full_refresh: bool = False) -> list[int]:
        return land(self.source, self.warehouse, self.home, full_refresh=full_refresh)

    def all(self, sql: str) -> list[dict[str, Any]]:
        with self.warehouse.engine().connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(sql)).mappings()]

    def column(self, sql: str) -> list[Any]:
        return [next(iter(row.values())) for row in self.all(sql)]

    def execute(self, sql: str) -> None:
        with self.warehouse.engine().begin() as connection:
            connection.execute(sa.text(sql))

    def batches(self) -> list[dict[str, Any]]:
        return self.all("select * from ops.batches order by batch_id")

    def refusals(self) -> list[str]:
        return [batch["checks"][0]["detail"] for batch in self.batches() if batch["status"] == "refused"]


@pytest.fixture
def shop(configured: Callable[[str], SourceConfig], warehouse: Warehouse, tmp_path: Path) -> Callable[[str], Shop]:
    """`shop("{orders: {path: …}}")` is a source with these tables over the test's own database."""

    def build(tables: str) -> Shop:
        return Shop(configured(tables), warehouse, tmp_path / "home")

    return build
