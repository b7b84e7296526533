"""What a login could do to the server as a whole: its own databases, its log, the queue of notifications."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from tests.warehouse.doors import Doors, Session, session
from warehouse.connect import open_warehouse
from warehouse.doors.logins import ANALYSTS, TENANTS, Door
from warehouse.embedded import EmbeddedServer
from warehouse.settings import Settings

WORD = "unmistakable"
# The smallest queue there is: 512 KB.
PAGES = 64
FULL = "too many notifications in the NOTIFY queue"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of an embedded server of these tests' own, which is kept running."""
    home = tmp_path_factory.mktemp("own")
    server = EmbeddedServer(home)
    with admin(server.acquire()) as superuser:
        superuser.rows(f"alter system set max_notify_queue_pages = {PAGES}")
    server.release()
    server.start_kept()
    yield home
    server.stop()


@pytest.fixture
def own(home: Path) -> Iterator[Doors]:
    """A warehouse on that server, without any login."""
    settings = Settings(home=home)
    with open_warehouse(settings) as warehouse:
        made = Doors(warehouse, settings)
        yield made
        made.leave()


@contextmanager
def admin(url: sa.URL) -> Iterator[Session]:
    with session(url.set(drivername="postgresql").render_as_string(hide_password=False)) as opened:
        yield opened


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_no_login_comes_into_the_servers_own_databases(own: Doors, database: str) -> None:
    urls = [sa.make_url(own.add(door, "acme")[1]).set(database=database) for door in (TENANTS, ANALYSTS)]
    # A cluster of an older release, or a database that was made anew.
    with own.operator() as operator:
        operator.rows(f"grant connect, temporary on database {database} to public")
    for url in urls:
        with admin(url) as opened:
            assert opened.value("select current_database()") == database
    with open_warehouse(own.settings):
        for url in urls:
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"), admin(url):
                pass


@pytest.mark.parametrize("door", [TENANTS, ANALYSTS], ids=lambda door: door.command)
def test_no_login_writes_into_the_servers_log(own: Doors, door: Door) -> None:
    _, url = own.add(door, "acme")
    log = own.settings.home / "postgres" / "log" / "server.log"
    before = log.stat().st_size
    raised = f"do $$ begin raise log '{WORD}'; end $$"
    with session(url) as login, own.operator() as operator:
        login.error(f"select 1 / 0 /* {WORD} */")
        login.error(f"alter role current_user password '{WORD}'")
        login.rows("set debug_print_parse = on; set debug_print_rewritten = on; set debug_print_plan = on")
        login.rows(f"select 1 as {WORD}")
        login.rows(raised)
        assert WORD not in log.read_bytes()[before:].decode()
        operator.rows(raised)
        assert WORD in log.read_bytes()[before:].decode()


@pytest.mark.parametrize("name", ["log_min_messages", "log_min_error_statement"])
def test_no_login_opens_the_log_again(own: Doors, name: str) -> None:
    _, url = own.add(TENANTS, "acme")
    with session(url) as login:
        login.rows("set default_transaction_read_only = off")
        for statement in (
            f"set {name} = debug1",
            f"reset {name}",
            f"select set_config('{name}', 'debug1', false)",
            f"alter role current_user set {name} = debug1",
            f"alter role current_user reset {name}",
        ):
            assert "permission denied to set parameter" in login.error(statement)
        login.rows("alter role current_user reset all")
        login.rows("discard all")
        assert login.value(f"show {name}") == "panic"
    with session(url) as login:
        assert login.value(f"show {name}") == "panic"


def test_a_login_of_an_older_release_gets_the_limits_of_today(own: Doors) -> None:
    login, url = own.add(TENANTS, "acme")
    with own.operator() as operator:
        operator.rows(f"alter role {login} reset log_min_messages")
    with open_warehouse(own.settings), session(url) as opened:
        assert opened.value("show log_min_messages") == "panic"


def test_a_full_queue_of_notifications_is_emptied(own: Doors) -> None:
    """No privilege keeps a login from `listen` and `notify`, and Dagster's storage notifies with each event."""
    _, url = own.add(TENANTS, "acme")
    with session(url) as listener, session(url) as notifier, own.operator() as operator:
        listener.rows("listen x")
        listener.rows("begin")
        said = ""
        for number in range(PAGES + 1):
            try:
                notifier.rows(f"notify x, '{number}{'y' * 7900}'")
            except psycopg2.Error as error:
                said = str(error)
                break
        assert FULL in said
        assert FULL in operator.error("notify x")
        with open_warehouse(own.settings):
            operator.rows("notify x")
        with pytest.raises(psycopg2.OperationalError):
            listener.rows("select 1")


def test_a_queue_with_room_ends_nobody(own: Doors) -> None:
    with own.tenant() as acme:
        acme.rows("listen x")
        acme.rows("begin")
        acme.rows("notify x")
        with open_warehouse(own.settings):
            acme.rows("commit")


def test_the_queue_is_bounded(home: Path) -> None:
    """256 MB, which `alter system` has overridden in these tests."""
    assert "max_notify_queue_pages = 32768\n" in (home / "postgres" / "server.conf").read_text()
