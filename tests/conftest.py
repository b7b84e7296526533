"""Shared ground of the tests: one embedded server for the whole session, one database and one home per test."""

import gc
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from tests.dbt_project.project import Project
from warehouse.database import Warehouse
from warehouse.doors.sync import sync_policy
from warehouse.embedded import EmbeddedServer
from warehouse.migrate import migrate
from warehouse.settings import PREFIX, Settings

# Where Linux has a file system in memory.
_MEMORY = Path("/dev/shm")  # noqa: S108  Of a name that nobody else has.
_ENOUGH_BYTES = 4 * 1024**3

# Libraries and dbt's manifest are a million objects that never go; to look through all of them as often as for a small
# program takes a twentieth of the tests' time.
gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the developer's own reaches a test, and no test reaches the developer's home."""
    for name in list(os.environ):
        if name.startswith((PREFIX, "DAGSTER_", "DBT_", "PG", "REDIS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """The embedded server that all workers of this session share; the last one to leave stops it.

    `TEST_SERVER` names another one instead, for the older versions that are supported.
    """
    if given := os.environ.get("TEST_SERVER"):
        yield sa.make_url(given).set(drivername="postgresql+psycopg2")
        return
    home = _home_of_server(tmp_path_factory)
    server = EmbeddedServer(home)
    url = server.acquire()
    _forgetful(url)
    yield url
    server.release()
    if not server.status().running:
        shutil.rmtree(home)


def _home_of_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this session: in memory, where there is some.

    Each test makes and removes a database of hundreds of files, which file systems on disks take their time for.
    """
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
        return _MEMORY / f"datainsight-tests-{session or uuid.uuid4().hex}"
    base = tmp_path_factory.getbasetemp()
    return (base if session is None else base.parent) / "server"


def _forgetful(url: sa.URL) -> None:
    """Let the server of the tests lose everything at a power failure: nobody needs it then, and it is much faster.

    Nor does it tidy up hundreds of databases that are about to go, and its passwords need not be hard to guess: with
    4,096 iterations a client spends more time on its password than on everything else of a connection.
    """
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(sa.text(f"alter system set {setting} = off"))
        connection.execute(sa.text("alter system set scram_iterations = 1"))
        connection.execute(sa.text("select pg_reload_conf()"))
        connection.execute(sa.text("set scram_iterations = 1"))
        connection.execute(sa.text(f"alter role {url.username} password '{url.password}'"))
    engine.dispose()


@pytest.fixture(scope="session")
def _template(server_url: sa.URL) -> Iterator[str]:
    """A migrated database that the databases of this worker's tests are copied from."""
    with NewDatabase(server_url) as name:
        engine = sa.create_engine(server_url.set(database=name))
        migrate(engine)
        engine.dispose()
        opened = Warehouse(server_url.set(database=name))
        sync_policy(opened)
        opened.dispose()
        # A session that stayed connected would make a copy of it fail now and then; closed, it fails at once.
        server = sa.create_engine(server_url)
        with server.begin() as connection:
            connection.execute(sa.text(f"alter database {name} allow_connections false"))
        server.dispose()
        yield name


@pytest.fixture
def database(server_url: sa.URL, _template: str) -> Iterator[sa.URL]:
    """A migrated, empty database of this test's own."""
    with migrated_database(server_url, _template) as url:
        yield url


@pytest.fixture
def warehouse(database: sa.URL) -> Iterator[Warehouse]:
    """The test's own database behind the door that every room uses."""
    opened = Warehouse(database)
    yield opened
    opened.dispose()


@pytest.fixture
def settings(database: sa.URL, tmp_path: Path) -> Settings:
    """Settings over the test's own database and home."""
    return Settings(
        database_url=database.set(drivername="postgresql").render_as_string(hide_password=False),  # type: ignore[arg-type]
        home=tmp_path / "home",
    )


@pytest.fixture(scope="session")
def project(server_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The parsed project of this worker."""
    url = server_url.set(database=f"test_dbt_{uuid.uuid4().hex}")
    parsed = Project(url, tmp_path_factory.mktemp("dbt"))
    parsed.run("parse")
    return parsed


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data of the acceptance tests; it is not part of the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"the acceptance data is not there: {folder} (set SHARED_DATA to its folder)")
    return folder


class NewDatabase:
    """A database for as long as the context lasts."""

    def __init__(self, server: sa.URL, template: str = "template1", name: str | None = None) -> None:
        self._server = server.set(drivername="postgresql").render_as_string(hide_password=False)
        self._name = name or f"test_{uuid.uuid4().hex}"
        self._template = template

    def __enter__(self) -> str:
        # Copying files is the fastest way, now that nothing is flushed to disk.
        self.execute(f"create database {self._name} template {self._template} strategy file_copy")
        return self._name

    def __exit__(self, *_: object) -> None:
        self.execute(f"drop database {self._name} with (force)")

    def execute(self, *statements: str) -> None:
        """Execute statements as its owner, each in a transaction of its own, from outside of it."""
        with closing(psycopg2.connect(self._server)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)


@contextmanager
def migrated_database(server: sa.URL, template: str, name: str | None = None) -> Iterator[sa.URL]:
    """A copy of the migrated database, for as long as the context lasts."""
    database = NewDatabase(server, template, name)
    with database as created:
        # A copy has everything but the rights that belong to the database itself (`warehouse.migrate`).
        database.execute(
            f"grant create, temporary on database {created} to loader, transformer",
            f"revoke create, temporary on database {created} from public",
        )
        yield server.set(database=created)
