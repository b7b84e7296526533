"""Landing a Parquet file, a CSV file and a PostgreSQL table, beside raw COPY of the same rows and dlt's default path.

Raw COPY is `COPY … FROM STDIN (format csv)` of the rows' CSV file into a plain table of the types that landing gives
them: text for what is landed from CSV. Landing is timed in a new process, from listing what is
there to the ledger's commit; importing dlt, once in the life of a process, is a figure by itself. The two take turns,
and the fastest of three counts: what else a machine does only ever adds.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.report import Result, finish, parser
from benchmarks.rows import SOURCE_COLUMNS, TEXT_COLUMNS, TYPED_COLUMNS, write_files
from warehouse.connect import open_warehouse
from warehouse.database import Warehouse
from warehouse.settings import PROJECT_ROOT, Settings

SIZES = (1_000_000, 10_000_000)
LEAST_RATE = 250_000
LEAST_SHARE_OF_COPY = 0.45
MOST_MEGABYTES = 700
MOST_GROWTH = 1.15
_DLT_ROWS = 50_000
_TURNS = {1_000_000: 3}
# Autovacuum would come for the big new table while something else is timed.
_QUIET = " with (autovacuum_enabled = off)"


@dataclass(frozen=True)
class Kind:
    """Something to land the rows from."""

    name: str
    columns: str
    yaml: str


KINDS = (
    Kind("Parquet", TYPED_COLUMNS, "kind: files, tables: {rows: {path: rows.parquet, key: id}}"),
    Kind("CSV", TEXT_COLUMNS, "kind: files, tables: {rows: {path: rows.csv, key: id}}"),
    Kind(
        "PostgreSQL", TYPED_COLUMNS, "kind: database, url: '${SHOP_URL}', tables: {rows: {table: shop.rows, key: id}}"
    ),
)


@dataclass(frozen=True)
class Measured:
    """What one kind took at one size.

    Attributes:
        rate: Rows landed a second.
        copy_rate: Rows copied raw a second.
        peak_megabytes: Of the landing process.
        import_seconds: What a process pays once, before its first landing.
    """

    rate: float
    copy_rate: float
    peak_megabytes: float
    import_seconds: float


def measure(sizes: Sequence[int], kinds: Sequence[Kind] = KINDS) -> Iterator[Result]:
    """Every kind at every size, in a home folder of its own that is removed afterwards."""
    first: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="datainsight-benchmark-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with open_warehouse(Settings(home=folder / "home")) as warehouse:
            dlt_rate = _default_path(warehouse, folder, min(_DLT_ROWS, *sizes))
            for rows in sizes:
                _prepare(warehouse, folder, rows)
                for kind in kinds:
                    measured = _measured(warehouse, folder, kind, rows)
                    yield from _results(kind, rows, measured, dlt_rate, first.setdefault(kind.name, measured))


def _results(kind: Kind, rows: int, measured: Measured, dlt_rate: float, smaller: Measured) -> Iterator[Result]:
    name = f"{kind.name}, {rows:,} rows"
    share, growth = measured.rate / measured.copy_rate, measured.peak_megabytes / smaller.peak_megabytes
    yield Result(name, measured.rate, "rows/s", budget=f">= {LEAST_RATE:,} rows/s", holds=measured.rate >= LEAST_RATE)
    yield Result(
        f"{name}: against COPY", measured.rate, "rows/s", f"raw COPY, {measured.copy_rate:,.0f} rows/s", share,
        f">= {LEAST_SHARE_OF_COPY}", share >= LEAST_SHARE_OF_COPY,
    )  # fmt: skip
    yield Result(
        f"{name}: against dlt", measured.rate, "rows/s", f"dlt's default path, {dlt_rate:,.0f} rows/s",
        measured.rate / dlt_rate,
    )  # fmt: skip
    peak, unit = measured.peak_megabytes, "MB"
    yield Result(f"{name}: peak memory", peak, unit, budget=f"< {MOST_MEGABYTES} MB", holds=peak < MOST_MEGABYTES)
    yield Result(f"{name}: imports, once a process", measured.import_seconds * 1000, "ms")
    if measured is not smaller:
        yield Result(
            f"{name}: memory as rows grow", peak, unit, f"the smaller run, {smaller.peak_megabytes:,.0f} MB", growth,
            f"<= {MOST_GROWTH}", growth <= MOST_GROWTH,
        )  # fmt: skip


def _prepare(warehouse: Warehouse, folder: Path, rows: int) -> None:
    """The files, and the table `shop.rows` with the same rows."""
    write_files(rows, folder)
    _execute(
        warehouse,
        f"drop schema if exists shop cascade; create schema shop; create table shop.rows ({SOURCE_COLUMNS}){_QUIET}",
    )
    _copy(warehouse, folder, "shop.rows")
    _execute(warehouse, "alter table shop.rows add primary key (id)")


def _measured(warehouse: Warehouse, folder: Path, kind: Kind, rows: int) -> Measured:
    """Raw COPY and landing in turns."""
    (folder / "sources.yaml").write_text(f"sources: {{bench: {{{kind.yaml}}}}}\n")
    copies, landings, peaks, imports = [], [], [], []
    for _ in range(_TURNS.get(rows, 1)):
        _execute(warehouse, f"drop table if exists copied; create table copied ({kind.columns}){_QUIET}; checkpoint")
        copies.append(_copy(warehouse, folder, "copied"))
        _execute(warehouse, "drop table copied; drop schema if exists raw_bench cascade")
        _execute(warehouse, "truncate ops.batches cascade; checkpoint")
        landed = _landed(warehouse, folder, "land", rows)
        landings.append(landed["seconds"])
        peaks.append(landed["peak_bytes"])
        imports.append(landed["import_seconds"])
    _execute(warehouse, "drop schema raw_bench cascade")
    return Measured(rows / min(landings), rows / min(copies), max(peaks) / 2**20, min(imports))


def _default_path(warehouse: Warehouse, folder: Path, rows: int) -> float:
    """Rows a second of dlt's default path; over fewer rows, because its rate does not depend on how many they are."""
    write_files(rows, folder)
    return rows / float(_landed(warehouse, folder, "dlt", rows)["seconds"])


def _landed(warehouse: Warehouse, folder: Path, way: str, rows: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.landed", way, str(folder)],
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "SHOP_URL": warehouse.url()},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if said["rows"] != rows:
        raise RuntimeError(f"{said['rows']:,} of {rows:,} rows landed")
    return said


def _copy(warehouse: Warehouse, folder: Path, table: str) -> float:
    """Seconds that COPY takes for the CSV file, its commit included."""
    with closing(psycopg2.connect(warehouse.url())) as connection, (folder / "rows.csv").open("rb") as file:
        started = time.monotonic()
        connection.cursor().copy_expert(f"copy {table} from stdin (format csv, header)", file, 1 << 18)
        connection.commit()
        return time.monotonic() - started


def _execute(warehouse: Warehouse, statements: str) -> None:
    with closing(psycopg2.connect(warehouse.url())) as connection:
        connection.autocommit = True
        for statement in statements.split("; "):
            connection.cursor().execute(statement)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and give the exit code."""
    options = parser(__doc__.partition("\n")[0])
    names = [kind.name for kind in KINDS]
    options.add_argument("--from", nargs="+", choices=names, default=names, dest="kinds", help="what to land from")
    given = options.parse_args(arguments)
    kinds = [kind for kind in KINDS if kind.name in given.kinds]
    sizes = (given.rows,) if given.rows else SIZES
    return finish(lambda: list(measure(sizes, kinds)), as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
