"""Transactions of the routes of datasources: a warehouse that is away is said to be so.

And what makes several of one organization wait for each other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from warehouse.database import API, Warehouse
from warehouse.doors.limits import end_lock_holders
from warehouse.errors import UnavailableError


@contextmanager
def begun(warehouse: Warehouse) -> Iterator[sa.Connection]:
    """A transaction, committed at the end.

    Raises:
        UnavailableError: The warehouse is away; nothing of it counts.
    """
    with _reached(), warehouse.engine(API).begin() as connection:
        yield connection


@contextmanager
def alone(warehouse: Warehouse, organization: str) -> Iterator[None]:
    """Let nobody else add to what an organization has meanwhile: what was counted is so until the end.

    Raises:
        UnavailableError: The warehouse is away.
    """
    # As the owner, who alone may take an advisory lock (warehouse/doors/server.py).
    with _reached(), warehouse.engine().connect() as connection:
        end_lock_holders(connection)
        connection.execute(
            sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"),
            {"name": f"serving.datasources.{organization}"},
        )
        yield


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (sa.exc.InterfaceError, sa.exc.OperationalError, sa.exc.TimeoutError) as error:
        raise UnavailableError(
            "the warehouse cannot be reached now", hint="try again in a moment; nothing was changed"
        ) from error
