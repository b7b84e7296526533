"""What the routes share for as long as the application runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from anyio import CapacityLimiter
from fastapi import Request

from serving.http.rates import Rates
from serving.identity.keys import Keys
from serving.metrics import Metrics
from warehouse.connect import open_warehouse
from warehouse.database import Warehouse
from warehouse.settings import Settings

# DuckDB spreads one statement over all processors; beside each other, many would only share them and the memory.
_WORKERS = 8


@dataclass(frozen=True)
class State:
    """Everything an answer is made from.

    Attributes:
        workers: How many questions are computed at once.
    """

    settings: Settings
    warehouse: Warehouse
    metrics: Metrics
    keys: Keys
    rates: Rates
    workers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_WORKERS))


@contextmanager
def open_state(settings: Settings) -> Iterator[State]:
    """Open the warehouse and what reads from it.

    Raises:
        DataInsightError: The warehouse cannot be opened.
    """
    with open_warehouse(settings) as warehouse:
        metrics = Metrics(settings, warehouse)
        metrics.watch()
        try:
            yield State(settings, warehouse, metrics, Keys(warehouse), Rates(settings))
        finally:
            metrics.close()


async def state_of(request: Request) -> State:
    """The state of the application that answers a request."""
    state: State = request.app.state.shared
    return state
