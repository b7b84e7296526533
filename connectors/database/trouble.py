"""What a driver says when something fails, as one line that a user can act on and that holds no password."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.database.address import Address
from warehouse.errors import DataInsightError

_HINTS = {
    r"password|access denied|login failed|authentication|28P01|28000": (
        "check user and password in the url; @, : and / in a password are written %40, %3A and %2F"
    ),
    r"database .* does not exist|unknown database|cannot open database|unable to open": (
        "check the name of the database in the url"
    ),
    r"refused|timed? ?out waiting|unreachable|could not connect|can't connect|could not translate|name or service"
    r"|getaddrinfo|no route|failed to connect": "is the server up, and are host and port in the url right?",
    r"permission denied|command denied|42501|insufficient privilege": (
        "grant the user SELECT on it, or leave the table away"
    ),
    r"statement timeout|max_statement_time|maximum statement|canceling statement|57014": (
        "the server stopped the query: raise its time limit for this user, or read less with a cursor or a query"
    ),
    r"terminat|lost connection|gone away|closed the connection|connection reset|bytes remaining|broken pipe|57P0"
    r"|server closed|no connection to the server|connection .*clos|EOF detected": (
        "the connection broke; nothing of this load counts, the next run reads again"
    ),
    r"read.only transaction|25006|attempt to write|1792": "a query may only read",
    r"duplicate column|ambiguous": "give each column of the query a name of its own",
    r"syntax|does not exist|unknown column|no such|not found|invalid column|invalid object": (
        "check the table, its columns and its query"
    ),
}
_PREFIX = re.compile(
    r"^(?:\([\w.]+\) +|[A-Z_]+: +)?(?:\[libpq\] )?(?:Failed to (?:execute|prepare) query: |Execution error \[\w+\]: )?"
    r"(?:could not begin COPY: )?(?:ERROR: +|FATAL: +)?"
)


def one_line(text: str) -> str:
    """What matters of a driver's message: its first line, without the driver's own wrapping."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    line = _PREFIX.sub("", lines[0], count=1) if lines else "it gives no reason"
    if wrapped := re.fullmatch(r"\((\d+), [\"'](.*)[\"']\)", line):
        line = f"{wrapped[2]} ({wrapped[1]})"
    if wrapped := re.search(r"MySQLError \{ (.*) \}", line, re.IGNORECASE):
        line = wrapped[1]
    return line.rstrip(" .")


def failure(address: Address, what: str, error: BaseException | str) -> DataInsightError:
    """The error for `what` went wrong, such as `cannot be reached` or `shop.orders cannot be read`."""
    said = address.scrubbed(str(error))
    hint = next((hint for pattern, hint in _HINTS.items() if re.search(pattern, said, re.IGNORECASE)), None)
    return DataInsightError(f"source {address.source}: {what}: {one_line(said)}", hint=hint)


@contextmanager
def told(address: Address, what: str, *kinds: type[BaseException]) -> Iterator[None]:
    """Turn an error of `kinds` into one of ours.

    Raises:
        DataInsightError: One of them happened.
    """
    try:
        yield
    except kinds as error:
        raise failure(address, what, error) from None
