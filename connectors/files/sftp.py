"""A connection to an SFTP server that is known: a server whose host key nobody vouched for is not talked to."""

import base64
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from warehouse.errors import DataInsightError


def connect(
    host: str,
    options: Mapping[str, Any],
    connect_seconds: float,
    answer_seconds: float,
    addresses: Sequence[str] | None = None,
) -> Any:
    """A file system of fsspec over SFTP.

    Args:
        host: Name or address.
        options: `port`, `username`, `password`, `key_filename`, `passphrase` and the like, as paramiko takes them; and
            `host_key`, the line of a known_hosts file without the host (`ssh-ed25519 AAAA…`), for a server that
            ~/.ssh/known_hosts does not name.
        connect_seconds: How long to wait for a connection.
        answer_seconds: How long to wait for an answer.
        addresses: Where the host is; None: it is looked up.

    Raises:
        DataInsightError: The host key is not known, is another one, or makes no sense.
    """
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem  # type: ignore[import-untyped]
    from paramiko.config import SSH_PORT
    from paramiko.pkey import UnknownKeyType

    given = dict(options)
    host_key = given.pop("host_key", None)
    waits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), connect_seconds)
    waits["channel_timeout"] = answer_seconds

    class KnownHosts(SFTPFileSystem):
        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            if host_key:
                self._trust(str(host_key))
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            connected = None if addresses is None else _connected(addresses, self._port, connect_seconds)
            self.client.connect(self.host, **self.ssh_kwargs, sock=connected)
            self.ftp = self.client.open_sftp()
            channel = self.ftp.get_channel()
            if channel is not None:
                channel.settimeout(answer_seconds)

        def _trust(self, line: str) -> None:
            sort, _, rest = line.strip().partition(" ")
            try:
                key = paramiko.PKey.from_type_string(sort, base64.b64decode(rest.split(" ")[0]))
            except (paramiko.SSHException, UnknownKeyType, ValueError, IndexError) as error:
                raise DataInsightError(
                    "storage_options.host_key is no host key", hint="copy it from: ssh-keyscan HOST"
                ) from error
            name = self.host if self._port == SSH_PORT else f"[{self.host}]:{self._port}"
            self.client.get_host_keys().add(name, key.get_name(), key)

        @property
        def _port(self) -> int:
            return int(self.ssh_kwargs.get("port", SSH_PORT))

    try:
        return KnownHosts(host, skip_instance_cache=True, **waits, **given)
    except paramiko.BadHostKeyException as error:
        raise DataInsightError(
            f"the server {host} shows another host key than the one known",
            hint="make sure that it is the right server; then correct known_hosts or storage_options.host_key",
        ) from error
    except paramiko.SSHException as error:
        if "not found in known_hosts" in str(error):
            raise DataInsightError(
                f"the host key of the server {host} is not known",
                hint="add it to ~/.ssh/known_hosts, or say storage_options: {host_key: ssh-ed25519 AAAA…}",
            ) from error
        raise


def _connected(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """A connection to the first of these addresses that takes one: a name might stand for another by now."""
    failed = OSError("there is no address to connect to")
    for address in addresses:
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as error:
            failed = error
    raise failed
