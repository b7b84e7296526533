"""Marts and doors for the tests that ask what a login sees."""

from collections.abc import Iterator

import pytest

from tests.warehouse.doors import MARTS, POLICY, Doors
from warehouse.database import Warehouse
from warehouse.doors.sync import sync_policy
from warehouse.settings import Settings


@pytest.fixture
def bare_doors(warehouse: Warehouse, settings: Settings) -> Iterator[Doors]:
    """A warehouse without any mart, with a policy of marts to come."""
    made = Doors(warehouse, settings)
    sync_policy(warehouse, POLICY)
    yield made
    made.leave()


@pytest.fixture
def doors(bare_doors: Doors) -> Doors:
    """The hand-made marts, protected."""
    for mart in MARTS:
        bare_doors.build(mart)
    return bare_doors
