"""The landing benchmark runs from end to end; how fast it is, no test says."""

import json
import subprocess
import sys

from warehouse.settings import PROJECT_ROOT


def test_every_kind_is_measured_beside_copy_and_dlt() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.landing", "--rows", "3000", "--json"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    results = json.loads(done.stdout)["results"]
    for kind in ("Parquet", "CSV", "PostgreSQL"):
        rate, copy, dlt, memory, imports = [result for result in results if result["name"].startswith(kind)]
        assert rate["value"] > 0
        assert copy["compared_with"].startswith("raw COPY, ")
        assert dlt["compared_with"].startswith("dlt's default path, ")
        assert (memory["unit"], imports["unit"]) == ("MB", "ms")
    assert done.returncode == int(any(result["holds"] is False for result in results))
