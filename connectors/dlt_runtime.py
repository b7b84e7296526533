"""dlt kept inside the home folder: no telemetry, no files elsewhere, no settings but ours."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# dlt keeps its run context for the whole process, so two loads in one process take turns.
_ONE_AT_A_TIME = threading.Lock()

_SETTINGS: dict[str, Any] = {
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
    # Arrow data gets no load id unless this is said.
    "normalize": {"parquet_normalizer": {"add_dlt_load_id": True}},
    # ADBC holds a whole file of a load in memory, so files are small; a few are copied side by side.
    "load": {"workers": 4, "delete_completed_jobs": True},
    "data_writer": {"file_max_items": 131_072, "file_max_bytes": 16 << 20},
}


@contextmanager
def dlt_at(home: Path) -> Iterator[None]:
    """Use dlt with `home`/dlt as its only folder, for as long as the context lasts."""
    with _ONE_AT_A_TIME:
        # Read when dlt is imported, before any context of ours can be in place.
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
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
                return [CustomLoaderDocProvider("datainsight", lambda: _SETTINGS, supports_secrets=True)]

        with switched_run_context(HomeContext(str(folder))):
            yield
