"""As whom the embedded server runs; every test states what holds for root and what holds for a plain user."""

import os
import pwd
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warehouse.embedded_programs import REPOSITORY, USING_PROGRAM, ask, clean_home
from warehouse.embedded import EmbeddedServer, running
from warehouse.embedded.account import choose_account
from warehouse.embedded.binaries import find_binaries
from warehouse.embedded.postmaster import find_postmaster
from warehouse.errors import DataInsightError

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only its owner may enter."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def opened() -> Iterator[Path]:
    """A folder that everybody may enter (pytest's own are closed)."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def process_status(home: Path) -> dict[str, str]:
    """The lines of /proc/<server>/status; on systems without it, just the user who owns the data."""
    data = home / "postgres" / "data"
    found = find_postmaster(data)
    assert found is not None
    path = Path(f"/proc/{found.pid}/status")
    lines = path.read_text().splitlines() if path.exists() else [f"Uid: {data.stat().st_uid}"]
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_never_runs_as_root(opened: Path) -> None:
    with clean_home(opened) as home:
        server = EmbeddedServer(home)
        server.acquire()
        uid = int(process_status(home)["Uid"].split()[0])
        if IS_ROOT:
            assert pwd.getpwuid(uid).pw_name in ("postgres", "nobody")
            # Only a closed installation may be a reason for the capability: this home is open.
            assert server.notice is None or str(home) not in server.notice
            assert server.notice is not None or int(process_status(home)["CapEff"], 16) == 0
        else:
            assert uid == os.geteuid()
            assert server.notice is None
        server.release()


def test_a_closed_folder_works_and_is_left_closed(closed: Path) -> None:
    with clean_home(closed) as home:
        server = EmbeddedServer(home)
        url = server.acquire()
        assert ask(url, "CREATE TABLE t AS SELECT 1; SELECT count(*) FROM t") == "1"
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        if IS_ROOT:
            assert "CAP_DAC_" in (server.notice or "")
            assert int(process_status(home)["Uid"].split()[0]) != 0
            assert process_status(home)["NoNewPrivs"] == "1"
        else:
            assert server.notice is None
        server.release()


def test_a_closed_folder_without_the_way_through_is_one_clear_line(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(closed))
    with clean_home(closed) as home:
        server = EmbeddedServer(home)
        if not IS_ROOT:
            assert ask(server.acquire(), "SELECT 1") == "1"
            server.release()
            return
        with pytest.raises(DataInsightError, match="may not enter") as caught:
            server.acquire()
        assert "\n" not in caught.value.message
        for remedy in ("chmod o+x /", "DATAINSIGHT_HOME", "DATAINSIGHT_SERVER_USER"):
            assert remedy in (caught.value.hint or "")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert not (home / "postgres" / "data").exists()


@pytest.mark.parametrize("user", ["no-such-user", "root"])
def test_a_user_who_cannot_be_it_is_named(opened: Path, user: str) -> None:
    with clean_home(opened) as home:
        server = EmbeddedServer(home, user)
        if IS_ROOT:
            with pytest.raises(DataInsightError, match=f"`{user}`"):
                server.acquire()
        else:
            assert server.acquire().username == "datainsight"
            server.release()


def test_the_configured_user_is_taken_and_must_stay_the_same(opened: Path) -> None:
    with clean_home(opened) as home:
        with running(home, "nobody"):
            owner = pwd.getpwuid((home / "postgres" / "data").stat().st_uid).pw_name
            assert owner == ("nobody" if IS_ROOT else pwd.getpwuid(os.geteuid()).pw_name)
        # Without a configured user, the one to whom the database belongs already is the default.
        with running(home) as url:
            assert ask(url, "SELECT 1") == "1"
        if IS_ROOT:
            with pytest.raises(DataInsightError, match="belongs to the system user nobody"):
                EmbeddedServer(home, "daemon").acquire()


def run_as_plain_user(home: Path) -> str:
    """The first line that the using program prints when a plain user runs it; this user, if we are no root."""
    command = [sys.executable, "-c", USING_PROGRAM, str(home)]
    variables = {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    if not IS_ROOT:
        ran = subprocess.run(
            command,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        return ran.stdout
    # The clone may be in a folder closed to that user; then it gets the capability to pass, as a server
    # would.
    program = Path(sys.executable)
    reached = [program, program.resolve(), Path(find_binaries().program("postgres")), REPOSITORY]
    account = choose_account("nobody", None, reached)
    ran = account.execute(command, folder=Path("/"), environment=variables)
    return ran.stdout or ran.stderr


def test_a_plain_user_runs_it_as_itself(opened: Path) -> None:
    with clean_home(opened) as home:
        home.mkdir()
        if IS_ROOT:
            os.chown(home, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
        assert run_as_plain_user(home).startswith("postgresql+psycopg2://datainsight:")
        assert (home / "postgres" / "data").stat().st_uid == home.stat().st_uid
        assert (home / "postgres" / "password").stat().st_uid == home.stat().st_uid
        assert find_postmaster(home / "postgres" / "data") is None
        if IS_ROOT:
            # Root does not meddle with a plain user's database …
            with pytest.raises(DataInsightError, match="belongs to user nobody"):
                EmbeddedServer(home).acquire()
            # … unless told to run the server as that very user.
            with running(home, "nobody") as url:
                assert ask(url, "SELECT 1") == "1"


def test_a_plain_user_is_told_whose_folder_it_is(opened: Path) -> None:
    if not IS_ROOT:
        with pytest.raises(DataInsightError, match="cannot be made") as caught:
            EmbeddedServer(Path("/")).acquire()
        assert "DATAINSIGHT_HOME" in (caught.value.hint or "")
        return
    with clean_home(opened) as home:
        with running(home):
            pass
        said = run_as_plain_user(home)
        assert said.startswith("refused:")
        assert "belongs to user root" in said
