"""What every asset is handed: the settings, the warehouse, the sources and this pass's report."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from connectors.config import find_source, load_sources
from connectors.datasources import load_datasources
from connectors.source import SourceConfig
from orchestration.dbt import Variables, project_variables
from orchestration.report import Report
from warehouse.connect import open_warehouse
from warehouse.database import Warehouse
from warehouse.doors.limits import end_lock_holders
from warehouse.errors import DataInsightError
from warehouse.settings import Settings

# One pass at a time in one database; the lock goes with its connection, so a killed pass holds nothing.
_PASS_LOCK = 0x50617373  # "Pass"


@dataclass
class Pipeline:
    """One pass over everything.

    Attributes:
        full_refresh: Land every file again and rebuild every model from raw.
        left_out: By name, why a source of an organization takes no part; nobody else's rows wait for it.
        taken_seconds: By organization, how long its sources have taken so far.
    """

    settings: Settings
    warehouse: Warehouse
    sources: list[SourceConfig]
    full_refresh: bool = False
    report: Report = field(default_factory=Report)
    left_out: dict[str, DataInsightError] = field(default_factory=dict)
    taken_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def variables(self) -> Variables:
        """What dbt's project is told of this installation; no model reads what organizations have added."""
        return project_variables(self.settings, (source.name for source in self.sources if source.organization is None))

    def source(self, name: str) -> SourceConfig:
        """The configured source of that name.

        Raises:
            DataInsightError: No such source is configured, or it cannot be used.
        """
        if name in self.left_out:
            raise self.left_out[name]
        return find_source(self.sources, name)

    def land(self, name: str) -> list[int]:
        """Land what is new in a source.

        Those of an organization land in processes of their own, and have `DATAINSIGHT_JOB_SECONDS` together: however
        many it has, and whatever they wait for, everybody's pass goes on.

        Returns:
            Ids of the batches recorded.

        Raises:
            DataInsightError: Nothing was recorded.
        """
        source = self.source(name)
        if source.organization is None:
            from connectors.landing.land import land

            return land(
                source,
                self.warehouse,
                self.settings.home,
                full_refresh=self.full_refresh,
                say=lambda line: self.report.progress(f"{name}: {line}"),
            )
        from connectors.landing.apart import land_apart

        taken = self.taken_seconds.get(source.organization, 0.0)
        left = self.settings.job_seconds - taken
        if left <= 0:
            raise DataInsightError(
                f"source {name} was not read: others of its organization have taken the"
                f" {self.settings.job_seconds:,} s that its sources have together in a run",
                hint="DATAINSIGHT_JOB_SECONDS says how many; the next run tries again",
            )
        started = time.monotonic()
        try:
            return land_apart(name, self.settings, self.warehouse, seconds=left, full_refresh=self.full_refresh)
        finally:
            self.taken_seconds[source.organization] = taken + time.monotonic() - started


@contextmanager
def open_pipeline(
    settings: Settings, *, full_refresh: bool = False, report: Report | None = None, patience_seconds: int = 0
) -> Iterator[Pipeline]:
    """The pipeline for one pass; nobody else runs one on this database meanwhile.

    Args:
        settings: Whose sources and database.
        full_refresh: See `Pipeline`.
        report: Where the pass is written down; None: in a new one.
        patience_seconds: How long to wait for the end of another pass.

    Raises:
        DataInsightError: Another pass is going on, or settings, sources or database are not usable.
    """
    sources = load_sources(settings.sources, settings.home)
    with open_warehouse(settings) as warehouse, warehouse.engine().connect() as connection:
        _take_turn(connection, patience_seconds)
        connection.commit()
        added, left_out = load_datasources(settings, warehouse)
        report = report or Report()
        for name, error in left_out.items():
            report.progress(f"leaving out {name}: {error.message}")
        yield Pipeline(settings, warehouse, [*sources, *added], full_refresh, report, left_out)


def _take_turn(connection: sa.Connection, patience_seconds: int) -> None:
    end_lock_holders(connection)
    # The shortest time-out that PostgreSQL knows is a millisecond; none at all would be to wait for ever.
    milliseconds = max(1, patience_seconds * 1000)
    connection.execute(sa.text("select set_config('lock_timeout', :time, true)"), {"time": str(milliseconds)})
    try:
        connection.execute(sa.text("select pg_advisory_lock(:lock)"), {"lock": _PASS_LOCK})
    except sa.exc.OperationalError as error:
        raise DataInsightError(
            "another run is going on in this database", hint="wait for it to end; it is in Dagster's list of runs"
        ) from error
