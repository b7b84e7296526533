"""Equal questions at the same moment are answered by one computation, which ends when nobody waits for it any more."""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

Result = TypeVar("Result")


_AGAIN_SECONDS = 0.1


class AbandonedError(Exception):
    """Whoever asked has gone, so that nobody gets an answer."""


class Interruptible(Protocol):
    """Something that can be ended from another thread: a cursor of DuckDB, or whoever waits for another computation."""

    def interrupt(self) -> None:
        """End what it does."""


class Interruption:
    """Ends a computation from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Interruptible | None = None
        self.asked = False

    def ask(self) -> None:
        """End what runs, and let nothing begin."""
        self.asked = True
        self._end()

    def _end(self) -> None:
        # DuckDB forgets an interruption that comes just before a statement begins, so it is told until it has ended.
        with self._lock:
            if self._under_way is None:
                return
            self._under_way.interrupt()
        again = threading.Timer(_AGAIN_SECONDS, self._end)
        again.daemon = True
        again.start()

    @contextmanager
    def over(self, under_way: Interruptible) -> Iterator[None]:
        """What is done in the context may be ended.

        Raises:
            AbandonedError: It was asked for before.
        """
        with self._lock:
            if self.asked:
                raise AbandonedError
            self._under_way = under_way
        try:
            yield
        finally:
            with self._lock:
                self._under_way = None


class Asker:
    """Whoever waits for an answer; they may leave before it is there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flight: Flight[Any] | None = None
        self._has_left = False

    @property
    def has_boarded(self) -> bool:
        """Whether they wait for something that is under way."""
        return self._flight is not None

    def board(self, flight: "Flight[Any]") -> None:
        """Wait for what this flight brings."""
        with self._lock:
            self._flight = flight
            if self._has_left:
                flight.lose_one()

    def leave(self) -> None:
        """Wait no more."""
        with self._lock:
            if not self._has_left and self._flight is not None:
                self._flight.lose_one()
            self._has_left = True

    def interrupt(self) -> None:
        """Wait no more, since what this was needed for was ended."""
        self.leave()


class Flight(Generic[Result]):
    """One computation and those who wait for it."""

    def __init__(self) -> None:
        self.interruption = Interruption()
        self._lock = threading.Lock()
        self._waiting = 1
        self._is_over = threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None

    def join(self) -> bool:
        """Wait with the others; False when they have all left, so that it ends without a result."""
        with self._lock:
            if self._waiting == 0:
                return False
            self._waiting += 1
            return True

    def lose_one(self) -> None:
        """One of those who wait has left; the last one ends it."""
        with self._lock:
            self._waiting -= 1
            if self._waiting == 0:
                self.interruption.ask()

    def fly(self, compute: Callable[[Interruption], Result]) -> Result:
        """Compute, for everybody."""
        try:
            self._result = compute(self.interruption)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._is_over.set()
        return self._result

    def result(self) -> Result:
        """What the one who computes comes to.

        Raises:
            BaseException: Theirs.
        """
        self._is_over.wait()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]


class Flights(Generic[Result]):
    """The computations that are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Flight[Result]] = {}

    def answer(self, key: Hashable, compute: Callable[[Interruption], Result], asker: Asker | None = None) -> Result:
        """The result of the computation with this key, which the first one to ask does for all who ask meanwhile.

        Raises:
            AbandonedError: Everybody who waited for it has left.
        """
        with self._lock:
            flight = self._under_way.get(key)
            if flight is not None and not flight.join():
                flight = None
            is_first = flight is None
            if flight is None:
                flight = self._under_way[key] = Flight()
        if asker is not None:
            asker.board(flight)
        if not is_first:
            return flight.result()
        try:
            return flight.fly(compute)
        finally:
            with self._lock:
                if self._under_way.get(key) is flight:
                    del self._under_way[key]
