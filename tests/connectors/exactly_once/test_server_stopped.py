"""PostgreSQL is stopped at once, as in a crash, while a source lands, and started again."""

import os
import signal
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.connectors.database.conftest import SourceDatabase
from tests.connectors.exactly_once.origins import DatabaseShop, FileShop, Shop
from tests.connectors.exactly_once.process import until
from tests.warehouse.embedded_programs import clean_home
from warehouse.database import Warehouse
from warehouse.embedded import EmbeddedServer
from warehouse.embedded.postmaster import find_postmaster
from warehouse.migrate import migrate


@dataclass
class Server:
    """A PostgreSQL of these tests' own, at the same port whenever it runs."""

    home: Path
    url: sa.URL

    def stop(self) -> None:
        """As `pg_ctl stop -m immediate`, which refuses to run as root."""
        postmaster = find_postmaster(self.home / "postgres" / "data")
        assert postmaster is not None
        os.kill(postmaster.pid, signal.SIGQUIT)
        until(lambda: find_postmaster(self.home / "postgres" / "data") is None)

    def start(self) -> None:
        assert EmbeddedServer(self.home).start_kept() == self.url

    def new_database(self) -> sa.URL:
        """One that goes with the server."""
        name = f"test_{uuid.uuid4().hex}"
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(f"create database {name}"))
        return self.url.set(database=name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with clean_home(tmp_path_factory.mktemp("stopped")) as home:
        yield Server(home, EmbeddedServer(home).start_kept())


@pytest.fixture
def own_warehouse(server: Server) -> Iterator[Warehouse]:
    warehouse = Warehouse(server.new_database())
    migrate(warehouse.engine())
    yield warehouse
    warehouse.dispose()


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, server: Server, own_warehouse: Warehouse, tmp_path: Path
) -> FileShop | DatabaseShop:
    """A source; the database that the one reads is in the server that is stopped, too."""
    if request.param is FileShop:
        return FileShop(own_warehouse, tmp_path, tmp_path / "home")
    url = server.new_database()
    origin = SourceDatabase(url, sa.create_engine(url, poolclass=sa.NullPool))
    return DatabaseShop(own_warehouse, tmp_path, tmp_path / "home", origin)


@pytest.mark.parametrize(
    ("shop", "moment"),
    [(FileShop, "copying"), (DatabaseShop, "copying"), (DatabaseShop, "appended")],
    indirect=["shop"],
)
def test_the_run_fails_in_one_line_and_the_next_one_lands_everything(moment: str, shop: Shop, server: Server) -> None:
    with shop.process(moment) as process:
        process.reach()
        server.stop()
        process.fail()
    server.start()
    shop.rerun_and_verify()


@pytest.mark.parametrize(
    ("shop", "moment"),
    [(FileShop, "one table copied"), (DatabaseShop, "extracted"), (DatabaseShop, "one table recorded")],
    indirect=["shop"],
)
def test_the_server_is_back_before_the_run_goes_on(moment: str, shop: Shop, server: Server) -> None:
    with shop.process(moment) as process:
        process.reach()
        server.stop()
        server.start()
        process.fail()
    shop.rerun_and_verify()


@pytest.mark.parametrize("shop", [FileShop, DatabaseShop], indirect=True)
def test_what_was_recorded_outlives_the_server(shop: Shop, server: Server) -> None:
    with shop.process("recorded") as process:
        process.reach()
        server.stop()
        server.start()
        process.finish()
    assert shop.rerun() == []
    shop.verify()
