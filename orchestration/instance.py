"""The Dagster instance: one persistent home for the runs of the command, the web pages and the daemon."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from warehouse.database import Warehouse

if TYPE_CHECKING:
    from dagster import DagsterInstance

_CONFIG = Path(__file__).parent / "dagster.yaml"


def dagster_environment(warehouse: Warehouse, home: Path) -> dict[str, str]:
    """The variables with which any Dagster process finds the instance; writes its configuration."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _CONFIG.read_text(encoding="utf-8")
    config = folder / "dagster.yaml"
    if not config.exists() or config.read_text(encoding="utf-8") != wanted:
        scratch = config.with_suffix(f".{os.getpid()}")
        scratch.write_text(wanted, encoding="utf-8")
        scratch.replace(config)
    return {"DAGSTER_HOME": str(folder), "DAGSTER_POSTGRES_URL": storage_url(warehouse)}


def storage_url(warehouse: Warehouse) -> str:
    """URL of Dagster's storage; the driver is named because SQLAlchemy 2.1 would choose psycopg 3."""
    url = warehouse.url().replace("postgresql://", "postgresql+psycopg2://", 1)
    options = f"options={quote('-c search_path=dagster', safe='')}"
    return f"{url}{'&' if '?' in url else '?'}{options}"


def open_instance(warehouse: Warehouse, home: Path) -> "DagsterInstance":
    """The persistent instance, for use in this process."""
    from dagster import DagsterInstance

    os.environ.update(dagster_environment(warehouse, home))
    return DagsterInstance.from_config(str(home / "dagster"))
