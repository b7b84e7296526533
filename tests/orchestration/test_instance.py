"""Dagster's storage is there as a whole or not at all, whoever is killed while it is made."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from orchestration.instance import dagster_environment, open_instance
from warehouse.database import Warehouse

MAKE = """
import sys
from pathlib import Path
import sqlalchemy as sa
from orchestration.instance import dagster_environment
from warehouse.database import Warehouse
dagster_environment(Warehouse(sa.make_url(sys.argv[1])), Path(sys.argv[2]))
"""


def _schemas_with_tables(warehouse: Warehouse) -> set[str]:
    with warehouse.engine().connect() as connection:
        named = connection.execute(sa.text("select schemaname from pg_tables where schemaname like 'dagster%'"))
        return set(named.scalars())


def test_a_killed_beginning_is_made_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    url = warehouse.url_object.render_as_string(hide_password=False)
    process = subprocess.Popen([sys.executable, "-c", MAKE, url, str(tmp_path)])
    while not _schemas_with_tables(warehouse) and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    assert process.wait() != 0
    assert _schemas_with_tables(warehouse) == {"dagster_unfinished"}

    with open_instance(warehouse, tmp_path) as instance:
        assert instance.event_log_storage.supports_asset_checks
        assert instance.get_runs_count() == 0
    assert _schemas_with_tables(warehouse) == {"dagster"}


def test_those_who_begin_together_have_one_storage(warehouse: Warehouse, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda name: dagster_environment(warehouse, tmp_path / name), "abcd"))
    assert len({environment["DAGSTER_POSTGRES_URL"] for environment in found}) == 1
    assert _schemas_with_tables(warehouse) == {"dagster"}


def test_a_schema_that_was_dropped_is_made_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.engine().begin() as connection:
        connection.execute(sa.text("drop schema dagster cascade"))
    with open_instance(warehouse, tmp_path) as instance:
        assert instance.get_runs_count() == 0
    assert _schemas_with_tables(warehouse) == {"dagster"}
