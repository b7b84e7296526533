"""A definition of the catalogue, run against a loopback server that speaks its vendor's API.

Two files of tests have half of them each, so that two workers share them.
"""

import importlib.util
import inspect
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.extraction.records import json_text
from connectors.inspection import check, discover
from connectors.landing.land import land
from connectors.names import column_name
from connectors.rest.definition import load_catalog
from connectors.rest.kind import RestSource
from connectors.source import Surroundings
from tests.connectors.rest.vendor import Vendor
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

VENDORS = Path(__file__).parent / "vendors"
MODULES = sorted(path.stem for path in VENDORS.glob("*.py") if not path.stem.startswith("_"))
UP_TO_L = [name for name in MODULES if name < "m"]
FROM_M = [name for name in MODULES if name >= "m"]


def vendor_of(name: str) -> Vendor:
    """The only vendor in the module."""
    spec = importlib.util.spec_from_file_location(f"vendors_{name}", VENDORS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    [found] = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Vendor) and member.__module__ == module.__name__
    ]
    vendor: Vendor = found()
    return vendor


def source_of(vendor: Vendor, home: Path, parameters: dict[str, Any]) -> RestSource:
    values = {
        "name": "vendor",
        "kind": "rest",
        "catalog": vendor.catalog,
        "parameters": parameters,
        "base_url": vendor.url,
        "back_off": "0.01 seconds",
        "limits": [],
    }
    return RestSource.model_validate(values, context=Surroundings("vendor", home, home))


def landed(warehouse: Warehouse, table: str, key: list[str]) -> list[dict[str, Any]]:
    """The newest version of each row that is not deleted, as `landed` in dbt reads it."""
    with warehouse.engine().connect() as connection:
        if not connection.execute(sa.text(f"select to_regclass('raw_vendor.{table}') is not null")).scalar_one():
            return []
        rows = connection.execute(
            sa.text(
                f"select r.* from raw_vendor.{table} r join ops.batches b on b.load_id = r._dlt_load_id"
                f" and b.table_name = '{table}' order by b.batch_id, r._row_number"
            )
        ).mappings()
        newest = {tuple(row[column] for column in key): dict(row) for row in rows}
    return [row for row in newest.values() if not row.get("_dlt_deleted")]


def texts(row: dict[str, Any]) -> dict[str, str | None]:
    """An API's object as it lands."""
    return {column_name(name): json_text(value) for name, value in row.items()}


def expected_rows(vendor: Vendor, table: str) -> list[dict[str, str | None]]:
    if table in vendor.expected:
        return list(vendor.expected[table])
    return [texts(row) for row in vendor.data[table]]


def assert_holds(rows: list[dict[str, Any]], wanted: list[dict[str, str | None]]) -> None:
    """The rows are those, in whatever order, in the columns that those have."""
    columns = sorted({column for row in wanted for column in row})
    assert Counter(tuple(row.get(column) for column in columns) for row in rows) == Counter(
        tuple(row.get(column) for column in columns) for row in wanted
    )


def run_vendor(name: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """Check, discover, land, change the data, land again, and try a wrong credential."""
    definition = load_catalog(name)
    with vendor_of(name) as vendor:
        source = source_of(vendor, tmp_path, dict(vendor.parameters))
        assert {row["table_name"]: row["problem"] for row in check(source)} == dict.fromkeys(definition.tables)

        found = {row["table_name"]: row for row in discover(source)}
        keys = {table: [column_name(column) for column in config.key or ()] for table, config in source.tables.items()}
        assert {table: row["key"] for table, row in found.items()} == keys

        vendor.limit_next()
        land(source, warehouse, tmp_path)
        assert vendor.limited == 1, "the server was not asked twice"
        for table in definition.tables:
            rows = landed(warehouse, table, keys[table])
            assert_holds(rows, expected_rows(vendor, table))
            assert not rows or set(keys[table]) <= set(rows[0]), f"{table} has no key {keys[table]}"
            assert set(found[table]["columns"]) <= set(rows[0] if rows else found[table]["columns"])

        vendor.change()
        land(source, warehouse, tmp_path)
        assert_second_run(vendor, source, warehouse, keys)

        with pytest.raises(DataInsightError) as unreachable:
            check(source_of(vendor, tmp_path, {**vendor.parameters, **vendor.wrong}))
        assert_tells(unreachable.value, vendor)
        asked = len(vendor.calls)

        with pytest.raises(DataInsightError) as refused:
            land(source_of(vendor, tmp_path, {**vendor.parameters, **vendor.wrong}), warehouse, tmp_path)
        assert len(vendor.calls) <= asked + 3, "a wrong credential is tried again and again"
        assert_tells(refused.value, vendor)


def assert_second_run(vendor: Vendor, source: RestSource, warehouse: Warehouse, keys: dict[str, list[str]]) -> None:
    for table, definition in source.the_definition.tables.items():
        if table not in vendor.expected:
            assert_holds(landed(warehouse, table, keys[table]), expected_rows(vendor, table))
        if definition.endpoint.incremental is None or table in vendor.expected:
            continue
        with warehouse.engine().connect() as connection:
            counts = connection.execute(
                sa.text("select row_count from ops.batches where table_name = :table order by batch_id"),
                {"table": table},
            )
            later = [row.row_count for row in counts][1:]
        assert sum(later) == len(vendor.changes.get(table, [])), f"{table}: the second run landed something else"


def assert_tells(error: DataInsightError, vendor: Vendor) -> None:
    """The error is one line, with the vendor's status or words, and without a secret."""
    assert "\n" not in error.message
    assert "http://127.0.0.1" in error.message
    for parameters in (vendor.parameters, vendor.wrong):
        for name, value in parameters.items():
            if source_secret(vendor, name):
                assert str(value) not in f"{error.message} {error.hint} {error.__cause__!r} {error.__context__!r}"


def source_secret(vendor: Vendor, name: str) -> bool:
    return load_catalog(vendor.catalog).parameters[name].secret
