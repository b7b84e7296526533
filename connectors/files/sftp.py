"""A connection to an SFTP server that is known: a server whose host key nobody vouched for is not talked to."""

import base64
from collections.abc import Mapping
from typing import Any

from warehouse.errors import DataInsightError


def connect(host: str, options: Mapping[str, Any], connect_seconds: float, answer_seconds: float) -> Any:
    """A file system of fsspec over SFTP.

    Args:
        host: Name or address.
        options: `port`, `username`, `password`, `key_filename`, `passphrase` and the like, as paramiko takes them; and
            `host_key`, the line of a known_hosts file without the host (`ssh-ed25519 AAAA…`), for a server that
            ~/.ssh/known_hosts does not name.
        connect_seconds: How long to wait for a connection.
        answer_seconds: How long to wait for an answer.

    Raises:
        DataInsightError: The host key is not known, is another one, or makes no sense.
    """
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem  # type: ignore[import-untyped]
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
            self.client.connect(self.host, **self.ssh_kwargs)
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
            port = int(self.ssh_kwargs.get("port", 22))
            name = self.host if port == 22 else f"[{self.host}]:{port}"  # noqa: PLR2004 - SSH's own port.
            self.client.get_host_keys().add(name, key.get_name(), key)

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
