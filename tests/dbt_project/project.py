"""The dbt project as a test sees it: runs dbt in this process, and looks at what it built."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from warehouse.database import Warehouse

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


@dataclass(frozen=True)
class Project:
    """Runs dbt in this process against one database.

    Attributes:
        url: The database; its name is the same for all tests of a worker, as the parsed project carries it.
        folder: Where dbt writes.
    """

    url: sa.URL
    folder: Path

    def run(self, command: str, *arguments: str) -> dict[str, str]:
        """Run one dbt command; gives the status of each node by its name."""
        from dbt.cli.main import dbtRunner

        given = {
            "WAREHOUSE_HOST": self.url.host or "",
            "WAREHOUSE_PORT": str(self.url.port),
            "WAREHOUSE_USER": self.url.username or "",
            "WAREHOUSE_PASSWORD": str(self.url.password or ""),
            "WAREHOUSE_DBNAME": self.url.database or "",
        }
        os.environ.update(given)
        try:
            outcome = dbtRunner().invoke(
                [
                    *(command, *arguments, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                    *("--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")),
                    *("--log-level", "none"),
                ]
            )
        finally:
            for name in given:
                del os.environ[name]
        if outcome.exception is not None:
            raise outcome.exception
        return {result.node.name: str(result.status) for result in getattr(outcome.result, "results", [])}

    def artifact(self, name: str) -> dict[str, Any]:
        """One of the files that parsing leaves."""
        content: dict[str, Any] = json.loads((self.folder / "target" / name).read_text(encoding="utf-8"))
        return content


@dataclass(frozen=True)
class Star:
    """The warehouse of one test and the project that builds it."""

    project: Project
    warehouse: Warehouse

    def build(self, *arguments: str, unit_tests: bool = False) -> dict[str, str]:
        """Build and test the models; fails unless everything passes or warns."""
        without = () if unit_tests else ("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
        statuses = self.project.run("build", *without, *arguments)
        bad = {name: status for name, status in statuses.items() if status not in ("success", "pass", "warn")}
        assert not bad, bad
        return statuses

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.warehouse.engine().connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def execute(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self.warehouse.engine().begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def marts(self) -> list[str]:
        """The names of the tables in the schema `marts`."""
        return [name for (name,) in self.rows("select tablename from pg_tables where schemaname = 'marts' order by 1")]

    def contents(self) -> dict[str, str]:
        """A digest of all rows of each mart."""
        return {name: self._digest(name, "mart") for name in self.marts()}

    def storage(self, marts: Sequence[str]) -> dict[str, str]:
        """A digest of each mart's rows with their places on disk: the same only when nothing was written."""
        return {name: self._digest(name, "(mart.ctid, mart.xmin)") for name in marts}

    def _digest(self, mart: str, what: str) -> str:
        ((digest,),) = self.rows(
            f"select count(*) || ':' || coalesce(md5(string_agg(row, '|' order by row)), '') from"
            f" (select cast({what} as text) as row from marts.{mart} as mart) as mart_rows"
        )
        return str(digest)
