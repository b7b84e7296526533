"""An event that was answered for is there, whatever happens next; one that cannot be stored is not answered for."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.http.conftest import Server, running, until
from tests.serving.http.relay import Relay
from tests.serving.http.reporting import acme, door, event, report, stored
from warehouse.database import Warehouse
from warehouse.settings import Settings

__all__ = ["acme", "door"]


def test_while_the_warehouse_is_away_nothing_is_taken_and_afterwards_the_same_is(
    settings: Settings, warehouse: Warehouse, server_url: sa.URL
) -> None:
    assert server_url.host is not None
    assert server_url.port is not None
    relay = Relay((server_url.host, server_url.port))
    url = warehouse.url_object.set(host="127.0.0.1", port=relay.port, drivername="postgresql")
    away = settings.model_copy(update={"database_url": SecretStr(url.render_as_string(hide_password=False))})
    with running(create_app(away)) as address:
        door = Server(address, warehouse)
        with door.client(door.key("acme", Role.EDITOR)) as client:
            assert report(client.http, event("e-1")).status_code == 202
            relay.cut()
            refused = report(client.http, event("e-2"))
            assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
            assert int(refused.headers["Retry-After"]) > 0
            relay.mend()
            until(lambda: report(client.http, event("e-2")).status_code == 202)
        relay.cut()
    assert stored(warehouse) == [("acme", "e-1"), ("acme", "e-2")]


def test_a_warehouse_that_only_reads_takes_nothing(door: Server, acme: httpx.Client) -> None:
    with door.warehouse.engine().begin() as connection:
        connection.exec_driver_sql(
            f"alter database {door.warehouse.url_object.database} set default_transaction_read_only = on"
        )
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )
    until(lambda: report(acme, event("e-1")).status_code != 500)
    assert report(acme, event("e-1")).status_code == 503


def test_what_is_answered_for_is_on_disk_whatever_the_server_does_for_others(door: Server, acme: httpx.Client) -> None:
    with door.warehouse.engine().begin() as connection:
        connection.exec_driver_sql(
            f"alter database {door.warehouse.url_object.database} set synchronous_commit = off;"
            " create table public.said (setting text); grant insert on public.said to public;"
            " create function public.note() returns trigger language plpgsql as"
            " $$ begin insert into public.said values (current_setting('synchronous_commit')); return null; end $$;"
            " create trigger noted after insert on app.events execute function public.note();"
            " select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )
    until(lambda: report(acme, event("e-1")).status_code == 202)
    with door.warehouse.engine().connect() as connection:
        assert connection.execute(sa.text("select current_setting('synchronous_commit')")).scalar_one() == "off"
        assert set(connection.execute(sa.text("select setting from public.said")).scalars()) == {"on"}


def test_a_server_that_is_killed_right_after_its_answer_has_lost_nothing(
    settings: Settings, warehouse: Warehouse
) -> None:
    assert settings.database_url is not None
    with socket.create_server(("127.0.0.1", 0)) as probe, socket.create_server(("127.0.0.1", 0)) as other:
        port, operations = probe.getsockname()[1], other.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "serve"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "DATAINSIGHT_DATABASE_URL": settings.database_url.get_secret_value(),
            "DATAINSIGHT_HOME": str(settings.home),
            "DATAINSIGHT_API_PORT": str(port),
            "DATAINSIGHT_OPERATIONS_PORT": str(operations),
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        door = Server(f"http://127.0.0.1:{port}", warehouse)
        until(lambda: _lives(door.address) or process.poll() is not None, seconds=60)
        with door.client(door.key("acme", Role.EDITOR)) as client:
            answer = report(client.http, *(event(f"e-{number}") for number in range(1_000)))
            process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert answer.json() == {"accepted": 1_000, "duplicates": 0}
    assert len(stored(warehouse)) == 1_000


def _lives(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/live").status_code == 200
    except httpx.TransportError:
        return False
