"""Connections to the warehouse, or to the source, break while a source lands."""

import pytest

from tests.connectors.exactly_once.origins import DatabaseShop, FileShop, Shop
from tests.connectors.exactly_once.process import until

OF_THE_PROCESS = "from pg_stat_activity where application_name = 'landing'"


def drop(shop: Shop, which: str) -> None:
    """Drop the connections of the process that fulfil a condition, and wait until they are gone."""
    found = shop.rows(f"select pid, pg_terminate_backend(pid) {OF_THE_PROCESS} and {which}")
    assert found
    until(lambda: not shop.rows(f"select pid {OF_THE_PROCESS} and pid in ({', '.join(str(pid) for pid, _ in found)})"))


@pytest.mark.parametrize("moment", ["copying", "all rows sent"])
def test_while_rows_are_copied(moment: str, files: FileShop) -> None:
    with files.process(moment, PGAPPNAME="landing") as process:
        process.reach()
        drop(files, "query ilike 'copy %'")
        process.fail()
    files.rerun_and_verify()


@pytest.mark.parametrize("moment", ["tables made", "one table copied", "deletions appended", "one table recorded"])
def test_every_connection_at_once(moment: str, tables: DatabaseShop) -> None:
    tables.rerun_and_verify()
    tables.grow()
    with tables.process(moment, PGAPPNAME="landing") as process:
        process.reach()
        drop(tables, "datname = current_database()")
        process.fail()
    tables.rerun_and_verify()


def test_while_the_source_is_read(tables: DatabaseShop) -> None:
    with tables.process("extracting", PGAPPNAME="landing") as process:
        process.reach()
        drop(tables, "datname <> current_database()")
        process.finish()
    tables.rerun_and_verify()
