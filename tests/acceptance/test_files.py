"""The kind `files` on real files: CSV corner cases, a JSON conformance suite, daily and monthly deliveries."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.files.kind import FileTable
from connectors.files.readers import open_reader
from connectors.files.readers.reading import UnreadableFileError
from connectors.landing.land import land
from warehouse.database import Warehouse


@pytest.fixture
def landed(warehouse: Warehouse, tmp_path: Path) -> Callable[[str], list[int]]:
    """`landed("{t: {path: …}}")` lands these tables as the source `real`."""

    def land_tables(tables: str) -> list[int]:
        path = tmp_path / "sources.yaml"
        path.write_text(f"sources:\n  real:\n    kind: files\n    tables: {tables}\n")
        return land(load_sources(path, tmp_path / "home")[0], warehouse, tmp_path / "home")

    return land_tables


def rows(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    with warehouse.engine().connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


# The twin of this file tells another number than the file does; what the file says is what must land.
LOCATION_PHONE = {"file": "2095257564", "twin": "1234567890"}


def test_each_csv_says_what_its_json_twin_says(shared_data: Path, tmp_path: Path) -> None:
    files = sorted((shared_data / "csv_spectrum" / "csvs").glob("*.csv"))
    assert len(files) == 12
    for file in files:
        content = file.read_bytes()
        if file.stem.endswith("_crlf"):
            # The copy at hand lost the line ends that its name and its twin speak of.
            content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        copy = tmp_path / file.name
        copy.write_bytes(content)
        twin = json.loads((shared_data / "csv_spectrum" / "json" / f"{file.stem}.json").read_bytes())
        expected = twin if isinstance(twin, list) else [twin]
        if file.stem == "location_coordinates":
            assert expected[0]["Contact Phone Number"] == LOCATION_PHONE["twin"]
            expected[0]["Contact Phone Number"] = LOCATION_PHONE["file"]
        reader = open_reader(copy, FileTable(path=(str(copy),)), tmp_path / "scratch")
        found = [list(row.values()) for batch in reader.batches() for row in batch.to_pylist()]
        assert found == [list(row.values()) for row in expected], file.name
        assert reader.unreadable == [], file.name
        assert len(reader.columns) == len(expected[0])


def test_a_json_parser_test_suite_is_read_without_a_mistake(shared_data: Path, tmp_path: Path) -> None:
    verdicts: Counter[tuple[str, str]] = Counter()
    wrong = []
    for file in sorted((shared_data / "json_test_suite" / "test_parsing").glob("[yn]_*.json")):
        reader = None
        try:
            reader = open_reader(file, FileTable(path=(str(file),)), tmp_path)
            for _ in reader.batches():
                pass
            verdict = "set aside" if reader.unreadable else "taken"
            reasons = [line.reason for line in reader.unreadable]
        except UnreadableFileError as error:
            verdict, reasons = "refused", [error.reason]
        verdicts[file.name[0], verdict] += 1
        if (file.name[0] == "y") != (verdict == "taken") or not all(reasons):
            wrong.append((file.name, verdict, reasons))
    assert wrong == []
    assert verdicts["y", "taken"] == 95
    assert verdicts["n", "refused"] + verdicts["n", "set aside"] == 188


def test_must_accept_and_must_reject_files_land_and_are_refused_as_tables(
    shared_data: Path, tmp_path: Path, warehouse: Warehouse, landed: Callable[[str], list[int]]
) -> None:
    """Through the whole of landing: every file a table of its own, whose batch is landed or refused."""
    suite = shared_data / "json_test_suite" / "test_parsing"
    names = {f"{file.name[0]}_{number}": file for number, file in enumerate(sorted(suite.glob("[yn]_*.json")))}
    for name, file in names.items():
        shutil.copy(file, tmp_path / f"{name}.json")
    landed("{" + ", ".join(f"{name}: {{path: {name}.json}}" for name in names) + "}")
    batches = {
        name: (status, count, checks)
        for name, status, count, checks in rows(
            warehouse, "select table_name, status, quarantined_count, checks from ops.batches"
        )
    }
    assert batches.keys() == names.keys()
    for name, (status, count, checks) in batches.items():
        if name.startswith("y"):
            assert (status, count) == ("landed", 0), names[name].name
        else:
            assert status == "refused" or count, names[name].name
            assert status != "refused" or checks[0]["detail"]


def test_trips_land_over_a_column_that_starts_late(
    shared_data: Path, warehouse: Warehouse, landed: Callable[[str], list[int]]
) -> None:
    folder = shared_data / "taxi_trips"
    landed(f"{{trips: {{path: '{folder}/*_2018-*.csv', columns: {{fare_amount: number}}}}}}")
    both = f"['{folder}/*.csv', '{folder}/*.csv.gz']"
    landed(f"{{trips: {{path: {both}, columns: {{fare_amount: number}}}}}}")
    assert rows(warehouse, "select status, sum(row_count) from ops.batches where status <> 'refused' group by 1") == [
        ("landed", 240_000)
    ]
    assert rows(warehouse, "select count(*), count(nullif(congestion_surcharge, '')) > 0 from raw_real.trips") == [
        (240_000, True)
    ]
    assert rows(warehouse, "select count(*) > 0 from raw_real.trips where fare_amount < 0") == [(True,)]
