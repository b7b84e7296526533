"""The project's statements for one engine, made without any connection to one."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.dbt_project.project import PROJECT

PROFILES = Path(__file__).with_name("portability")

# Whether an incremental model's table is there is what dbt would ask the engine; here it always is, except when the
# tables are made anew. Nothing else of the project is replaced.
TABLE_IS_THERE = """
{% macro is_incremental() %}
    {{ return(execute and model.config.materialized == 'incremental' and not should_full_refresh()) }}
{% endmacro %}
"""


@dataclass(frozen=True)
class Statement:
    """What dbt makes of one model or test.

    Attributes:
        name: The model or test.
        sql: The statement.
    """

    name: str
    sql: str


@dataclass(frozen=True)
class Portable:
    """A copy of the project that is compiled without a connection.

    Attributes:
        folder: Where the copy is, and where dbt writes.
    """

    folder: Path

    def __post_init__(self) -> None:
        shutil.copytree(PROJECT, self.folder / "project", ignore=shutil.ignore_patterns("target", "logs"))
        (self.folder / "project" / "macros" / "table_is_there.sql").write_text(TABLE_IS_THERE, encoding="utf-8")

    def compile(self, engine: str, *arguments: str) -> list[Statement]:
        """Compile for one engine; gives every statement, that of `--inline` alone if one is among the arguments."""
        from dbt.cli.main import dbtRunner

        outcome = dbtRunner().invoke(
            [
                *("compile", *arguments, "--no-introspect", "--no-populate-cache", "--target", engine),
                *("--project-dir", str(self.folder / "project"), "--profiles-dir", str(PROFILES)),
                *("--target-path", str(self.folder / engine), "--log-path", str(self.folder / "logs")),
                *("--log-level", "none"),
            ]
        )
        if outcome.exception is not None:
            raise outcome.exception
        return [
            Statement(
                result.node.name,
                result.node.compiled_code,
            )
            for result in outcome.result.results
            if result.node.resource_type.value not in ("seed", "operation")
        ]
