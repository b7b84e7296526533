"""Does every file of a batch have the columns its suite asks for, and does it bring columns nobody knows?"""

from typing import Any

import sqlalchemy as sa

from quality.check import Check
from quality.suite import Suite
from warehouse.ledger import Batch, files_of


def check_columns(connection: sa.Connection, batch: Batch, suite: Suite) -> list[Check]:
    """The checks `required_columns` (severity batch) and `known_columns` (severity warn) of one batch.

    The columns are those of each file, or of what came from a source that is no files, not of the raw table, which
    keeps every column there ever was.
    """
    required = list(dict.fromkeys([*suite.required_columns, *batch.key_columns]))
    files = [file for file in files_of(connection, batch.batch_id) if file["columns"]]
    if not files and batch.columns:
        files = [{"path": batch.name, "columns": list(batch.columns)}]
    missing = _told(files, {file["path"]: _without(required, file["columns"]) for file in files})
    unknown = _told(files, {file["path"]: _without(file["columns"], [*suite.columns, *required]) for file in files})
    return [
        Check(
            name="required_columns",
            description=f"Every file has the columns {', '.join(required)}.",
            severity="batch",
            owner=suite.owner,
            status="failed" if missing else "passed",
            detail=f"missing: {missing}" if missing else None,
        ),
        Check(
            name="known_columns",
            description="No file brings a column that the suite does not know; such columns are kept, unchecked.",
            severity="warn",
            owner=suite.owner,
            status="warned" if unknown else "passed",
            detail=f"unknown: {unknown}" if unknown else None,
        ),
    ]


def _without(wanted: list[str], given: list[str]) -> list[str]:
    return [name for name in wanted if name not in given]


def _told(files: list[dict[str, Any]], names: dict[str, list[str]]) -> str:
    return "; ".join(f"{', '.join(names[file['path']])} in {file['path']}" for file in files if names[file["path"]])
