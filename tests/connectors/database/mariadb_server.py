"""A MariaDB server of one test session: its own folder, its own port on loopback, gone when the session is."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pymysql

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"])
_SECONDS = 60


class MariadbServer:
    """Started when the context is entered, stopped when it is left.

    Raises:
        RuntimeError: Debian's package is not there, or the server does not start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> "MariadbServer":
        data = self._folder / "data"
        user = ["--user=root"] if os.geteuid() == 0 else []
        small = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M"]
        subprocess.run(
            [_program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db", *user, *small,
             "--auth-root-authentication-method=normal"],
            check=True, capture_output=True,
        )  # fmt: skip
        log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [_program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--socket={self._folder}/s",
             f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self._folder}/pid", *user, *small,
             "--innodb-flush-log-at-trx-commit=0"],
            stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        for _ in range(_SECONDS * 20):
            try:
                self.connect().close()
            except pymysql.OperationalError:
                if self._process.poll() is not None:
                    break
                _wait(self._process)
                continue
            return self
        raise RuntimeError(f"mariadbd does not start: {(self._folder / 'log').read_text()[-2000:]}")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def connect(self, **options: Any) -> Any:
        """A connection as root."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True, **options)


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Give the server 50 ms, or less when it ends."""
    try:
        process.wait(0.05)
    except subprocess.TimeoutExpired:
        return


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise RuntimeError(f"{name} is not installed: apt-get install --no-install-recommends mariadb-server (Debian)")
    return found
