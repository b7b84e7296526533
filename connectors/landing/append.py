"""One dlt run that appends Arrow batches of several tables to `raw_<source>`, under one load id.

Knows dlt and PostgreSQL; knows nothing of files or of the ledger.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.landing.dlt_runtime import COPY_WORKERS, dlt_at
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.extract import DltSource
    from dlt.pipeline.pipeline import Pipeline

# A job that gets less than this to copy costs more than it saves.
_ROWS_WORTH_A_JOB = 131_072
_CONTRACT: Any = {"tables": "evolve", "columns": "evolve", "data_type": "freeze"}


@dataclass(frozen=True)
class TableLoad:
    """What is to be appended to one table.

    Attributes:
        schema: Arrow schema that every batch has.
        row_count: How many rows the batches have together; with 0 the table and its columns are made.
        batches: Gives the batches; called once.
        key_columns: What tells the table's rows apart; noted as a hint, enforced by quality.
    """

    name: str
    schema: "pa.Schema"
    row_count: int
    batches: Callable[[], Iterator["pa.RecordBatch"]]
    key_columns: Sequence[str] = ()


class FrozenTypeError(Exception):
    """A column comes with another type than it has in the warehouse."""

    def __init__(self, table: str, column: str, existing: str) -> None:
        super().__init__(f"{table}.{column} is {existing}")
        self.table = table
        self.column = column
        self.existing = existing


def build_source(name: str, loads: Sequence[TableLoad], folder: Path) -> "DltSource":
    """The dlt source that makes the tables of `loads` and starts the jobs which copy their rows.

    Args:
        name: The source's name.
        loads: What its resources stand for.
        folder: Where files may be put until the run is over.
    """
    import dlt
    from dlt.extract import DltSource

    def resource(load: TableLoad) -> Any:
        return dlt.resource(
            lambda: _headings(load, folder),
            name=load.name,
            write_disposition="append",
            schema_contract=_CONTRACT,
            columns=_columns(load),
        )

    return DltSource(dlt.Schema(f"raw_{name}"), f"raw_{name}", [resource(load) for load in loads])


def _columns(load: TableLoad) -> Any:
    """The columns as dlt describes them.

    Types go without their digits: to dlt's contract, decimals with more digits than the last time are another type.
    """
    from dlt.common.libs.pyarrow import get_column_type_from_py_arrow
    from dlt.common.schema.utils import dlt_load_id_column

    columns: dict[str, Any] = {}
    for field in load.schema:
        kind = get_column_type_from_py_arrow(field.type)["data_type"]
        # A primary key by itself would make the column NOT NULL, and a row without a key would fail the whole load.
        hints = {"primary_key": True} if field.name in load.key_columns else {}
        columns[field.name] = {"name": field.name, "data_type": kind, "nullable": True, **hints}
    return {**columns, "_dlt_load_id": dlt_load_id_column()}


def _headings(load: TableLoad, folder: Path) -> Iterator[Any]:
    """Files with the names of the columns and no rows, by which dlt starts a job each."""
    import dlt

    for number in range(max(1, min(COPY_WORKERS, load.row_count // _ROWS_WORTH_A_JOB))):
        path = folder / f"{load.name}-{number}.csv"
        path.write_text(",".join(load.schema.names) + "\n", encoding="ascii")
        yield dlt.mark.with_file_import(str(path), "csv", 0 if number else load.row_count)


def append(name: str, loads: Sequence[TableLoad], *, url: str, home: Path) -> str:
    """Append `loads` to the schema `raw_<name>` of the database.

    Args:
        name: The source's name.
        loads: What to append to which table.
        url: libpq URL whose role may write raw.
        home: The platform's home folder.

    Returns:
        dlt's load id, which every appended row carries as `_dlt_load_id`.

    Raises:
        FrozenTypeError: A column's type changed.
        DataInsightError: The load failed; none of it counts.
    """
    with dlt_at(home):
        import dlt
        from dlt.pipeline.exceptions import PipelineStepFailed

        from connectors.landing.copying import RawPostgres, SharedRows

        rows = {load.name: SharedRows(load.schema, load.batches()) for load in loads if load.row_count}
        pipeline: Pipeline = dlt.pipeline(
            f"raw_{name}",
            pipelines_dir=str(home / "dlt" / "pipelines"),
            destination=RawPostgres(_without_spaces(url), rows),
            dataset_name=f"raw_{name}",
        )
        # A load that failed or was killed left its package behind, and dlt would finish that one first.
        pipeline = pipeline.drop()
        try:
            info = pipeline.run(build_source(name, loads, Path(pipeline.working_dir)))
        except PipelineStepFailed as error:
            raise _explained(name, next((table.error for table in rows.values() if table.error), error)) from error
        finally:
            # All that the next run needs is in the database; what stays here would be a trace of this one.
            shutil.rmtree(pipeline.working_dir, ignore_errors=True)
    if len(info.loads_ids) != 1:
        raise DataInsightError(f"the load of source {name} has no single load id: {info.loads_ids}")
    for load in loads:
        if load.row_count and rows[load.name].copied != load.row_count:
            raise DataInsightError(
                f"landing source {name} failed: {rows[load.name].copied:,} of {load.row_count:,} rows of {load.name}"
                " were copied; nothing of this load counts",
                hint="run again; when it comes back, it is a fault in DataInsight",
            )
    return str(info.loads_ids[0])


def _without_spaces(url: str) -> str:
    """The same libpq URL with tabs between its options.

    dlt writes the URL anew for ADBC and turns a space into `+`, which libpq takes for a plus; a tab it leaves alone.
    """
    import sqlalchemy as sa

    parsed = sa.make_url(url)
    options = str(parsed.query.get("options", "")).replace(" ", "\t")
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)


def _explained(name: str, error: Exception) -> Exception:
    """What to raise for a failed run: its first cause, in one line."""
    from dlt.common.schema.exceptions import DataValidationError

    chain: list[BaseException] = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None and inner not in chain:
        chain.append(inner)
    for step in chain:
        if isinstance(step, DataValidationError) and step.schema_entity == "data_type" and step.table_schema:
            column = step.table_schema["columns"][str(step.column_name)]
            return FrozenTypeError(str(step.table_name), str(step.column_name), str(column.get("data_type")))
        if isinstance(step, DataInsightError):
            return step
    said = [line for line in str(chain[-1]).splitlines() if line.strip()] or [type(chain[-1]).__name__]
    return DataInsightError(
        f"landing source {name} failed: {said[0].strip()}",
        hint="nothing of this load counts; run again once the cause is gone",
    )
