"""A source of files and a source of a database, before anything of them has landed."""

from pathlib import Path

import pytest

from tests.connectors.database.conftest import SourceDatabase, origin
from tests.connectors.exactly_once.origins import DatabaseShop, FileShop
from warehouse.database import Warehouse

__all__ = ["origin"]


@pytest.fixture
def files(warehouse: Warehouse, tmp_path: Path) -> FileShop:
    return FileShop(warehouse, tmp_path, tmp_path / "home")


@pytest.fixture
def tables(warehouse: Warehouse, tmp_path: Path, origin: SourceDatabase) -> DatabaseShop:
    return DatabaseShop(warehouse, tmp_path, tmp_path / "home", origin)
