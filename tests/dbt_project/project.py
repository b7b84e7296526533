"""The dbt project as a test sees it: runs dbt in this process, and looks at what it built."""

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
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
        messages: What dbt last said of each node.
    """

    url: sa.URL
    folder: Path
    messages: dict[str, str | None] = field(default_factory=dict, repr=False)

    def run(self, command: str, *arguments: str) -> dict[str, str]:
        """Run one dbt command; gives the status of each node by its name."""
        from dbt.cli.main import dbtRunner

        # Other variables make dbt parse every file again, and leave another project behind: not where the default is.
        target = self.folder / "target"
        if "--vars" in arguments:
            target = self.folder / f"target-{uuid.uuid5(uuid.NAMESPACE_URL, arguments[arguments.index('--vars') + 1])}"
        given = {
            "WAREHOUSE_HOST": self.url.host or "",
            "WAREHOUSE_PORT": str(self.url.port),
            "WAREHOUSE_USER": self.url.username or "",
            "WAREHOUSE_PASSWORD": str(self.url.password or ""),
            "WAREHOUSE_DBNAME": self.url.database or "",
        }
        os.environ.update(given)
        try:
            outcome = dbtRunner(manifest=self._parsed(target) if command in ("build", "run", "test") else None).invoke(
                [
                    *(command, *arguments, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                    *("--target-path", str(target), "--log-path", str(self.folder / "logs")),
                    # Both cores have a worker of their own, and nobody reads what a build would write of the project.
                    *("--log-level", "none", "--threads", "1", *(() if command == "parse" else ("--no-write-json",))),
                ]
            )
        finally:
            for name in given:
                del os.environ[name]
        if outcome.exception is not None:
            raise outcome.exception
        results = getattr(outcome.result, "results", [])
        self.messages.update({result.node.name: result.message for result in results})
        # What is done at the end of a run is worth a word only when it fails.
        return {
            result.node.name: str(result.status)
            for result in results
            if result.node.resource_type != "operation" or str(result.status) != "success"
        }

    def _parsed(self, target: Path) -> Any:
        """What dbt parsed into that folder; looking for changes again would take a second of each build."""
        from orchestration.dbt import read_manifest

        parsed = target / "partial_parse.msgpack"
        return read_manifest(parsed) if parsed.exists() else None

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
        return self._done("build", *without, *arguments)

    def build_again(self, *arguments: str) -> dict[str, str]:
        """Build the models after a first build, without its tests and seeds, which take a third of the time."""
        return self._done("run", *arguments)

    def _done(self, *command: str) -> dict[str, str]:
        statuses = self.project.run(*command)
        # A saved query is no table: there is nothing to do for it.
        good = ("success", "pass", "warn", "skipped", "no-op")
        bad = {name: self.project.messages[name] for name, status in statuses.items() if status not in good}
        assert not bad, bad
        assert "skipped" not in statuses.values()
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

    def marts(self, suffix: str = "") -> dict[str, str]:
        """The tables of the star by name, with the schema each lies in."""
        found = self.rows(
            "select tablename, schemaname from pg_tables"
            f" where schemaname in ('marts{suffix}', 'personal{suffix}') order by 1"
        )
        return {str(name): str(schema) for name, schema in found}

    def contents(self, suffix: str = "") -> dict[str, str]:
        """A digest of all rows of each mart, of today's star or of one whose schemas end with `suffix`."""
        return {name: self._digest(f"{schema}.{name}", "mart") for name, schema in self.marts(suffix).items()}

    def storage(self, marts: Sequence[str]) -> dict[str, str]:
        """A digest of each mart's rows with their places on disk: the same only when nothing was written."""
        schemas = self.marts()
        return {
            name: self._digest(f"{schemas[name]}.{name}", "(mart.tableoid, mart.ctid, mart.xmin)") for name in marts
        }

    def _digest(self, mart: str, what: str) -> str:
        ((digest,),) = self.rows(
            f"select count(*) || ':' || coalesce(md5(string_agg(row, '|' order by row)), '') from"
            f" (select cast({what} as text) as row from {mart} as mart) as mart_rows"
        )
        return str(digest)
