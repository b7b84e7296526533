"""Opens an .xls with what it will be read with; a script of its own, with nothing of ours imported.

A few kilobytes of it can say that a sheet reaches from the first cell to the last, and whoever opens it makes room for
all of them, half a gigabyte for each such sheet. Here that is refused, and ends nobody else's process.
"""

import resource
import sys
from contextlib import suppress
from pathlib import Path

BROKEN = 3


def main(path: str, most_bytes: str) -> int:
    """Open a workbook in so much memory; prints what is wrong with it."""
    import fastexcel

    # What ends for want of memory would leave all of it on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Not every system knows this limit.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (int(most_bytes), int(most_bytes)))
    try:
        fastexcel.read_excel(Path(path).read_bytes())
    except fastexcel.FastExcelError as error:
        print(str(error).splitlines()[0][:200])
        return BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
