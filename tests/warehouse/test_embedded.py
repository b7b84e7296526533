"""The embedded server in fair weather: what it gives, who keeps it up, and when it stops."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.warehouse.embedded_programs import UsingProgram, ask, clean_home, connected, is_running
from warehouse.embedded import EmbeddedServer, running
from warehouse.embedded.configuration import _control_group_limits, configuration
from warehouse.errors import DataInsightError


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with clean_home(tmp_path) as folder:
        yield folder


def test_gives_a_utf8_database_on_loopback_behind_a_password(home: Path) -> None:
    with running(home) as url:
        assert (url.drivername, url.username, url.host, url.database) == (
            "postgresql+psycopg2",
            "datainsight",
            "127.0.0.1",
            "datainsight",
        )
        facts = {
            "server_encoding": "UTF8",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "TimeZone": "UTC",
        }
        assert {name: ask(url, f"SHOW {name}") for name in facts} == facts
        assert ask(url, "SELECT lower('ÀÉÎ')") == "àéî"
        assert ask(url, "SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules") == "True"
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            ask(url.set(password="guess"), "SELECT 1")
        password = home / "postgres" / "password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "postgres" / "data").stat().st_mode) == 0o700
    assert not is_running(home)


def test_a_restart_keeps_data_port_and_password(home: Path) -> None:
    with running(home) as first, connected(first) as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with running(home) as second:
        assert second == first
        assert ask(second, "SELECT answer FROM kept") == "42"


def test_uses_nest_within_a_process(home: Path) -> None:
    one, other = EmbeddedServer(home), EmbeddedServer(home)
    assert one.acquire() == one.acquire() == other.acquire()
    one.release()
    assert is_running(home)
    one.release()
    assert is_running(home)
    other.release()
    assert not is_running(home)
    other.release()


def test_eight_programs_at_once_share_one_server(home: Path) -> None:
    programs = [UsingProgram(home) for _ in range(8)]
    urls = {program.url() for program in programs}
    assert len(urls) == 1
    assert ask(urls.pop(), "SELECT 1") == "1"
    for program in programs:
        program.end()
    assert not is_running(home)


def test_a_kept_server_outlives_its_users_until_it_is_stopped(home: Path) -> None:
    server = EmbeddedServer(home)
    url = server.start_kept()
    with running(home) as same:
        assert same == url
    status = server.status()
    assert (status.running, status.port, status.kept, status.in_use) == (True, url.port, True, False)
    assert server.stop() is True
    assert server.stop() is False
    status = server.status()
    assert (status.running, status.port, status.kept) == (False, None, False)


def test_stop_names_the_other_users_and_leaves_them_the_server(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start_kept()
    program = UsingProgram(home)
    url = program.url()
    with pytest.raises(DataInsightError, match=rf"in use .*{program.process.pid}"):
        server.stop()
    assert ask(url, "SELECT 1") == "1"
    program.end()
    assert not is_running(home)


def test_status_of_a_home_without_server_makes_nothing(home: Path) -> None:
    status = EmbeddedServer(home).status()
    assert (status.running, status.in_use, status.data_directory) == (False, False, home / "postgres" / "data")
    assert not home.exists()


def test_a_taken_port_is_left_to_its_owner(home: Path) -> None:
    with running(home) as before, connected(before) as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with socket.create_server(("127.0.0.1", before.port or 0)), running(home) as after:
        assert after.port != before.port
        assert ask(after, "SELECT answer FROM kept") == "42"
    with running(home) as again:
        assert again.port == after.port


def test_a_path_with_odd_characters_and_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / "with space, 'quote' and $dollar" / ("long" * 40)
    folder.mkdir(parents=True)
    with clean_home(folder) as home, running(home) as url:
        assert ask(url, "SHOW data_directory") == str(home / "postgres" / "data")


def test_a_failed_start_quotes_the_server(home: Path) -> None:
    with running(home):
        pass
    with (home / "postgres" / "data" / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'enormous'\n")
    with pytest.raises(DataInsightError, match=r"did not start: FATAL: .* contains errors") as caught:
        EmbeddedServer(home).acquire()
    assert "\n" not in caught.value.message
    assert "server.log" in (caught.value.hint or "")


def test_variables_of_another_postgresql_are_not_heard(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "PGHOST": "nowhere", "PGOPTIONS": "-c x=y"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGSSLMODE", "require")
    server = EmbeddedServer(home)
    assert server.acquire().port == server.status().port
    server.release()


def test_an_old_cluster_gets_the_settings_of_today(home: Path) -> None:
    with running(home):
        pass
    (home / "postgres" / "server.conf").write_text("max_connections = 7\n")
    with running(home) as url:
        assert ask(url, "SHOW max_connections") == "100"
        assert ask(url, "SHOW checkpoint_timeout") == "15min"


def test_a_lost_password_is_named(home: Path) -> None:
    with running(home):
        pass
    (home / "postgres" / "password").unlink()
    with pytest.raises(DataInsightError, match="password"):
        EmbeddedServer(home).acquire()


@pytest.mark.parametrize(("memory_mb", "shared_buffers"), [(256, "64MB"), (4096, "512MB"), (262144, "2048MB")])
def test_memory_follows_the_machine(memory_mb: int, shared_buffers: str) -> None:
    assert f"shared_buffers = {shared_buffers}\n" in configuration(memory_mb * 1024 * 1024, 18)


def test_an_older_server_is_not_told_what_it_does_not_know() -> None:
    assert "max_notify_queue_pages" not in configuration(2**30, 16)
    assert "max_notify_queue_pages = 32768\n" in configuration(2**30, 17)


def test_limits_of_control_groups_are_found(tmp_path: Path) -> None:
    (tmp_path / "memory" / "docker").mkdir(parents=True)
    (tmp_path / "memory" / "docker" / "memory.limit_in_bytes").write_text("9000\n")
    (tmp_path / "user" / "one").mkdir(parents=True)
    (tmp_path / "user" / "memory.max").write_text("7000\n")
    (tmp_path / "user" / "one" / "memory.max").write_text("max\n")
    membership = tmp_path / "cgroup"
    membership.write_text("4:memory:/docker/gone/from/here\n1:cpu:/x\n0::/user/one\n")
    assert sorted(_control_group_limits(membership, tmp_path)) == [7000, 9000]
