"""Commands of the platform that need no start of their own: each would spend most of its time on imports."""

import os
import subprocess

from tests.forks import ForkedProcess, fork
from tests.support import Platform

# What commands import on their way, the pass and the metrics above all.
IMPORTED = (
    "orchestration.cli",
    "orchestration.run",
    "connectors.inspection",
    "connectors.landing.append",
    "quality.validate",
    "serving.metrics",
    "serving.store",
    "adbc_driver_postgresql.dbapi",
    "alembic.command",
    "dagster_postgres",
    "dbt.adapters.postgres",
    "dbt.cli.main",
    "deltalake",
    "dlt.destinations.impl.postgres.postgres",
    "duckdb",
    "great_expectations",
    "metricflow.engine.metricflow_engine",
)


class ForkedPlatform(Platform):
    """Runs commands in forked processes; `start` still starts one, as a user does."""

    def fork(self, *arguments: str) -> ForkedProcess:
        """Begin the command and do not wait for it."""
        return fork(
            "orchestration.cli",
            arguments,
            folder=self.folder,
            environment={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **self.environment},
            imported=IMPORTED,
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.fork(*arguments)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(arguments, process.wait(), stdout, stderr)
