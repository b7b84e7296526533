"""The vendors from Mailchimp to Zendesk."""

from pathlib import Path

import pytest

from tests.connectors.rest.vendor_run import FROM_M, run_vendor
from warehouse.database import Warehouse


@pytest.mark.parametrize("name", FROM_M)
def test_vendor(name: str, warehouse: Warehouse, tmp_path: Path) -> None:
    run_vendor(name, warehouse, tmp_path)
