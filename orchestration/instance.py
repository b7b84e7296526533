"""The Dagster instance: one persistent home for the runs of the command, the web pages and the daemon."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import sqlalchemy as sa

from warehouse.database import Warehouse

if TYPE_CHECKING:
    from dagster import DagsterInstance

_CONFIG = Path(__file__).parent / "dagster.yaml"
_COMMAND = "command.yaml"
_SCHEMA = "dagster"
_LOCK = 0x44616773  # "Dags"
# What a command prints is read where it is printed; files of it would pile up, one folder for each run.
_OUTPUT_STAYS = """
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""

_IS_MADE = sa.text("select exists (select from pg_tables where schemaname = :schema)")


def dagster_environment(warehouse: Warehouse, home: Path) -> dict[str, str]:
    """The variables with which any Dagster process finds the instance; makes its storage and configuration."""
    _make_storage(warehouse)
    folder = _written(home / "dagster" / "dagster.yaml", _CONFIG.read_text(encoding="utf-8"))
    return {"DAGSTER_HOME": str(folder), "DAGSTER_POSTGRES_URL": storage_url(warehouse)}


def _make_storage(warehouse: Warehouse) -> None:
    """Make Dagster's tables, all of them at once.

    Dagster makes them one by one and asks for the first alone ever after: a process that is killed amid them would
    leave a storage that nothing completes. So they are made aside, and the schema gets its name when it is whole.
    """
    with warehouse.engine().connect() as connection:
        if connection.execute(_IS_MADE, {"schema": _SCHEMA}).scalar_one():
            return
    from dagster_postgres import DagsterPostgresStorage

    aside = f"{_SCHEMA}_unfinished"
    with warehouse.engine().begin() as lock:
        lock.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if lock.execute(_IS_MADE, {"schema": _SCHEMA}).scalar_one():
            return
        with warehouse.engine().begin() as connection:
            connection.execute(sa.text(f"drop schema if exists {aside} cascade"))
            connection.execute(sa.text(f"create schema {aside}"))
        DagsterPostgresStorage(storage_url(warehouse, aside))
        lock.execute(sa.text(f"drop schema if exists {_SCHEMA}"))
        lock.execute(sa.text(f"alter schema {aside} rename to {_SCHEMA}"))


def _written(config: Path, wanted: str) -> Path:
    """The folder of a configuration that says what is wanted, also while other processes read it."""
    config.parent.mkdir(parents=True, exist_ok=True)
    if not config.exists() or config.read_text(encoding="utf-8") != wanted:
        scratch = config.with_suffix(f".{os.getpid()}")
        scratch.write_text(wanted, encoding="utf-8")
        scratch.replace(config)
    return config.parent


def storage_url(warehouse: Warehouse, schema: str = _SCHEMA) -> str:
    """URL of Dagster's storage; the driver is named because SQLAlchemy 2.1 would choose psycopg 3."""
    url = warehouse.url().replace("postgresql://", "postgresql+psycopg2://", 1)
    options = f"options={quote(f'-c search_path={schema}', safe='')}"
    return f"{url}{'&' if '?' in url else '?'}{options}"


def open_instance(warehouse: Warehouse, home: Path) -> "DagsterInstance":
    """The persistent instance, for use in this process, whose output stays on the terminal."""
    from dagster import DagsterInstance

    os.environ.update(dagster_environment(warehouse, home))
    text = _CONFIG.read_text(encoding="utf-8") + _OUTPUT_STAYS
    instance = DagsterInstance.from_config(str(_written(home / "dagster" / _COMMAND, text)), _COMMAND)
    # Dagster connects anew for each statement, unless told that its process lives long: a third of a run's time.
    instance.optimize_for_webserver(statement_timeout=0, pool_recycle=3600, max_overflow=20)
    return instance
