"""The sources that organizations have added over HTTP, read from the warehouse as those of `sources.yaml` are."""

import glob
from typing import Any

from connectors.config import find_source, load_sources, source_given
from connectors.secrets import also_hide
from connectors.source import SourceConfig, Surroundings
from warehouse.bounds import require_bounded
from warehouse.connect import open_warehouse
from warehouse.database import LOADER, Warehouse
from warehouse.datasources import (
    Datasource,
    is_datasource_id,
    joined,
    list_datasources,
    secret_texts_of,
    unsealed,
    upload_folder,
)
from warehouse.errors import DataInsightError
from warehouse.reach import Reach
from warehouse.settings import Settings


def load_datasources(
    settings: Settings, warehouse: Warehouse
) -> tuple[list[SourceConfig], dict[str, DataInsightError]]:
    """Every source that an organization has added.

    Returns:
        Those that can be used; and by name why others cannot: what one organization says wrong stops no other.
    """
    with warehouse.engine(LOADER).connect() as connection:
        found = list_datasources(connection)
    usable: list[SourceConfig] = []
    left_out: dict[str, DataInsightError] = {}
    for datasource in found:
        try:
            usable.append(_source(settings, datasource))
        except DataInsightError as error:
            left_out[datasource.datasource_id] = error
    return usable, left_out


def load_source(settings: Settings, name: str, *, draft: bool = False) -> SourceConfig:
    """The source of that name, whoever has configured it.

    Args:
        settings: They name `sources.yaml` and the warehouse, which is opened when the name is a datasource's.
        name: What `sources.yaml` calls it, or the id of a datasource.
        draft: Whether it is only looked at: the tables of a datasource need not be chosen yet.

    Raises:
        DataInsightError: There is none of that name, or something is wrong with it.
    """
    if not is_datasource_id(name):
        return find_source(load_sources(settings.sources, settings.home), name)
    with open_warehouse(settings) as warehouse, warehouse.engine(LOADER).connect() as connection:
        found = list_datasources(connection, datasource_id=name)
    if not found:
        raise DataInsightError(f"there is no datasource {name}")
    return _source(settings, found[0], draft=draft)


def _source(settings: Settings, datasource: Datasource, *, draft: bool = False) -> SourceConfig:
    secrets = unsealed(settings, datasource)
    values = {**joined(datasource.configuration, secrets), "kind": datasource.kind}
    folder = upload_folder(settings.home, datasource.organization_id, datasource.datasource_id)
    require_bounded(values)
    if datasource.is_uploaded:
        values["tables"] = {name: _uploaded(table, name) for name, table in values["tables"].items()}
    surroundings = Surroundings(datasource.datasource_id, folder, settings.home.absolute(), draft)
    source = source_given(values, secrets, surroundings)
    also_hide(source, secret_texts_of(secrets))
    source.bind(datasource.organization_id, Reach(settings.source_networks))
    return source


def _uploaded(table: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings of a table, with the files that were uploaded for it; they become visible when they are whole."""
    return {**table, "path": f"{glob.escape(name)}/*"}
