"""Keeps what the libraries of object stores find by themselves from a source that is not the platform's own.

Arguments do not: adlfs puts an AZURE_STORAGE_* variable in the place of each that is missing, and takes a connection
string before all of them; botocore sends requests to where AWS_ENDPOINT_URL or a profile says; and fsspec adds what
FSSPEC_* variables and its own files say of a protocol. So an organization's files would be read with the platform's
credentials, or asked of its servers.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_AMBIENT = ("AWS_", "AZURE_")
# It says whom the platform trusts, and lets nobody in.
_STAYS = {"AWS_CA_BUNDLE"}
# botocore looks into these two files of whoever runs the platform, and asks the machine's own cloud who it is.
_INSTEAD = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_one_at_a_time = threading.Lock()


@contextmanager
def nothing_ambient() -> Iterator[None]:
    """Let a store be connected with nothing but its arguments.

    The environment is the whole process's: as long as this lasts, nobody else should connect by what stands there. One
    source after the other is read in a process.
    """
    from fsspec.config import conf  # type: ignore[import-untyped]

    with _one_at_a_time:
        names = [name for name in os.environ if name.startswith(_AMBIENT) and name not in _STAYS]
        taken, configured = {name: os.environ.pop(name) for name in names}, dict(conf)
        conf.clear()
        os.environ.update(_INSTEAD)
        try:
            yield
        finally:
            for name in _INSTEAD:
                del os.environ[name]
            os.environ.update(taken)
            conf.update(configured)
