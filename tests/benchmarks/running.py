"""Runs a benchmark as a user does, over few rows."""

import json
import subprocess
import sys
from typing import Any

from warehouse.settings import PROJECT_ROOT


def measured(name: str, rows: int) -> list[dict[str, Any]]:
    """The results of `python -m benchmarks.<name>`, whose exit code says whether they hold."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--rows", str(rows), "--json"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # A program that broke ends with 1 too, and has printed nothing.
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    assert done.returncode == int(any(result["holds"] is False for result in results))
    return results
