"""The platform as a user runs it: real `datainsight` processes over a home and sources of their own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Platform:
    """Runs the command with settings of its own.

    Attributes:
        environment: The `DATAINSIGHT_*` variables, and whatever else the command is to see.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*arguments)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def json(self, *arguments: str) -> Any:
        """What the command prints with `--json`; it must end with 0."""
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(self) -> dict[str, Any]:
        """One pass; it must end with 0."""
        summary: dict[str, Any] = self.json("run")
        return summary

    def metric(self, *arguments: str) -> list[list[Any]]:
        """The rows of a metric query."""
        rows: list[list[Any]] = self.json("metrics", "query", *arguments)["rows"]
        return rows
