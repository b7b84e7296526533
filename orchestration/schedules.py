"""When the jobs run: everything daily, a source with a schedule of its own by that."""

from typing import TYPE_CHECKING

from dagster import DefaultScheduleStatus, ScheduleDefinition

from connectors.source import SourceConfig
from orchestration.jobs import EVERYTHING

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

DAILY = "0 5 * * *"
TIMEZONE = "UTC"


def build_schedules(
    sources: list[SourceConfig], jobs: dict[str, "UnresolvedAssetJobDefinition"]
) -> list[ScheduleDefinition]:
    """One schedule for everything, one for each source that says when."""
    crons = {EVERYTHING: DAILY} | {source.name: source.schedule for source in sources if source.schedule}
    return [
        ScheduleDefinition(
            name=f"{jobs[name].name}_schedule",
            job=jobs[name],
            cron_schedule=cron,
            execution_timezone=TIMEZONE,
            default_status=DefaultScheduleStatus.RUNNING,
        )
        for name, cron in crons.items()
    ]
