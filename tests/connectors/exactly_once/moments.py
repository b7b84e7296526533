"""The moments of a landing at which something may happen to it, and how a process comes to a stop there.

Only the programs of the tests use this: a function of landing, of dlt or of ADBC is wrapped, product code is as it is.
"""

import importlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Moment:
    """A call, before it begins or after it ended.

    Attributes:
        module: Where the name is looked up by whoever calls it.
        name: Of a function, or of a class and its method.
        number: Which of its calls, counted from 1 over all threads.
    """

    module: str
    name: str
    after: bool = False
    number: int = 1

    def install(self, act: Callable[[], None]) -> None:
        """Call `act` when the moment has come."""
        owner: Any = importlib.import_module(self.module)
        *path, name = self.name.split(".")
        for part in path:
            owner = getattr(owner, part)
        original = getattr(owner, name)
        calls = Countdown(self.number, act)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            if not self.after:
                calls.count()
            result = original(*arguments, **named)
            if self.after:
                calls.count()
            return result

        setattr(owner, name, wrapped)


@dataclass(frozen=True)
class AmidRows:
    """When the COPY of a table has taken its first batch of rows, and asks for the next."""

    module: str = "connectors.landing.extracted"
    name: str = "merged_batches"

    def install(self, act: Callable[[], None]) -> None:
        """Call `act` when the moment has come."""
        importlib.import_module("connectors.landing.merge").BATCH_ROWS = 100  # type: ignore[attr-defined]
        owner: Any = importlib.import_module(self.module)
        original = getattr(owner, self.name)
        calls = Countdown(1, act)

        def wrapped(*arguments: Any) -> Iterator[Any]:
            for batch in original(*arguments):
                yield batch
                calls.count()

        setattr(owner, self.name, wrapped)


class Countdown:
    """Calls `act` at the call of that number."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self._left = number
        self._act = act
        self._lock = threading.Lock()

    def count(self) -> None:
        with self._lock:
            self._left -= 1
            come = self._left == 0
        if come:
            self._act()


# In the order of a landing. The sources of these tests have two tables or more, so a job of dlt and a connection each.
MOMENTS: dict[str, Moment | AmidRows] = {
    "first rows extracted": Moment("connectors.extraction.spool", "Portion.write", after=True),
    "extracting": Moment("connectors.extraction.spool", "Portion.write", after=True, number=2),
    "extracted": Moment("connectors.landing.land", "append"),
    "extracted by dlt": Moment("dlt.pipeline.pipeline", "Pipeline.extract", after=True),
    "normalizing": Moment("dlt.normalize.normalize", "Normalize.spool_files"),
    "making tables": Moment("dlt.destinations.job_client_impl", "SqlJobClientBase._update_schema_in_storage"),
    "tables made": Moment("dlt.load.load", "Load.initialize_package", after=True),
    "copying": AmidRows(),
    "all rows sent": Moment("adbc_driver_manager.dbapi", "Connection.commit"),
    "one table copied": Moment("adbc_driver_manager.dbapi", "Connection.commit", after=True),
    "two tables copied": Moment("adbc_driver_manager.dbapi", "Connection.commit", after=True, number=2),
    "jobs ended": Moment("dlt.load.load", "Load.complete_package"),
    "loaded": Moment("dlt.load.load", "Load.complete_package", after=True),
    "appended": Moment("connectors.landing.land", "append", after=True),
    "deletions appended": Moment("connectors.landing.land", "append_deletions", after=True),
    "one table recorded": Moment("connectors.landing.land", "record_landing", after=True),
    "recorded": Moment("connectors.landing.land", "_record", after=True),
}
BEFORE_COMMIT = ["extracting", "extracted", "extracted by dlt", "normalizing", "tables made", "copying"]
COMMITTING = ["all rows sent", "one table copied", "two tables copied", "jobs ended", "loaded"]
RECORDING = ["appended", "one table recorded", "recorded"]
