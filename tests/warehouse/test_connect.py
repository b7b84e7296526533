"""Opening the warehouse of the settings: the embedded server or a given one."""

import socket
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from warehouse.connect import database_name, open_warehouse
from warehouse.database import ANALYST, API, LOADER, TRANSFORMER, Warehouse, libpq_environment
from warehouse.embedded import EmbeddedServer
from warehouse.errors import DataInsightError
from warehouse.migrate import migrate
from warehouse.settings import Settings


def given(url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=SecretStr(url), home=tmp_path / "home")


def test_a_given_database_is_migrated_and_used(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse, warehouse.engine().connect() as connection:
        assert connection.execute(sa.text("select count(*) from ops.batches")).scalar_one() == 0
    assert database_name(settings).startswith("test_")


def test_an_unreachable_database_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with (
            pytest.raises(DataInsightError, match=f"127.0.0.1:{port}/db cannot be reached") as caught,
            open_warehouse(given(f"postgresql://me:hunter2@127.0.0.1:{port}/db", tmp_path)),
        ):
            pass
    assert "\n" not in caught.value.message
    assert "hunter2" not in caught.value.message
    assert caught.value.hint is not None


def test_a_user_who_may_not_prepare_the_database_is_told(server_url: sa.URL, database: sa.URL, tmp_path: Path) -> None:
    role = f"guest_{database.database}"
    empty = f"empty_{database.database}"
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create role {role} login password 'secret'"))
        connection.execute(sa.text(f"create database {empty}"))
    url = f"postgresql://{role}:secret@{server_url.host}:{server_url.port}/{empty}"
    try:
        with pytest.raises(DataInsightError, match="cannot be prepared"), open_warehouse(given(url, tmp_path)):
            pass
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"drop database {empty} with (force)"))
            connection.execute(sa.text(f"drop role {role}"))
        admin.dispose()


def test_an_owner_with_createrole_is_enough(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "own")
    url = server.acquire()
    try:
        admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text("create role owner login createrole password 'secret'"))
            connection.execute(sa.text("create database mine owner owner"))
        admin.dispose()
        with open_warehouse(given(f"postgresql://owner:secret@{url.host}:{url.port}/mine", tmp_path)) as warehouse:
            for role in (LOADER, TRANSFORMER, ANALYST, API):
                with warehouse.engine(role).connect() as connection:
                    assert connection.execute(sa.text("select current_user")).scalar_one() == role
    finally:
        server.release()


def test_tls_options_reach_programs_over_libpq() -> None:
    url = sa.make_url("postgresql+psycopg2://me:secret@db.example:5433/mine?sslmode=verify-full&sslrootcert=/ca.pem")
    environment = libpq_environment(url)
    assert (environment["PGSSLMODE"], environment["PGSSLROOTCERT"]) == ("verify-full", "/ca.pem")
    assert environment["PGPORT"] == "5433"


def test_an_ipv6_host_is_bracketed() -> None:
    assert "@[::1]:5432/" in Warehouse(sa.make_url("postgresql+psycopg2://me:x@[::1]/db")).url()


def test_two_processes_may_migrate_at_once(server_url: sa.URL, database: sa.URL) -> None:
    fresh = f"fresh_{database.database}"
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {fresh}"))
    failures: list[Exception] = []

    def prepare() -> None:
        engine = sa.create_engine(server_url.set(database=fresh))
        try:
            migrate(engine)
        except sa.exc.SQLAlchemyError as error:
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {fresh} with (force)"))
    admin.dispose()
    assert not failures


def test_the_role_of_a_url_is_the_role_of_its_sessions(warehouse: Warehouse) -> None:
    engine = sa.create_engine(warehouse.url(LOADER).replace("postgresql://", "postgresql+psycopg2://"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("select current_user")).scalar_one() == LOADER
    engine.dispose()
