"""When the command that erases is started: at once, and not again before its time, for all that was ordered by then."""

import queue
import threading
import time

from serving.http.erasing import Erasing
from warehouse.settings import Settings


class Works:
    """In the place of the command: each one says when it began, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun: queue.Queue[float] = queue.Queue()
        self.may_end = threading.Semaphore(0)

    def __call__(self, _settings: Settings) -> None:
        self.begun.put(time.monotonic())
        self.may_end.acquire()

    def none_begins(self, seconds: float) -> bool:
        """Whether none begins within that time."""
        try:
            self.begun.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


def test_orders_that_come_before_its_time_share_the_next_one() -> None:
    works = Works()
    erasing = Erasing(Settings(), pause_seconds=0.5, work=works)
    erasing.start()
    first = works.begun.get(timeout=10)
    # It may have looked before these were there.
    for _ in range(3):
        erasing.start()
    works.may_end.release()
    second = works.begun.get(timeout=10)
    assert second - first >= 0.5
    works.may_end.release()
    assert works.none_begins(1.0)
    # After its time, the next order is not made to wait.
    erasing.start()
    works.begun.get(timeout=10)
    works.may_end.release()


def test_a_server_that_ends_starts_none_any_more() -> None:
    works = Works()
    erasing = Erasing(Settings(), pause_seconds=0.5, work=works)
    erasing.start()
    works.begun.get(timeout=10)
    erasing.start()
    erasing.close()
    works.may_end.release()
    assert works.none_begins(1.0)


def test_by_command_none_is_started() -> None:
    works = Works()
    Erasing(Settings(erasures="by_command"), work=works).start()
    assert works.none_begins(0.2)
