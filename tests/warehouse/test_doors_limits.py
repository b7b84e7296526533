"""What a login may take of the server: its limits, who ends it, and what an owner who is no superuser can do."""

import threading
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.warehouse.doors import Doors, session
from warehouse.connect import open_warehouse
from warehouse.doors.limits import end_overdue
from warehouse.doors.logins import TENANTS, list_logins
from warehouse.embedded import EmbeddedServer
from warehouse.migrate import _LOCK
from warehouse.settings import PROJECT_ROOT, Settings


def what_an_administrator_runs() -> str:
    """The statements of docs/warehouse/doors.md for a server where the platform is no superuser."""
    page = (PROJECT_ROOT / "docs" / "warehouse" / "doors.md").read_text()
    section = page.partition("## On a server of your own")[2].partition("\n## ")[0]
    return "\n".join(line for line in section.splitlines() if line.startswith("    "))


def test_limits_are_put_back_when_the_warehouse_is_opened(bare_doors: Doors) -> None:
    login, url = bare_doors.add(TENANTS, "acme")
    with session(url) as opened:
        opened.rows("set default_transaction_read_only = off")
        opened.rows("alter role current_user set statement_timeout = 0")
        opened.rows(f"alter role {login} in database {opened.value('select current_database()')} set work_mem = '10GB'")
    changed = bare_doors.settings.model_copy(update={"login_lock_seconds": 3, "tenant_connections": 4})
    for settings in (bare_doors.settings, changed):
        with open_warehouse(settings), session(url) as opened:
            assert opened.value("show statement_timeout") == "1min"
            assert opened.value("show lock_timeout") == f"{settings.login_lock_seconds}s"
            assert opened.value("show work_mem") != "10GB"
            limit = opened.value("select rolconnlimit from pg_roles where rolname = current_user")
            assert limit == settings.tenant_connections


def test_who_outstays_his_time_is_ended(bare_doors: Doors) -> None:
    hasty = bare_doors.settings.model_copy(update={"tenant_statement_seconds": 1, "login_idle_seconds": 1})
    _, busy_url = bare_doors.add(TENANTS, "busy")
    _, idle_url = bare_doors.add(TENANTS, "idle")
    _, honest_url = bare_doors.add(TENANTS, "honest")

    def sleep() -> None:
        with session(busy_url) as busy:
            busy.error("set statement_timeout = 0", "select pg_sleep(60)")

    def connected() -> set[str]:
        return {login.name for login in list_logins(bare_doors.warehouse, TENANTS) if login.connections}

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    with session(idle_url) as idle, session(honest_url) as honest:
        idle.rows("begin")
        while connected() != {"busy", "idle", "honest"}:
            pass
        while connected() != {"honest"}:
            with bare_doors.warehouse.engine().begin() as connection:
                end_overdue(connection, hasty, grace_seconds=0)
        sleeper.join()
        assert honest.value("select 1") == 1
        with pytest.raises(psycopg2.OperationalError):
            idle.rows("select 1")


def test_what_a_login_has_not_committed_makes_nobody_wait(bare_doors: Doors) -> None:
    # Rather an error than a test that never ends.
    url = bare_doors.warehouse.url_object.set(drivername="postgresql").update_query_dict(
        {"options": "-c lock_timeout=20s"}
    )
    impatient = bare_doors.settings.model_copy(
        update={"database_url": SecretStr(url.render_as_string(hide_password=False))}
    )
    _, tenant_url = bare_doors.add(TENANTS, "acme")
    with session(tenant_url) as acme:
        acme.rows("set default_transaction_read_only = off")
        acme.rows("alter role current_user set work_mem = '1MB'")
        acme.rows("begin")
        acme.rows("alter role current_user set work_mem = '2MB'")
        with open_warehouse(impatient), pytest.raises(psycopg2.OperationalError):
            acme.rows("select 1")


def test_an_owner_who_is_no_superuser_can_do_all_of_it(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "own")
    url = server.acquire()
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(sa.text("create role owner login createrole password 'secret'"))
            connection.execute(sa.text("create database mine owner owner"))
        admin.dispose()
        settings = Settings(
            database_url=SecretStr(f"postgresql://owner:secret@{url.host}:{url.port}/mine"), home=tmp_path / "home"
        )
        with open_warehouse(settings) as warehouse:
            doors = Doors(warehouse, settings)
            doors.policy()
            doors.build("marts.fact_sales")
            doors.build("personal.dim_people")
            login, tenant_url = doors.add(TENANTS, "acme")
            with session(tenant_url) as acme, doors.analyst() as analyst, doors.operator() as owner:
                assert acme.value("select count(*) from fact_sales") == 50
                assert analyst.value("select count(*) from dim_people where email not like 'masked-%'") == 0
                assert owner.value("select count(*) from marts.fact_sales") == 200
                assert owner.value("select count(*) from marts.dim_people where email like '%@example.com'") == 8
                owner.rows(f"set role {login}")
                assert owner.value("select count(*) from marts.fact_sales") == 50
                assert owner.value("select count(*) from marts.dim_people") == 5
                # The owner can neither forbid advisory locks nor limit temporary files.
                acme.rows(f"select pg_advisory_lock({_LOCK})")
                with open_warehouse(settings), pytest.raises(psycopg2.OperationalError):
                    acme.rows("select 1")
                assert analyst.value("show temp_file_limit") == "-1"
            administrator = sa.create_engine(url.set(database="mine"))
            with administrator.begin() as connection:
                connection.exec_driver_sql(what_an_administrator_runs().replace("%", "%%"))
            administrator.dispose()
            with open_warehouse(settings), session(tenant_url) as acme:
                assert acme.value("show temp_file_limit") == "1GB"
                assert acme.value("show log_min_messages") == "panic"
                assert "permission denied" in acme.error(f"select pg_advisory_lock({_LOCK})")
                assert "permission denied" in acme.error("select pg_notify('x', 'y')")
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(tenant_url.replace("/mine", "/postgres"))
            doors.leave()
    finally:
        admin.dispose()
        server.release()
