"""Taps that say what a test wants, and the source that runs them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.extraction.request import Progress, Request
from connectors.extraction.spool import Spool
from connectors.landing.land import land
from connectors.singer.kind import SingerSource
from connectors.source import Surroundings
from warehouse.database import Warehouse

_TAP = """#!{python}
import argparse, gzip, json, os, sys, time
parser = argparse.ArgumentParser()
for option in ("config", "state", {options}):
    parser.add_argument("--" + option)
parser.add_argument("--discover", action="store_true")
told = parser.parse_args()
read = lambda path: json.load(open(path)) if path else {{}}
config, state = read(told.config), read(told.state)
given = vars(told)
catalog = read(given.get("properties") or given.get("catalog"))
def say(kind, **fields):
    print(json.dumps({{"type": kind, **fields}}), flush=True)
def log(line):
    print(line, file=sys.stderr, flush=True)
def schema(stream, key=("id",), **properties):
    say("SCHEMA", stream=stream, key_properties=list(key), schema={{"type": "object", "properties": properties}})
def record(stream, version=None, **record):
    say("RECORD", stream=stream, record=record, **({{"version": version}} if version else {{}}))
INT, TEXT = {{"type": ["null", "integer"]}}, {{"type": ["null", "string"]}}
selected = [
    entry["tap_stream_id"] for entry in catalog.get("streams", ())
    if any(item["breadcrumb"] == [] and item["metadata"].get("selected") for item in entry["metadata"])
]
if told.discover:
    print(json.dumps({{"streams": {streams}}}))
    sys.exit(0)
{script}
"""


def stream(name: str, *, key: tuple[str, ...] = ("id",), properties: Any = None, **facts: Any) -> dict[str, Any]:
    """An entry of a catalog."""
    said = {"table-key-properties": list(key), **{fact.replace("_", "-"): value for fact, value in facts.items()}}
    return {
        "tap_stream_id": name,
        "stream": name,
        "schema": {"type": "object", "properties": properties or {"id": {"type": "integer"}}},
        "metadata": [{"breadcrumb": [], "metadata": said}],
    }


class TapRun:
    """A source over a scripted tap, and a look at what landed."""

    def __init__(self, warehouse: Any, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.home = folder / "home"
        self.said: list[str] = []

    def write(
        self, script: str, *streams: dict[str, Any], options: tuple[str, ...] = ("catalog", "properties")
    ) -> None:
        """What the tap does from now on."""
        path = self.folder / "tap-shop"
        path.write_text(
            _TAP.format(
                python=sys.executable,
                options=", ".join(map(repr, options)),
                streams=repr(list(streams) or [stream("orders")]),
                script=script,
            )
        )
        path.chmod(0o755)

    def source(self, tables: dict[str, Any] | None = None, **settings: Any) -> SingerSource:
        return SingerSource.model_validate(
            {"name": "shop", "kind": "singer", "tap": "./tap-shop", "tables": tables or {"orders": {}}, **settings},
            context=Surroundings("shop", self.folder, self.home, draft=tables == {}),
        )

    def land(self, tables: dict[str, Any] | None = None, *, full_refresh: bool = False, **settings: Any) -> list[int]:
        source = self.source(tables, **settings)
        return land(source, self.warehouse, self.home, full_refresh=full_refresh, say=self.said.append)

    def extract(self, tables: dict[str, Any] | None = None, states: Any = None, **settings: Any) -> dict[str, Any]:
        """What the tap gives, by table, without landing it."""
        spool = Spool(self.folder / "spool")
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        request = Request(self.warehouse, self.home, scratch, progress=Progress(self.said.append), states=states or {})
        self.source(tables, **settings).extract(request, spool)
        return {portion.table: portion for portion in spool.portions}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.engine().begin() as connection:
            result = connection.execute(sa.text(sql))
            return [tuple(row) for row in result] if result.returns_rows else []

    def states(self) -> list[Any]:
        return [row[0] for row in self.query("select state from ops.batches order by batch_id")]

    def given(self, name: str) -> Any:
        """What the tap noted down with `json.dump(…, open(config["notes"] + name))`."""
        return json.loads((self.folder / name).read_text())


@pytest.fixture
def tap(warehouse, tmp_path) -> TapRun:
    return TapRun(warehouse, tmp_path)


@pytest.fixture
def lone_tap(tmp_path) -> TapRun:
    """A tap whose rows do not land: no database is there."""
    return TapRun(Warehouse(sa.make_url("postgresql://nobody@127.0.0.1:1/none")), tmp_path)
