"""`python -m connectors <source>`: lands one source and prints the ids of its batches."""

import sys

from connectors.datasources import load_source
from connectors.landing.land import land
from warehouse.connect import open_warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings

_USAGE_ERROR = 2


def main(arguments: list[str]) -> int:
    """Land the source that `arguments` name; returns the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m connectors <source>", file=sys.stderr)
        return _USAGE_ERROR
    try:
        settings = load_settings()
        source = load_source(settings, arguments[0])
        with open_warehouse(settings) as warehouse:
            batch_ids = land(source, warehouse, settings.home)
    except DataInsightError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    landed = f"landed batches {', '.join(map(str, batch_ids))}" if batch_ids else "no new files"
    print(f"{source.name}: {landed}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
