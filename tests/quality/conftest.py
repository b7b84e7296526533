"""Batches made by hand in raw, as landing would leave them, and suites of the test's own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from quality.validate import validate_landed
from warehouse.database import Warehouse, quote_identifier
from warehouse.ledger import Batch, LandedFile, Landing, get_batch, record_landing

Row = Mapping[str, str | None]


class Room:
    """Lands batches into a warehouse, judges them with suites written here, and reads what was decided."""

    def __init__(self, warehouse: Warehouse, suites: Path) -> None:
        self.warehouse = warehouse
        self.suites = suites

    def land(
        self,
        table: str,
        rows: Sequence[Row],
        *,
        source: str = "shop",
        load_id: str = "1700000000.1",
        key: Sequence[str] = (),
        types: Mapping[str, str] | None = None,
        columns: Sequence[str] | None = None,
        unreadable: int = 0,
        row_count: int | None = None,
    ) -> int:
        """Append rows to `raw_<source>.<table>` and record them as a batch that nobody has judged."""
        names = list(columns or dict.fromkeys(name for row in rows for name in row))
        raw = f"{quote_identifier(f'raw_{source}')}.{quote_identifier(table)}"
        with self.warehouse.engine().begin() as connection:
            connection.exec_driver_sql(f"create schema if not exists {quote_identifier(f'raw_{source}')}")
            connection.exec_driver_sql(
                f"create table if not exists {raw} (_row_number bigint, _dlt_load_id text)".replace("%", "%%")
            )
            for name in names:
                kind = (types or {}).get(name, "text")
                connection.exec_driver_sql(
                    f"alter table {raw} add column if not exists {quote_identifier(name)} {kind}".replace("%", "%%")
                )
            listed = ", ".join(map(quote_identifier, ["_row_number", "_dlt_load_id", *names])).replace("%", "%%")
            marks = ", ".join(["%s"] * (len(names) + 2))
            for number, row in enumerate(rows, start=1):
                values = (number, load_id, *(row.get(name) for name in names))
                connection.exec_driver_sql(f"insert into {raw} ({listed}) values ({marks})", values)
            said = {"file": "shop.csv", "line": 9, "text": "a,b,c", "reason": "3 fields instead of 2"}
            return record_landing(
                connection,
                Landing(
                    source=source,
                    table_name=table,
                    load_id=load_id,
                    row_count=len(rows) + unreadable if row_count is None else row_count,
                    schema_version=None,
                    key_columns=list(key),
                    files=[LandedFile(f"/in/{table}.csv", 1, datetime.now(UTC), "hash", len(rows), 1, names)],
                    unreadable={len(rows) + 1 + place: (said, "unreadable_line") for place in range(unreadable)},
                ),
            )

    def expect(self, table: str, *expectations: dict[str, Any], source: str = "shop", **said: Any) -> Path:
        """Write a suite; what a rule does not say is filled in."""
        rules = [
            {"description": "A rule made for this test.", "severity": "row", "owner": "tests", **rule}
            for rule in expectations
        ]
        suite = {
            "source": source,
            "table": table,
            "description": "A table made for this test.",
            "owner": "tests",
            "required_columns": ["id"],
            "expectations": rules,
            **said,
        }
        path = self.suites / source / f"{table}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
        return path

    def judge(self, source: str | None = None) -> list[int]:
        return validate_landed(self.warehouse, source, suites=self.suites)

    def batch(self, batch_id: int) -> Batch:
        with self.warehouse.engine().connect() as connection:
            return get_batch(connection, batch_id)

    def checks(self, batch_id: int) -> dict[str, dict[str, Any]]:
        return {check["name"]: check for check in self.batch(batch_id).checks}

    def quarantine(self, batch_id: int) -> dict[int, list[str]]:
        """The rules that each row in quarantine broke, by row number."""
        return dict(self.rows("select row_id, failed_rules from ops.quarantine where batch_id = :id", id=batch_id))

    def rows(self, statement: str, **parameters: object) -> list[tuple[Any, ...]]:
        with self.warehouse.engine().connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), parameters)]


@pytest.fixture
def room(warehouse: Warehouse, tmp_path: Path) -> Room:
    return Room(warehouse, tmp_path / "suites")


@pytest.fixture
def without_great_expectations(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes every import of Great Expectations fail from the call on."""

    def block() -> None:
        monkeypatch.setitem(__import__("sys").modules, "great_expectations", None)

    return block
