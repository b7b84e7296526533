"""A fresh database of one fixed name for each test to build the project in."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.dbt_project.project import Project, Star
from warehouse.database import Warehouse
from warehouse.migrate import migrate


@pytest.fixture
def star(project: Project, server_url: sa.URL, _template: str) -> Iterator[Star]:
    """A migrated, empty warehouse of this test's own, for the project to be built in."""
    server = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"create database {project.url.database} template {_template} strategy file_copy"))
    warehouse = Warehouse(project.url)
    migrate(warehouse.engine())
    yield Star(project, warehouse)
    warehouse.dispose()
    with server.connect() as connection:
        connection.execute(sa.text(f"drop database {project.url.database} with (force)"))
    server.dispose()
