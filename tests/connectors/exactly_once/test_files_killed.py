"""`kill -9` at each moment of the first landing of files, until every row is sent."""

import pytest

from tests.connectors.exactly_once.moments import BEFORE_COMMIT
from tests.connectors.exactly_once.origins import FileShop


@pytest.mark.parametrize("moment", [*BEFORE_COMMIT, "making tables"])
def test_files_land_once(moment: str, files: FileShop) -> None:
    with files.process(moment, "kill") as victim:
        victim.be_killed()
    files.rerun_and_verify()


def test_killed_again_and_again_while_new_files_come(files: FileShop) -> None:
    for moment in ["copying", "two tables copied", "recorded", "loaded"]:
        with files.process(moment, "kill") as victim:
            victim.be_killed()
        files.grow()
    files.rerun_and_verify()
