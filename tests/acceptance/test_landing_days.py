"""Daily and monthly deliveries of real files land once, whatever day, and moment, the process is killed on."""

import random
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.landing import land
from quality.validate import validate_landed
from tests.connectors.exactly_once.moments import BEFORE_COMMIT, COMMITTING, RECORDING
from tests.connectors.exactly_once.process import LandingProcess
from warehouse.database import Warehouse

# One table, so one job: the second of two commits never comes.
MOMENTS = [moment for moment in [*BEFORE_COMMIT, *COMMITTING, *RECORDING] if moment != "two tables copied"]


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
    # Each moment once, on a day of its own; among them, if fate wants it, days in a row, and one day twice.
    fates = dict(zip(fate.sample(range(len(days)), len(MOMENTS)), MOMENTS, strict=True))
    source = Deliveries(warehouse, tmp_path, "*.csv")
    landed = 0
    for number, day in enumerate(days):
        source.deliver(day)
        if number in fates:
            source.be_killed(fates[number])
        landed += len(source.land())
    # A run that was killed when its ledger was written had landed its day.
    assert landed == 141 - Counter(fates.values())["recorded"]
    assert source.land() == []
    said = source.admitted("count(*), sum(quantity::numeric * unit_price::numeric), count(distinct batch_id)")
    assert said == [(209_029, Decimal("3706827.64"), 141)]


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
    said = source.admitted("count(*), count(distinct batch.batch_id), min(fare_amount) < 0")
    assert said == [(240_000, 24, True)]
    [(with_surcharge, first)] = source.admitted(
        "count(nullif(congestion_surcharge, '')), min(batch.batch_id) filter (where congestion_surcharge <> '')"
    )
    assert isinstance(with_surcharge, int)
    assert with_surcharge > 0
    assert isinstance(first, int)
    assert first > 1
