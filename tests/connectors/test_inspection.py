"""`check` and `discover` look at a source without landing it; the module runs a source by itself."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.__main__ import main
from connectors.inspection import check, discover
from connectors.source import SourceConfig
from warehouse.settings import PROJECT_ROOT, Settings

Write = Callable[..., Path]
Configured = Callable[[str], SourceConfig]


def test_check_tells_files_bytes_and_problems(write: Write, configured: Configured) -> None:
    good = write("orders_1.csv", "id,v\n1,2\n")
    write("bad.csv", "id;v\n1;2\n")
    source = configured(
        "{orders: {path: 'data/orders_*.csv', key: id}, bad: {path: data/bad.csv, delimiter: ','},"
        " none: {path: 'data/x*'}, gone: {path: data/gone.csv}}"
    )
    orders, bad, none, gone = check(source)
    assert orders == {
        "table_name": "orders",
        "files": 1,
        "size_bytes": good.stat().st_size,
        "ok": True,
        "problem": None,
        "reading": {"format": "csv", "delimiter": ",", "quote": '"', "encoding": "utf-8", "header": True},
    }
    assert (bad["ok"], "is the delimiter ';'?" in bad["problem"]) == (False, True)
    assert "no file matches" in none["problem"]
    assert "there is no file" in gone["problem"]


def test_discover_tells_columns_as_they_will_be_in_raw(write: Write, configured: Configured) -> None:
    write("orders_1.csv", "Order ID,Total %\n1,2\n")
    write("orders_2.csv", "")
    write("events.jsonl", '{"id":1}\nbroken\n{"id":2,"at":3}\n')
    found = discover(configured("{orders: {path: 'data/orders_*', key: Order ID}, events: {path: data/events.jsonl}}"))
    assert [(table["table_name"], table["key"], table["columns"]) for table in found] == [
        ("orders", ["order_id"], ["order_id", "total_percent"]),
        ("events", ["id"], ["id", "at"]),
    ]
    assert found[0]["types"] == {"order_id": "integer", "total_percent": "integer"}
    assert found[0]["settings"]["key"] == "order_id"


def test_a_source_runs_by_itself(
    write: Write, configured: Configured, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    write("orders.csv", "id\n1\n")
    configured("{orders: {path: data/orders.csv}}")
    assert settings.database_url is not None
    monkeypatch.setenv("DATAINSIGHT_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("DATAINSIGHT_HOME", str(settings.home))
    monkeypatch.setenv("DATAINSIGHT_SOURCES", str(tmp_path / "sources.yaml"))
    assert main(["shop"]) == 0
    assert main(["shop"]) == 0
    idle = (
        "import sys; from connectors.__main__ import main; main(['shop']); print({'dlt', 'pyarrow'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", idle], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["shop: no new files", "set()"], "nothing heavy is imported for nothing"
    assert capsys.readouterr().out.splitlines() == ["shop: landed batches 1", "shop: no new files"]
    assert main(["shp"]) == 1
    assert "did you mean shop" in capsys.readouterr().err
    assert main([]) == 2
