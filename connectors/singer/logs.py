"""What a tap logs: passed on line by line, its metrics summed up."""

import json
import re
from collections.abc import Callable
from typing import Any

_METRIC = re.compile(r"METRIC: (\{.*\})\s*$")
_LONGEST_LINE = 500


class Log:
    """The log of one run.

    Args:
        name: What the lines are said to be of.
        say: Passes them on.
    """

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name = name
        self._say = say
        self._metrics: dict[str, dict[str, float]] = {}

    def hear(self, line: str) -> None:
        """A line of the log; https://github.com/singer-io/getting-started says how metrics are written there."""
        if match := _METRIC.search(line):
            try:
                self._measure(json.loads(match.group(1)))
            except (ValueError, TypeError, KeyError):
                self._say(f"{self._name}: {line[:_LONGEST_LINE]}")
        elif "DEBUG" not in line:
            self._say(f"{self._name}: {line[:_LONGEST_LINE]}")

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """By metric: how often it was measured, and the sum."""
        return {name: {"count": said["count"], "sum": round(said["sum"], 3)} for name, said in self._metrics.items()}

    def _measure(self, found: dict[str, Any]) -> None:
        total = self._metrics.setdefault(str(found["metric"]), {"count": 0, "sum": 0.0})
        total["count"] += 1
        total["sum"] += float(found["value"])
