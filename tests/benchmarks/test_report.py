"""What a benchmark prints, and when it fails."""

import json

import pytest

from benchmarks.report import Result, finish

KEPT = Result("landing", 300_000.4, "rows/s", "raw COPY, 600,000 rows/s", 0.5, ">= 0.45", holds=True)
MISSED = Result("memory", 800, "MB", budget="< 700 MB", holds=False)


def test_a_table_with_the_machine_above_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert finish(lambda: [KEPT], as_json=False) == 0
    machine, _, *table = capsys.readouterr().out.splitlines()
    assert "cores" in machine
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table]
    assert cells[0] == ["what", "measured", "compared with", "ratio", "budget", "holds"]
    assert cells[2] == ["landing", "300,000 rows/s", "raw COPY, 600,000 rows/s", "0.50", ">= 0.45", "yes"]


def test_json_and_the_exit_code_of_a_missed_budget(capsys: pytest.CaptureFixture[str]) -> None:
    assert finish(lambda: [KEPT, MISSED], as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["machine"]["cores"] >= 1
    assert [result["holds"] for result in said["results"]] == [True, False]
    assert set(said["results"][0]) == {"name", "value", "unit", "compared_with", "ratio", "budget", "holds"}
