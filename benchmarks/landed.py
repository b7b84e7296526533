"""One landing in a process of its own, so that its memory is nobody else's and its imports are timed apart.

`python -m benchmarks.landed land|dlt <folder>` prints the seconds of both, the peak in bytes and the rows, as JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connectors.landing.dlt_runtime import import_dlt
from warehouse.connect import open_warehouse
from warehouse.database import LOADER, Warehouse
from warehouse.settings import Settings


def land(warehouse: Warehouse, folder: Path) -> int:
    """Land the source of `sources.yaml` as `datainsight run` does."""
    import sqlalchemy as sa

    from connectors.config import load_sources
    from connectors.landing.land import land as land_source

    [source] = load_sources(folder / "sources.yaml", folder / "home")
    land_source(source, warehouse, folder / "home")
    with warehouse.engine().connect() as connection:
        rows: int = connection.execute(sa.text("select sum(row_count)::bigint from ops.batches")).scalar_one()
    return rows


def land_as_dlt_does(warehouse: Warehouse, folder: Path) -> int:
    """Load `rows.parquet` as dlt does when nothing is asked of it: rows as dicts, INSERT statements."""
    from connectors.landing.dlt_runtime import dlt_at

    def rows() -> Iterator[list[dict[str, Any]]]:
        from pyarrow import parquet

        for batch in parquet.ParquetFile(folder / "rows.parquet").iter_batches(10_000):
            yield batch.to_pylist()

    with dlt_at(folder / "home", {"runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"}}):
        import dlt

        pipeline = dlt.pipeline(
            "default_path",
            pipelines_dir=str(folder / "home" / "pipelines"),
            destination=dlt.destinations.postgres(credentials=warehouse.url(LOADER).replace("%20", "%09")),
            dataset_name="default_path",
        )
        pipeline.run(rows(), table_name="rows")
        with pipeline.sql_client() as client, client.execute_query("select count(*) from rows") as cursor:
            return int(cursor.fetchall()[0][0])


def peak_bytes() -> int:
    """The most memory that this process ever held; landing files and tables starts no other."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    # Better than what getrusage says, which includes the parent's memory at the time of the fork.
    own = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return (own[0] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) << 10


_WAYS: dict[str, Callable[[Warehouse, Path], int]] = {"land": land, "dlt": land_as_dlt_does}

if __name__ == "__main__":
    way, place = _WAYS[sys.argv[1]], Path(sys.argv[2])
    with open_warehouse(Settings(home=place / "home")) as opened:
        begun = time.monotonic()
        import_dlt()
        started = time.monotonic()
        landed = way(opened, place)
        seconds = time.monotonic() - started
    print(
        json.dumps({"import_seconds": started - begun, "seconds": seconds, "peak_bytes": peak_bytes(), "rows": landed})
    )
