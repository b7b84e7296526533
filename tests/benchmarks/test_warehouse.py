"""The benchmark of the star runs from end to end, both ways to the same star; how fast it is, no test says."""

import json
import subprocess
import sys

from warehouse.settings import PROJECT_ROOT


def test_a_build_is_measured_beside_hand_written_sql() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.warehouse", "--rows", "2000", "--json"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    first, later = json.loads(done.stdout)["results"]
    assert first["name"] == "2,000 actions, empty warehouse"
    assert later["name"] == "2,000 more on 2,000"
    for result in (first, later):
        assert result["value"] > 0
        assert result["compared_with"].startswith("by hand, ")
    assert done.returncode == int(any(result["holds"] is False for result in (first, later)))
