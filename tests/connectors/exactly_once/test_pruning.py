"""Pruning takes rows that no batch names for left-overs, so it may only go on for as long as it holds the turn."""

from contextlib import ExitStack, suppress
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.landing import retention
from tests.connectors.exactly_once.origins import SOURCE, FileShop
from warehouse.errors import DataInsightError

OF_THE_TURN = (
    "select pid, pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
    " and database = (select oid from pg_database where datname = current_database())"
)


def test_pruning_that_lost_its_turn_removes_nothing_that_lands(
    files: FileShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.rerun_and_verify()
    files.grow()
    list_tables = retention._raw_tables
    with ExitStack() as processes:

        def lose_the_turn(*arguments: Any) -> list[str]:
            """The connection that holds the turn breaks, and a landing copies its rows before pruning goes on."""
            tables = list_tables(*arguments)
            assert files.rows(OF_THE_TURN)
            landing.append(processes.enter_context(files.process("appended")))
            landing[0].reach()
            return tables

        landing: list[Any] = []
        monkeypatch.setattr(retention, "_raw_tables", lose_the_turn)
        (source,) = load_sources(files.folder / "sources.yaml", files.home)
        assert source.name == SOURCE
        with suppress(sa.exc.OperationalError, DataInsightError):
            retention.prune(source, files.warehouse)
        assert "landed batches" in landing[0].succeed()
    files.rerun_and_verify()
