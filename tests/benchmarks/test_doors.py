"""The benchmark of the doors runs from end to end; how much they cost, no test says."""

import json
import subprocess
import sys

from benchmarks.doors import QUERIES
from warehouse.settings import PROJECT_ROOT


def test_every_query_is_measured_beside_the_filter_by_hand() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.doors", "--rows", "3000", "--json"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    results = json.loads(done.stdout)["results"]
    assert [result["name"] for result in results] == list(QUERIES)
    assert all(result["compared_with"].startswith("filter by hand, ") for result in results)
    assert done.returncode == int(any(result["holds"] is False for result in results))
