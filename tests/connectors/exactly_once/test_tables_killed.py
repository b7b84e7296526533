"""`kill -9` at each moment of a later landing of a database, until every row is sent."""

import pytest

from tests.connectors.exactly_once.moments import BEFORE_COMMIT
from tests.connectors.exactly_once.origins import DatabaseShop


@pytest.mark.parametrize("moment", BEFORE_COMMIT)
def test_tables_land_once(moment: str, tables: DatabaseShop) -> None:
    tables.rerun_and_verify()
    tables.grow()
    with tables.process(moment, "kill") as victim:
        victim.be_killed()
    tables.rerun_and_verify()


def test_killed_again_and_again_while_the_tables_change(tables: DatabaseShop) -> None:
    for moment in ["making tables", "two tables copied", "one table recorded"]:
        with tables.process(moment, "kill") as victim:
            victim.be_killed()
    tables.rerun_and_verify()
    tables.grow()
    for moment in ["copying", "appended", "recorded"]:
        with tables.process(moment, "kill") as victim:
            victim.be_killed()
    tables.rerun_and_verify()
