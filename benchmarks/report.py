"""How a benchmark says what it measured: a table or JSON, with the machine, and an exit code for missed budgets."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from warehouse.embedded.configuration import machine_memory_bytes


@dataclass(frozen=True)
class Result:
    """One figure.

    Attributes:
        name: What was measured.
        value: The figure, in `unit`.
        compared_with: What it stands beside, with that one's own figure; None for a figure by itself.
        ratio: `value` divided by the other's.
        budget: What it must keep to, in words; None when nothing is promised.
        holds: Whether it does.
    """

    name: str
    value: float
    unit: str
    compared_with: str | None = None
    ratio: float | None = None
    budget: str | None = None
    holds: bool | None = None


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(machine_memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--rows", type=int, metavar="N", help="how many rows, instead of the sizes it is known by")
    made.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return made


def finish(measure: Callable[[], Sequence[Result]], *, as_json: bool) -> int:
    """Measure and print.

    Returns:
        The exit code: 1 when a budget is missed.
    """
    about = machine()
    results = list(measure())
    if as_json:
        print(json.dumps({"machine": about, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(f"{', '.join(f'{key} {value}' for key, value in about.items())}\n\n{table(results)}")
    return int(any(result.holds is False for result in results))


def table(results: Sequence[Result]) -> str:
    """The results as a table that is also Markdown."""
    head = ("what", "measured", "compared with", "ratio", "budget", "holds")
    rows = [head, *(_row(result) for result in results)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    rule = tuple("-" * width for width in widths)
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in [head, rule, *rows[1:]]
    ]
    return "\n".join(f"| {line} |" for line in lines)


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.name,
        f"{result.value:,.0f} {result.unit}",
        result.compared_with or "",
        "" if result.ratio is None else f"{result.ratio:.2f}",
        result.budget or "",
        "" if result.holds is None else "yes" if result.holds else "NO",
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
