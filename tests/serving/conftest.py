"""A small star in the schema `marts`, the project's own definitions, and the platform's two doors over them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from serving.metrics import Metrics, parse_query
from serving.snapshots import Snapshot, latest_snapshot
from serving.store import PublishedSnapshot, publish
from tests.conftest import migrated_database
from tests.dbt_project.project import Project
from warehouse.database import TRANSFORMER, Warehouse
from warehouse.settings import Settings

STAR = Path(__file__).with_name("marts.sql")


@pytest.fixture(scope="session")
def semantic_manifest(project: Project) -> Path:
    """What dbt makes of the project's definitions."""
    return project.folder / "target" / "semantic_manifest.json"


@dataclass
class Store:
    """The metric store of one test, or of a module whose tests only read it."""

    warehouse: Warehouse
    settings: Settings
    semantic_manifest: Path

    def sql(self, statement: str) -> None:
        """Change the marts, as dbt would."""
        with self.warehouse.engine(TRANSFORMER).begin() as connection:
            connection.exec_driver_sql(statement.replace("%", "%%"), ())

    def publish(self, fingerprint: str = "a build", **options: Any) -> PublishedSnapshot:
        """Publish what the marts hold now."""
        given: dict[str, Any] = {"checks": {"passed": 7, "warned": 1, "failed": 0}, **options}
        return publish(
            self.warehouse,
            self.settings,
            semantic_manifest=self.semantic_manifest,
            fingerprint=fingerprint,
            **given,
        )

    def latest(self) -> Snapshot:
        """The snapshot that readers get."""
        with self.warehouse.engine().connect() as connection:
            found = latest_snapshot(connection)
        assert found is not None
        return found


@pytest.fixture
def store(warehouse: Warehouse, settings: Settings, semantic_manifest: Path) -> Store:
    """The small star, not yet published."""
    made = Store(warehouse, settings, semantic_manifest)
    made.sql(STAR.read_text(encoding="utf-8"))
    return made


@dataclass
class Asking:
    """Metrics as a user asks for them."""

    metrics: Metrics

    def answer(self, *names: str, organization: str | None = None, **query: Any) -> dict[str, Any]:
        """The whole answer, as JSON values."""
        return self.metrics.query(parse_query({"metrics": names, **query}), organization).to_dict()

    def rows(self, *names: str, **query: Any) -> list[list[Any]]:
        """Just the rows."""
        rows: list[list[Any]] = self.answer(*names, **query)["rows"]
        return rows


@pytest.fixture
def ask(store: Store) -> Iterator[Asking]:
    """Asks the store; nothing is published until the test does it."""
    metrics = Metrics(store.settings, store.warehouse)
    yield Asking(metrics)
    metrics.close()


@dataclass
class NewStores:
    """Makes published stores, each with a database of its own."""

    server_url: sa.URL
    template: str
    semantic_manifest: Path

    @contextmanager
    def published(self, home: Path, *changes: str) -> Iterator[Store]:
        """The small star, after these statements, published."""
        with migrated_database(self.server_url, self.template) as url:
            warehouse = Warehouse(url)
            settings = Settings(database_url=warehouse.url(), home=home)  # type: ignore[arg-type]
            made = Store(warehouse, settings, self.semantic_manifest)
            for statement in (STAR.read_text(encoding="utf-8"), *changes):
                made.sql(statement)
            made.publish()
            yield made
            warehouse.dispose()


@pytest.fixture(scope="session")
def new_stores(server_url: sa.URL, _template: str, semantic_manifest: Path) -> NewStores:
    """For tests that need more than one store, or another star."""
    return NewStores(server_url, _template, semantic_manifest)


@pytest.fixture(scope="module")
def published(new_stores: NewStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The small star, published once for those tests of a module that neither change it nor publish again."""
    with new_stores.published(tmp_path_factory.mktemp("published")) as made:
        yield made


@pytest.fixture(scope="module")
def reader(published: Store) -> Iterator[Asking]:
    """Asks what was published once for the module; an equal question of another test is answered from memory."""
    metrics = Metrics(published.settings, published.warehouse)
    yield Asking(metrics)
    metrics.close()
