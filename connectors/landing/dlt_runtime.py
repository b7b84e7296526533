"""dlt kept inside the home folder: no telemetry, no files elsewhere, no settings but ours."""

import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# dlt keeps its run context for the whole process, so two loads in one process take turns.
_ONE_AT_A_TIME = threading.Lock()

# Each copies with a connection of its own; while PostgreSQL takes rows from one, another makes its next ones.
COPY_WORKERS = 2

_SETTINGS: dict[str, Any] = {
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
    "load": {"workers": COPY_WORKERS, "delete_completed_jobs": True},
}


def import_ahead() -> None:
    """Begin to import dlt in a thread of its own and return at once: it takes up to a second, while rows are read."""
    if "dlt" not in sys.modules:
        # What both threads need is imported first: two that import the same modules from two ends can block each other.
        import numpy  # noqa: F401, ICN001
        import pyarrow  # noqa: F401, ICN001

        threading.Thread(target=import_dlt, name="import-dlt").start()


def import_dlt() -> None:
    """Import what a load needs of dlt, telemetry off."""
    # Read when dlt is imported, before any context of ours can be in place.
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    for name in ("dlt", "dlt.extract.extractors", "dlt.common.libs.pandas", "connectors.landing.copying"):
        importlib.import_module(name)


@contextmanager
def dlt_at(home: Path, settings: Mapping[str, Any] = _SETTINGS) -> Iterator[None]:
    """Use dlt with `home`/dlt as its only folder and `settings` as its only ones, for as long as the context lasts."""
    with _ONE_AT_A_TIME:
        import_dlt()
        from dlt.common.configuration.providers import CustomLoaderDocProvider
        from dlt.common.configuration.providers.provider import ConfigProvider
        from dlt.common.runtime.run_context import RunContext, switched_run_context
        from dlt.pipeline import trace

        # With telemetry off, dlt still writes an id file under ~/.dlt or /var/dlt before it drops the event.
        trace.TRACKING_MODULES = []
        folder = home / "dlt"
        folder.mkdir(parents=True, exist_ok=True)

        class HomeContext(RunContext):
            """dlt's folders and settings, all ours."""

            run_dir = local_dir = data_dir = global_dir = str(folder)

            def initial_providers(self) -> list[ConfigProvider]:
                return [CustomLoaderDocProvider("datainsight", lambda: dict(settings), supports_secrets=True)]

        with switched_run_context(HomeContext(str(folder))):
            yield
