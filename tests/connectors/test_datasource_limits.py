"""What the source of an organization may take: memory, tries, and the time of everybody else."""

import gzip
import io
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.datasources import load_datasources, load_source
from connectors.landing.apart import land_apart
from connectors.landing.land import land
from connectors.landing.turn import turn
from connectors.rest import held
from tests.connectors.test_datasources import ONE, OTHER, add, answering, api
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError
from warehouse.processes import environment_for
from warehouse.settings import Settings

LINES = b"\n" * 150_000


def zipped(name: str, content: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return written.getvalue()


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Of an installation whose datasources may reach one address of this machine."""
    (tmp_path / "sources.yaml").write_text("sources:\n  shop: {kind: demo, dataset: github_events}\n")
    changes = {"source_networks": ("127.0.0.1/32",), "sources": tmp_path / "sources.yaml"}
    return settings.model_copy(update=changes)


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (LINES, {}),
        (gzip.compress(LINES), {"encoding": "gzip"}),
        (zipped("a.jsonl", LINES), {"format": "zip_jsonl"}),
        (zipped("a.jsonl.gz", gzip.compress(LINES)), {"format": "zip_jsonl"}),
    ],
    ids=["plain", "gzip", "zip", "gzip in zip"],
)
def test_an_answer_is_not_read_beyond_what_fits_the_memory(
    warehouse: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch, body: bytes, sent: dict[str, str]
) -> None:
    monkeypatch.setattr(held, "MOST_BYTES", 100_000)
    with answering(body=body, encoding=sent.get("encoding")) as address:
        add(warehouse, settings, "rest", api(address, format=sent.get("format", "jsonl")))
        with pytest.raises(DataInsightError, match="/things was answered with more than 100,000 bytes") as raised:
            land(load_source(settings, ONE), warehouse, settings.home)
    assert raised.value.hint is not None


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_zipped_lines_that_fit_are_read(warehouse: Warehouse, settings: Settings, name: str) -> None:
    lines = b'{"id": 1}\n{"id": 2}\n'
    with answering(body=zipped(name, gzip.compress(lines) if name.endswith(".gz") else lines)) as address:
        add(warehouse, settings, "rest", api(address, format="zip_jsonl"))
        land(load_source(settings, ONE), warehouse, settings.home)
    assert ids(warehouse) == ["1", "2"]


def ids(warehouse: Warehouse) -> list[str]:
    with warehouse.engine().connect() as connection:
        found = connection.execute(sa.text(f"select id from raw_{ONE}.things order by _dlt_load_id, id"))
        return [str(one) for one in found.scalars()]


def test_what_would_wait_too_long_is_left_out_and_nobody_else_is(warehouse: Warehouse, settings: Settings) -> None:
    # The HTTP API takes none such; it is refused here, too, whoever has written the row.
    patient: dict[str, Any] = {**api("https://api.example.com"), "timeout": "10000 days"}
    add(warehouse, settings, "rest", patient)
    add(warehouse, settings, "rest", api("https://api.example.com"), datasource_id=OTHER)
    with pytest.raises(DataInsightError, match="timeout is at most 60 seconds in a datasource"):
        load_source(settings, ONE)
    usable, left_out = load_datasources(settings, warehouse)
    assert ([source.name for source in usable], list(left_out)) == ([OTHER], [ONE])


def test_in_a_process_of_its_own_a_source_lands_as_in_this_one(warehouse: Warehouse, settings: Settings) -> None:
    with answering() as address:
        add(warehouse, settings, "rest", api(address))
        [first] = land_apart(ONE, settings, warehouse, seconds=120)
        assert land_apart(ONE, settings, warehouse, seconds=120) == []
        [again] = land_apart(ONE, settings, warehouse, seconds=120, full_refresh=True)
    assert again > first
    assert ids(warehouse) == ["1", "2", "1", "2"]


def test_what_went_wrong_there_is_told_here(warehouse: Warehouse, settings: Settings) -> None:
    add(warehouse, settings, "rest", api("http://127.0.0.2:1"))
    with pytest.raises(DataInsightError, match="at an address that this source may not reach") as raised:
        land_apart(ONE, settings, warehouse, seconds=120)
    assert "DATAINSIGHT_SOURCE_NETWORKS" in str(raised.value.hint)


def test_a_process_that_ends_without_a_word_is_told_so(warehouse: Warehouse, settings: Settings) -> None:
    with pytest.raises(DataInsightError, match="source --nothing: the process that landed it ended with code 2"):
        land_apart("--nothing", settings, warehouse, seconds=120)


def test_what_never_answers_is_ended_and_leaves_nothing(warehouse: Warehouse, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/x"
        add(warehouse, settings, "database", {"url": "***", "tables": {"a": {}}}, {("url",): url})
        with pytest.raises(DataInsightError, match="was ended after 5 s"):
            land_apart(ONE, settings, warehouse, seconds=5)
    assert list(settings.home.glob("landing/*")) == []
    # Whoever comes next need not wait for it.
    with turn(warehouse, ONE):
        pass


def test_it_does_not_outlive_whoever_waits_for_it(warehouse: Warehouse, settings: Settings) -> None:
    waiting = (
        "from connectors.landing.apart import land_apart; from warehouse.connect import open_warehouse;"
        " from warehouse.settings import load_settings; settings = load_settings();"
        f" land_apart({ONE!r}, settings, open_warehouse(settings).__enter__(), seconds=600)"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/x"
        add(warehouse, settings, "database", {"url": "***", "tables": {"a": {}}}, {("url",): url})
        with subprocess.Popen([sys.executable, "-c", waiting], env=environment_for(settings)) as process:
            connection, _ = silent.accept()
            process.kill()
        with connection, turn(warehouse, ONE):
            pass
