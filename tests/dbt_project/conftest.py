"""A fresh database of one fixed name for each test to build the project in."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.conftest import migrated_database
from tests.dbt_project.project import Project, Star
from warehouse.database import Warehouse


@pytest.fixture
def star(project: Project, server_url: sa.URL, _template: str) -> Iterator[Star]:
    """A migrated, empty warehouse of this test's own, for the project to be built in."""
    with migrated_database(server_url, _template, project.url.database) as url:
        warehouse = Warehouse(url)
        yield Star(project, warehouse)
        warehouse.dispose()
