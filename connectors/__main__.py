"""`python -m connectors <source>`: lands one source and prints the ids of its batches."""

import json
import sys

from connectors.datasources import load_source
from connectors.landing.land import land
from warehouse.connect import open_warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings

_USAGE_ERROR = 2
_FLAGS = {"--full-refresh", "--json"}


def main(arguments: list[str]) -> int:
    """Land the source that `arguments` name; returns the exit code."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    flags = set(arguments) - set(names)
    if len(names) != 1 or not flags <= _FLAGS:
        print("usage: python -m connectors [--full-refresh] [--json] <source>", file=sys.stderr)
        return _USAGE_ERROR
    as_json = "--json" in flags
    try:
        settings = load_settings()
        source = load_source(settings, names[0])
        with open_warehouse(settings) as warehouse:
            batch_ids = land(source, warehouse, settings.home, full_refresh="--full-refresh" in flags)
    except DataInsightError as error:
        if as_json:
            print(json.dumps({"error": error.message, "hint": error.hint}))
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    landed = f"landed batches {', '.join(map(str, batch_ids))}" if batch_ids else "no new files"
    print(json.dumps({"batch_ids": batch_ids}) if as_json else f"{source.name}: {landed}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
