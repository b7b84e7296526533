"""Files in object stores and on SFTP servers, through fsspec: found by URL or glob, copied here to be read.

Every wait has an end: connecting 10 seconds, an answer 60. What a store says when it fails is told in one line.
"""

import glob
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors.files.ambient import nothing_ambient
from connectors.files.kind import FilesSource
from warehouse.errors import DataInsightError

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60
_HINT = "check the path, the endpoint and the storage_options of the source; nothing is lost, run again"


@dataclass(frozen=True)
class RemotePath:
    """The URL of a file, in the place of a path."""

    url: str

    @property
    def name(self) -> str:
        """Its last part."""
        return self.url.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class RemoteFile:
    """A file as its store lists it.

    Attributes:
        etag: What the store calls this version of it; None where it does not say.
    """

    path: RemotePath
    size_bytes: int
    modified_microseconds: int
    etag: str | None


class ObjectStore:
    """The stores that a source's URLs name, connected when first needed.

    Args:
        source: Its endpoint and options; without any, each library looks for credentials where it always does:
            AWS_*, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_* and their files. Not so for an organization's.
    """

    def __init__(self, source: FilesSource) -> None:
        self._source = source
        self._connected: dict[str, Any] = {}

    def list_files(self, pattern: str) -> list[RemoteFile]:
        """The files that a URL or a glob of URLs matches, sorted by URL.

        Raises:
            DataInsightError: The store cannot be read.
        """
        with _explained(pattern):
            store = self._store(pattern)
            path = store._strip_protocol(pattern)  # noqa: SLF001 - how fsspec turns a URL into its own path.
            if glob.has_magic(path):
                found = store.glob(path, detail=True)
            else:
                found = {path: store.info(path)} if store.exists(path) else {}
            files = [_remote_file(pattern, name, info) for name, info in found.items() if info["type"] == "file"]
            return sorted(files, key=lambda file: file.path.url)

    def list_below(self, root: str) -> list[RemoteFile]:
        """Every file below a URL.

        Raises:
            DataInsightError: The store cannot be read.
        """
        with _explained(root):
            store = self._store(root)
            found = store.find(store._strip_protocol(root), detail=True)  # noqa: SLF001
            return [_remote_file(root, name, info) for name, info in sorted(found.items())]

    def missing(self, pattern: str) -> str | None:
        """Why a pattern that matches nothing looks like a mistake; None when it does not.

        Raises:
            DataInsightError: The store cannot be read.
        """
        with _explained(pattern):
            store = self._store(pattern)
            path = store._strip_protocol(pattern)  # noqa: SLF001
            if not glob.has_magic(path):
                folder = store.isdir(path)
                return (
                    f"{pattern} is a folder; say which files of it, such as {pattern}/*.csv"
                    if folder
                    else (f"there is no file {pattern}")
                )
            fixed = path
            while glob.has_magic(fixed):
                fixed = fixed.rpartition("/")[0]
            there = not fixed or store.exists(fixed)
        return None if there else f"there is nothing at {_url(pattern, fixed)} (in {pattern})"

    def fetch(self, file: RemoteFile, target: Path) -> str:
        """Copy a file to `target`.

        Returns:
            SHA-256 of its bytes.

        Raises:
            DataInsightError: It cannot be read, or is no longer what was listed.
        """
        url = file.path.url
        with _explained(url):
            store = self._store(url)
            path = store._strip_protocol(url)  # noqa: SLF001
            store.get_file(path, str(target))
            now = _remote_file(url, path, store.info(path))
        if now != file or target.stat().st_size != file.size_bytes:
            raise DataInsightError(
                f"{url} was written to while it was read; nothing of this load counts",
                hint="run again when it is complete; writers should write beside it and rename",
            )
        with target.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def takes_many_at_once(self, url: str) -> bool:
        """Whether several files may be copied side by side."""
        return urlsplit(url).scheme != "sftp"

    def _store(self, url: str) -> Any:
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc if parts.scheme == 'sftp' else ''}"
        if place not in self._connected:
            server = {"port": parts.port, "username": parts.username}
            given = {name: value for name, value in server.items() if value is not None}
            with nullcontext() if self._source.reach is None else nothing_ambient():
                self._connected[place] = self._connect(parts.scheme, parts.hostname or "", given)
        return self._connected[place]

    def _connect(self, scheme: str, host: str, given: Mapping[str, Any]) -> Any:
        options = _plain(self._source.storage_options)
        apart = {"skip_instance_cache": True, "use_listings_cache": False}
        if scheme == "sftp":
            from connectors.files.sftp import connect

            addresses = None
            if self._source.reach is not None:
                addresses = self._source.reach.addresses(host)
                # The keys of whoever runs the platform are not their customers'.
                options |= {"look_for_keys": False, "allow_agent": False}
            return connect(host, {**given, **options}, _CONNECT_SECONDS, _ANSWER_SECONDS, addresses)
        endpoint = self._source.endpoint
        if endpoint is not None and self._source.reach is not None:
            self._source.reach.addresses(urlsplit(endpoint).hostname or "")
        if scheme == "s3":
            import s3fs  # type: ignore[import-untyped]

            waits = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _ANSWER_SECONDS}
            config = {**waits, "retries": {"max_attempts": 2}, **options.pop("config_kwargs", {})}
            store = s3fs.S3FileSystem(
                **apart, **({"endpoint_url": endpoint} if endpoint else {}), config_kwargs=config, **options
            )
            store.retries = 2
            if self._source.reach is not None:
                # By itself it would connect with its first request, and look around then.
                store.connect()
            return store
        if scheme == "gs":
            # The package's own default asks over gRPC what kind of bucket it is, which reading does not need.
            from gcsfs.core import GCSFileSystem  # type: ignore[import-untyped]

            return GCSFileSystem(
                **apart, **({"endpoint_url": endpoint} if endpoint else {}), timeout=_ANSWER_SECONDS, **options
            )
        import adlfs  # type: ignore[import-untyped]

        waits = {"connection_timeout": _CONNECT_SECONDS, "read_timeout": _ANSWER_SECONDS}
        return adlfs.AzureBlobFileSystem(**{**apart, **waits, **options})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _url(pattern: str, path: str) -> str:
    parts = urlsplit(pattern)
    return f"sftp://{parts.netloc}{path}" if parts.scheme == "sftp" else f"{parts.scheme}://{path}"


def _remote_file(pattern: str, name: str, info: Mapping[str, Any]) -> RemoteFile:
    at = next((info[key] for key in ("LastModified", "last_modified", "updated", "mtime") if info.get(key)), None)
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    if isinstance(at, int | float):
        at = datetime.fromtimestamp(at, UTC)
    if isinstance(at, datetime):
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    micros = round(at.timestamp() * 1_000_000) if at else 0
    etag = info.get("ETag") or info.get("etag")
    return RemoteFile(
        RemotePath(_url(pattern, name)), int(info.get("size") or 0), micros, str(etag).strip('"') if etag else None
    )


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except DataInsightError:
        raise
    except FileNotFoundError as error:
        raise DataInsightError(f"there is nothing at {where}: {_said(error)}", hint=_HINT) from error
    except PermissionError as error:
        raise DataInsightError(f"{where} may not be read: {_said(error)}", hint=_HINT) from error
    except Exception as error:
        raise DataInsightError(f"{where} cannot be read: {_said(error)}", hint=_HINT) from error


def _said(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
