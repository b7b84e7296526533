"""The embedded server after `kill -9` of it, of its users, of its maker, and with misleading remains of the past."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest

from tests.warehouse.embedded_programs import (
    UsingProgram,
    ask,
    clean_home,
    connected,
    is_running,
    kill_postmaster,
)
from warehouse.embedded import EmbeddedServer, running


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with clean_home(tmp_path) as folder:
        yield folder


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.002)


def test_a_killed_server_comes_back_with_everything_committed(home: Path) -> None:
    server = EmbeddedServer(home)
    url = server.acquire()
    with connected(url) as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    kill_postmaster(home)
    # The nested use finds the server dead and starts it again; the first use goes on with the same URL.
    assert server.acquire() == url
    assert ask(url, "SELECT count(*) FROM kept") == "1000"
    server.release()
    server.release()
    assert not is_running(home)


def test_a_long_query_of_a_killed_server_does_not_hold_up_the_next(home: Path) -> None:
    server = EmbeddedServer(home)
    url = server.acquire()
    library_url = url.set(drivername="postgresql").render_as_string(hide_password=False)
    busy = psycopg2.connect(library_url, async_=True)
    wait_until(lambda: busy.poll() == psycopg2.extensions.POLL_OK)
    with busy.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM generate_series(1, 100000000000) n WHERE n % 2 = 7")
    wait_until(lambda: ask(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%% 7'") != "0")
    kill_postmaster(home)
    assert ask(server.acquire(), "SELECT 1") == "1"
    busy.close()
    server.release()
    server.release()


def test_a_killed_user_leaves_a_server_that_the_next_user_stops(home: Path) -> None:
    program = UsingProgram(home)
    url = program.url()
    program.kill()
    assert is_running(home)
    with running(home) as adopted:
        assert adopted.render_as_string(hide_password=False) == url
    assert not is_running(home)


def test_a_killed_backend_only_delays_the_next_user(home: Path) -> None:
    with running(home) as url:
        with suppress(psycopg2.OperationalError), connected(url) as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            os.kill((cursor.fetchone() or (0,))[0], signal.SIGKILL)
            cursor.execute("SELECT 1")
        with running(home) as again:
            assert ask(again, "SELECT 1") == "1"


def test_a_maker_killed_amid_initdb_leaves_no_half_cluster(home: Path) -> None:
    program = UsingProgram(home)
    wait_until(lambda: list(home.glob("postgres/initdb-*/data/base")))
    program.kill()
    with running(home) as url:
        assert ask(url, "SELECT count(*) FROM pg_database") == "4"
        assert not list(home.glob("postgres/initdb-*"))


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.05, 0.1])
def test_a_user_killed_amid_the_start_leaves_it_to_the_next(home: Path, moment: float) -> None:
    with running(home):
        pass
    log = home / "postgres" / "log" / "server.log"
    before = log.stat().st_size
    program = UsingProgram(home)
    wait_until(lambda: log.stat().st_size > before)
    with suppress(subprocess.TimeoutExpired):
        program.process.wait(timeout=moment)
    program.kill()
    with running(home) as url:
        assert ask(url, "SELECT 1") == "1"
    assert not is_running(home)


def test_pid_files_that_mislead(home: Path) -> None:
    with running(home):
        pass
    data = home / "postgres" / "data"
    pid_file = data / "postmaster.pid"
    owner = data.stat().st_uid
    other = subprocess.Popen(["/bin/sleep", "600"], user=owner if os.geteuid() == 0 else None)
    try:
        recycled = f"{other.pid}\n{data}\n1700000000\n15999\n\n127.0.0.1\n  1 1\nready   \n"
        for text in ("", "garbage\n", recycled, recycled.replace(str(other.pid), str(2**22 - 1), 1)):
            pid_file.write_text(text)
            os.chown(pid_file, owner, -1)
            assert EmbeddedServer(home).status().running is False
            with running(home) as url:
                assert ask(url, "SELECT 1") == "1"
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_copy_of_a_home_is_not_taken_for_the_original(home: Path, tmp_path: Path) -> None:
    with running(home) as url, connected(url) as cursor:
        cursor.execute("CREATE TABLE original AS SELECT 1")
    copy = tmp_path / "copy"
    copy.mkdir()
    subprocess.run(["/bin/cp", "-a", str(home), str(copy / "home")], check=True)
    with clean_home(copy) as copied_home, running(home) as original:
        pid_file = Path("postgres", "data", "postmaster.pid")
        shutil.copyfile(home / pid_file, copied_home / pid_file)
        with running(copied_home) as url:
            assert url.port != original.port
            with connected(url) as cursor:
                cursor.execute("DROP TABLE original")
        assert ask(original, "SELECT count(*) FROM original") == "1"
        assert not is_running(copied_home)
