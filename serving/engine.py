"""DuckDB over the files of one snapshot: it reads exactly the versions the snapshot names, and nothing else.

It holds no data of its own, downloads nothing and writes only under the platform's home, when a query is too large
for its memory.
"""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from serving.delta import store_errors
from serving.open_snapshot import MEMORY_LIMIT, OpenSnapshot, withdrawn, without_wildcards
from serving.snapshots import Snapshot
from serving.store_files import is_local
from warehouse.settings import Settings

if TYPE_CHECKING:
    import duckdb

# The one that is served, and those that long answers are read from page by page (serving/standing.py).
_OPEN_SNAPSHOTS = 5


class Engine:
    """One DuckDB for a process, with the relations of the snapshots it was asked for.

    Args:
        settings: Where the metric store and the home are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: OrderedDict[int, OpenSnapshot] = OrderedDict()
        self._opening: dict[int, threading.Lock] = {}
        self._withdrawn_up_to = 0
        self._duckdb: duckdb.DuckDBPyConnection | None = None

    def open(self, snapshot: Snapshot) -> "OpenSnapshot":
        """The relations of a snapshot; the most recently asked for stay open, and any as long as somebody has it.

        Raises:
            UnavailableError: It was withdrawn, and its files may be deleted at any moment.
            DataInsightError: The store cannot be read.
        """
        number = snapshot.snapshot_id
        with self._lock:
            found = self._found(snapshot)
            if found is not None:
                return found
            opening = self._opening.setdefault(number, threading.Lock())
        # Opening takes a moment, in which the others are answered from what is open.
        with opening:
            with self._lock:
                found = self._found(snapshot)
                if found is not None:
                    return found
                if self._duckdb is None:
                    self._duckdb = _connect(self._settings)
                cursor = self._duckdb.cursor()
            with store_errors(self._settings.metric_store_url):
                opened = OpenSnapshot(cursor, self._settings, snapshot)
            with self._lock:
                self._opening.pop(number, None)
                if number <= self._withdrawn_up_to:
                    raise withdrawn(snapshot)
                self._open[number] = opened
                if len(self._open) > _OPEN_SNAPSHOTS:
                    self._open.popitem(last=False)
            return opened

    def _found(self, snapshot: Snapshot) -> "OpenSnapshot | None":
        if snapshot.snapshot_id <= self._withdrawn_up_to:
            raise withdrawn(snapshot)
        found = self._open.get(snapshot.snapshot_id)
        if found is not None:
            self._open.move_to_end(snapshot.snapshot_id)
        return found

    def close_up_to(self, snapshot_id: int) -> None:
        """Let go of the snapshots up to a number, for good: they are withdrawn. What runs over them goes on."""
        with self._lock:
            self._withdrawn_up_to = max(self._withdrawn_up_to, snapshot_id)
            for number in [one for one in self._open if one <= snapshot_id]:
                self._open.pop(number).is_withdrawn = True

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._open.clear()
            if self._duckdb is not None:
                self._duckdb.close()
                self._duckdb = None


def _connect(settings: Settings) -> "duckdb.DuckDBPyConnection":
    import duckdb

    own = settings.home / "duckdb"
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = duckdb.connect(
        ":memory:",
        config={
            "home_directory": str(own),
            "extension_directory": str(own),
            "secret_directory": str(own),
            "temp_directory": str(own / "spill"),
            "memory_limit": MEMORY_LIMIT,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    # The store's files never change under their names, so what was read of them once need not be checked again.
    # Globally, since each statement has a cursor of its own, which has none of this one's settings.
    connection.execute("set global parquet_metadata_cache = true")
    connection.execute("set global validate_external_file_cache = 'NO_VALIDATION'")
    if is_local(settings.metric_store_url):
        store = Path(settings.metric_store_url)
        folders = {str(folder) for folder in (store.absolute(), store.resolve(), own)}
        allowed = [f"{folder}/" for folder in folders | {without_wildcards(folder) for folder in folders}]
        connection.execute("set allowed_directories = ?", [allowed])
        connection.execute("set enable_external_access = false")
    connection.execute("set global TimeZone = 'UTC'")
    connection.execute("set lock_configuration = true")
    return connection
