"""`kill -9` at each moment of a later landing of a database, from the commit of the first rows on: deletions too."""

import pytest

from tests.connectors.exactly_once.moments import COMMITTING, RECORDING
from tests.connectors.exactly_once.origins import DatabaseShop


@pytest.mark.parametrize("moment", [*COMMITTING, "deletions appended", *RECORDING])
def test_tables_land_once(moment: str, tables: DatabaseShop) -> None:
    tables.rerun_and_verify()
    tables.grow()
    with tables.process(moment, "kill") as victim:
        victim.be_killed()
    tables.rerun_and_verify()
