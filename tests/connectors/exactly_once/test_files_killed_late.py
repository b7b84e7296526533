"""`kill -9` at each moment of the first landing of files, from the commit of the first rows on."""

import pytest

from tests.connectors.exactly_once.moments import COMMITTING, RECORDING
from tests.connectors.exactly_once.origins import FileShop


@pytest.mark.parametrize("moment", [*COMMITTING, *RECORDING])
def test_files_land_once(moment: str, files: FileShop) -> None:
    with files.process(moment, "kill") as victim:
        victim.be_killed()
    files.rerun_and_verify()
