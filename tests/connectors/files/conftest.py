"""Real servers on loopback for files that are not on this machine: S3 by moto, SFTP by paramiko."""

import http.client
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import paramiko
import pytest
from moto.server import ThreadedMotoServer

from connectors.config import load_sources
from tests.connectors.conftest import Shop
from warehouse.database import Warehouse

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"
PASSWORD = "correct horse"


@pytest.fixture
def store(warehouse: Warehouse, tmp_path: Path) -> Callable[..., Shop]:
    """`store("{t: {path: …}}", "endpoint: …")` is the source `shop` with these tables and lines of its own."""

    def build(tables: str, *lines: str) -> Shop:
        path = tmp_path / "sources.yaml"
        own = "".join(f"    {line}\n" for line in lines)
        path.write_text(f"sources:\n  shop:\n    kind: files\n{own}    tables: {tables}\n")
        return Shop(load_sources(path, tmp_path / "home")[0], warehouse, tmp_path / "home")

    return build


def post(endpoint: str, path: str, body: str = "") -> None:
    """Send something to a server of the test's own."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"))
    connection.request("POST", path, body, {"Content-Type": "text/plain"})
    assert connection.getresponse().status == 200
    connection.close()


@dataclass
class S3:
    """A bucket `lake` on a server of the test's own."""

    endpoint: str
    client: Any

    def put(self, key: str, content: str | bytes) -> None:
        self.client.put_object(Bucket="lake", Key=key, Body=content)

    def allow_requests(self, count: str) -> None:
        """Let so many requests pass before credentials are looked at."""
        post(self.endpoint, "/moto-api/reset-auth", count)

    @property
    def lines(self) -> tuple[str, str]:
        return f"endpoint: {self.endpoint}", f"storage_options: {{key: test-key, secret: {SECRET}}}"


@pytest.fixture(scope="session")
def _moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(_moto: str) -> Iterator[S3]:
    """An S3 server with one empty bucket."""
    client = boto3.client(
        "s3", endpoint_url=_moto, aws_access_key_id="test-key", aws_secret_access_key=SECRET, region_name="us-east-1"
    )
    client.create_bucket(Bucket="lake")
    yield S3(_moto, client)
    post(_moto, "/moto-api/reset")


class _Login(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == ("reader", PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - paramiko names them.
        return paramiko.OPEN_SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "password"


class _Files(paramiko.SFTPServerInterface):
    """The files of one folder, read only."""

    root: Path

    def _there(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        if not self._there(path).is_dir():
            return paramiko.SFTP_NO_SUCH_FILE
        return [
            paramiko.SFTPAttributes.from_stat(item.stat(), filename=item.name)
            for item in sorted(self._there(path).iterdir())
        ]

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        if not self._there(path).exists():
            return paramiko.SFTP_NO_SUCH_FILE
        return paramiko.SFTPAttributes.from_stat(self._there(path).stat())

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> paramiko.SFTPHandle | int:  # noqa: ARG002
        if flags & (os.O_WRONLY | os.O_RDWR):
            return paramiko.SFTP_PERMISSION_DENIED
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = self._there(path).open("rb")  # type: ignore[attr-defined]
        handle.filename = path  # type: ignore[attr-defined]
        return handle


@dataclass
class Sftp:
    """An SFTP server over a folder."""

    root: Path
    port: int
    host_key: str

    def lines(self, password: str = PASSWORD, host_key: str | None = None) -> tuple[str]:
        key = self.host_key if host_key is None else host_key
        known = f", host_key: '{key}'" if key else ""
        return (f"storage_options: {{password: '{password}', allow_agent: false{known}}}",)


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    """An SFTP server that knows the user `reader`."""
    root = tmp_path / "served"
    root.mkdir()
    key = paramiko.ECDSAKey.generate()
    files = type("Served", (_Files,), {"root": root})
    listening = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transports.append(transport)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            try:
                transport.start_server(server=_Login())
            except (paramiko.SSHException, EOFError):
                transport.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield Sftp(root, listening.getsockname()[1], f"{key.get_name()} {key.get_base64()}")
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()
    for transport in transports:
        transport.close()
