"""Daily and monthly deliveries of real files land once, whatever day, and moment, the process is killed on."""

import csv
import random
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.landing.land import land
from connectors.names import column_name
from quality.validate import validate_landed
from tests.connectors.exactly_once.moments import BEFORE_COMMIT, COMMITTING, RECORDING
from tests.connectors.exactly_once.process import LandingProcess
from warehouse.database import Warehouse

# One table of one file a day: what is second of something never comes.
NEVER = {"extracting", "two tables copied"}
MOMENTS = ["first rows extracted", *(m for m in [*BEFORE_COMMIT, *COMMITTING, *RECORDING] if m not in NEVER)]


class Deliveries:
    """A source `real` of one table, into whose folder files are put as time goes by."""

    def __init__(self, warehouse: Warehouse, folder: Path, pattern: str, settings: str = "") -> None:
        self.warehouse = warehouse
        self.folder = folder / "incoming"
        self.folder.mkdir()
        self._sources = folder / "sources.yaml"
        self._sources.write_text(
            "sources:\n  real:\n    kind: files\n    tables:\n"
            f"      lines: {{path: 'incoming/{pattern}', format: csv{settings}}}\n"
        )
        self._home = folder / "home"

    def deliver(self, file: Path) -> None:
        shutil.copy(file, self.folder / file.name)

    def land(self) -> list[int]:
        (source,) = load_sources(self._sources, self._home)
        batches = land(source, self.warehouse, self._home)
        validate_landed(self.warehouse)
        return batches

    def be_killed(self, moment: str) -> None:
        environment = {
            "DATAINSIGHT_DATABASE_URL": self.warehouse.url(),
            "DATAINSIGHT_HOME": str(self._home),
            "DATAINSIGHT_SOURCES": str(self._sources),
        }
        with LandingProcess(environment, "real", moment, "kill") as victim:
            victim.be_killed()

    def files(self) -> int:
        """How many files the ledger has, each of them once."""
        with self.warehouse.engine().connect() as connection:
            files, paths = connection.execute(sa.text("select count(*), count(distinct path) from ops.files")).one()
        assert files == paths
        return int(files)

    def admitted(self, what: str) -> list[tuple[object, ...]]:
        """What the admitted rows say, those in quarantine left out."""
        with self.warehouse.engine().connect() as connection:
            rows = connection.execute(
                sa.text(
                    f"select {what} from raw_real.lines as landed join ops.batches as batch"
                    " on batch.load_id = landed._dlt_load_id and batch.table_name = 'lines' where status = 'admitted'"
                    " and not exists (select from ops.quarantine where quarantine.batch_id = batch.batch_id"
                    " and row_id = _row_number)"
                )
            )
            return [tuple(row) for row in rows]


@pytest.mark.timeout(1200)
def test_retail_day_by_day(shared_data: Path, tmp_path: Path, warehouse: Warehouse) -> None:
    days = sorted((shared_data / "online_retail").glob("*.csv"))
    assert len(days) == 141
    fate = random.Random(20101201)
    # Each moment on a day of its own, a few in a row among them; nobody looks after it until the next day's run.
    fates = dict(zip([*fate.sample(range(3, 140), len(MOMENTS) - 1), 140], MOMENTS, strict=True))
    source = Deliveries(warehouse, tmp_path, "*.csv")
    for number, day in enumerate(days):
        source.deliver(day)
        if number in fates:
            source.be_killed(fates[number])
        elif number % 3 == 0:
            # What has gathered since the last run lands together, as after a weekend.
            assert len(source.land()) == 1
    source.land()
    assert source.land() == []
    said = source.admitted("count(*), round(sum(quantity::numeric * unit_price::numeric), 2)")
    assert said == [(209_029, Decimal("3706827.64"))]
    assert source.files() == 141
    # Every row of every file, and no other: what Python reads in them is what is admitted, to the letter.
    lines: Counter[tuple[object, ...]] = Counter()
    for day in days:
        with day.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        lines.update(tuple(row) for row in rows)
    assert Counter(source.admitted(", ".join(column_name(name) for name in header))) == lines


@pytest.mark.timeout(1200)
def test_trips_month_by_month_over_a_column_that_starts_late(
    shared_data: Path, tmp_path: Path, warehouse: Warehouse
) -> None:
    months = sorted((shared_data / "taxi_trips").glob("*_20*-*"), key=lambda file: file.name.partition("_20")[2])
    assert len(months) == 24
    fate = random.Random(20190201)
    fates = {number: fate.choice(MOMENTS) for number in fate.sample(range(len(months)), 6)}
    source = Deliveries(warehouse, tmp_path, "*", ", columns: {fare_amount: number}")
    for number, month in enumerate(months):
        source.deliver(month)
        if number in fates:
            source.be_killed(fates[number])
        source.land()
    assert source.land() == []
    assert source.admitted("count(*), min(fare_amount) < 0") == [(240_000, True)]
    assert source.files() == 24
    [(with_surcharge, late)] = source.admitted(
        "count(nullif(congestion_surcharge, '')) > 0,"
        " min(batch_id) filter (where congestion_surcharge <> '') > min(batch_id)"
    )
    assert (with_surcharge, late) == (True, True)
