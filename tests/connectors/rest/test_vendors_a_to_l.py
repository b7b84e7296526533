"""The vendors from Airtable to Jira, and whether every definition has one."""

from pathlib import Path

import pytest

from connectors.rest.definition import catalog_names
from tests.connectors.rest.vendor_run import MODULES, UP_TO_L, run_vendor, vendor_of
from warehouse.database import Warehouse


def test_every_definition_has_a_vendor_and_every_vendor_a_definition() -> None:
    assert catalog_names() == MODULES
    for name in MODULES:
        assert vendor_of(name).catalog == name


@pytest.mark.parametrize("name", UP_TO_L)
def test_vendor(name: str, warehouse: Warehouse, tmp_path: Path) -> None:
    run_vendor(name, warehouse, tmp_path)
