"""The files that landing keeps for a run are removed while it runs, and between runs."""

import shutil
from pathlib import Path

import pytest

from tests.connectors.exactly_once.origins import Shop
from tests.connectors.exactly_once.process import until


def lose(*folders: Path) -> None:
    for folder in folders:
        # A thread of the process may be writing into it still.
        until(lambda folder=folder: shutil.rmtree(folder, ignore_errors=True) or not folder.exists())


def lose_working_folders(shop: Shop) -> None:
    lose(shop.home / "landing", shop.home / "dlt")


@pytest.fixture(params=["files", "tables"])
def shop(request: pytest.FixtureRequest) -> Shop:
    found: Shop = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("moment", ["normalizing", "copying", "jobs ended"])
def test_while_it_loads(moment: str, shop: Shop) -> None:
    with shop.process(moment) as process:
        process.reach()
        lose_working_folders(shop)
        process.finish()
    shop.rerun_and_verify()


def test_while_it_extracts(shop: Shop) -> None:
    with shop.process("extracting") as process:
        process.reach()
        lose(shop.home / "landing")
        process.fail()
    shop.rerun_and_verify()


def test_after_it_was_killed(shop: Shop) -> None:
    with shop.process("one table copied", "kill") as victim:
        victim.be_killed()
    lose_working_folders(shop)
    shop.rerun_and_verify()


def test_the_whole_home_between_two_runs(shop: Shop) -> None:
    """All that a run needs to know of the last one is in the database."""
    shop.rerun_and_verify()
    shutil.rmtree(shop.home)
    assert shop.rerun() == []
    shop.grow()
    shutil.rmtree(shop.home)
    shop.rerun_and_verify()
