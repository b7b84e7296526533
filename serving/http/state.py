"""What the routes share for as long as the application runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from anyio import CapacityLimiter
from fastapi import Request

from serving.datasources.worker import Worker
from serving.http.erasing import Erasing
from serving.http.exporting import Exporting
from serving.http.rates import Rates
from serving.http.turns import Shares, Turns
from serving.identity.accounts import Accounts
from serving.identity.keys import Keys
from serving.identity.oidc import OidcProvider, provider_of
from serving.identity.tokens import Tokens
from serving.metrics import Metrics
from serving.privacy.erasures import open_orders
from warehouse.connect import open_warehouse
from warehouse.database import API, Warehouse
from warehouse.settings import Settings

# DuckDB spreads one statement over all processors; beside each other, many would only share them and the memory.
_QUESTIONS = 8
# Half of them, so that nobody waits for one organization alone, however much it asks.
_QUESTIONS_OF_ONE = 4
# What arrives is counted with what an organization has only once it is whole.
_UPLOADS_OF_ONE = 2
# A password takes 64 MiB to check; a provider that hangs keeps only those waiting who log in by it.
_LOGINS = 4
_KEY_CHECKS = 8
_LOOK_UPS = 4


@dataclass(frozen=True)
class State:
    """Everything an answer is made from.

    Attributes:
        turns: How many questions are computed at once, and how many of one organization.
        oidc: Where people log in besides here, if anywhere.
        worker: Does the jobs on datasources.
        uploads: How many files of one organization arrive at once.
        logins: How many passwords are checked at once.
        oidc_logins: How many wait for the provider at once.
        key_checks: How many keys the warehouse is asked for at once.
        look_ups: How many wait for a name server at once, which somebody's hosts may keep waiting.
    """

    settings: Settings
    warehouse: Warehouse
    metrics: Metrics
    keys: Keys
    rates: Rates
    tokens: Tokens
    accounts: Accounts
    oidc: OidcProvider | None
    worker: Worker
    erasing: Erasing
    exporting: Exporting = field(default_factory=Exporting)
    turns: Turns = field(default_factory=lambda: Turns(_QUESTIONS, _QUESTIONS_OF_ONE))
    uploads: Shares = field(default_factory=lambda: Shares(_UPLOADS_OF_ONE))
    logins: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_LOGINS))
    oidc_logins: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_LOGINS))
    key_checks: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_KEY_CHECKS))
    look_ups: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_LOOK_UPS))


@contextmanager
def open_state(settings: Settings) -> Iterator[State]:
    """Open the warehouse and what reads from it.

    Raises:
        DataInsightError: The warehouse cannot be opened.
    """
    with open_warehouse(settings) as warehouse:
        tokens, oidc = Tokens(settings), provider_of(settings)
        accounts = Accounts(warehouse, settings, tokens)
        metrics = Metrics(settings, warehouse)
        metrics.watch()
        worker = Worker(settings, warehouse)
        worker.start()
        erasing = Erasing(settings)
        try:
            # Those that were ordered, or begun, before the server that was asked for them ended.
            with warehouse.engine(API).connect() as connection:
                if open_orders(connection):
                    erasing.start()
            keys, rates = Keys(warehouse), Rates(settings)
            yield State(settings, warehouse, metrics, keys, rates, tokens, accounts, oidc, worker, erasing)
        finally:
            erasing.close()
            worker.close()
            metrics.close()


async def state_of(request: Request) -> State:
    """The state of the application that answers a request."""
    state: State = request.app.state.shared
    return state
