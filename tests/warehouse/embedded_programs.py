"""What the tests of the embedded server share: other programs that use it, and a home that leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import sqlalchemy as sa

from warehouse.embedded.postmaster import end_orphans, find_postmaster, stop_postmaster

REPOSITORY = Path(__file__).resolve().parents[2]

# Uses the server until its standard input ends; prints the URL, or the error, as one line.
USING_PROGRAM = """
import sys
from pathlib import Path
from warehouse.embedded import EmbeddedServer
from warehouse.errors import DataInsightError
server = EmbeddedServer(Path(sys.argv[1]))
try:
    url = server.acquire()
except DataInsightError as error:
    sys.exit(print("refused:", error.message, "|", error.hint))
print(url.render_as_string(hide_password=False), flush=True)
sys.stdin.read()
server.release()
"""


@contextmanager
def clean_home(folder: Path) -> Iterator[Path]:
    """A home folder yet to be made in `folder`; in the end its server is stopped and its files are removed."""
    home = folder / "home"
    try:
        yield home
    finally:
        data = home / "postgres" / "data"
        assert stop_postmaster(data, 10)
        if data.exists():
            end_orphans(data, time.monotonic() + 60)
        if home.exists():
            shutil.rmtree(home)


class UsingProgram:
    """Another process of DataInsight that uses the server of a home."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USING_PROGRAM, str(home)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        """The URL it got, waiting until it has it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """Let it release the server and leave."""
        self.process.communicate("")
        assert self.process.returncode == 0

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.communicate()


@contextmanager
def connected(url: sa.URL | str) -> Iterator["psycopg2.extensions.cursor"]:
    """A cursor in autocommit mode."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    connection = psycopg2.connect(text.replace("+psycopg2", ""))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def ask(url: sa.URL | str, statement: str) -> str:
    """The first column of the first row of the answer, as text."""
    with connected(url) as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def kill_postmaster(home: Path) -> int:
    """`kill -9` of the server; its number."""
    found = find_postmaster(home / "postgres" / "data")
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    return found.pid


def is_running(home: Path) -> bool:
    """Whether the server of a home runs."""
    return find_postmaster(home / "postgres" / "data") is not None
