"""Transactions of the routes of datasources: a warehouse that is away is said to be so."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from warehouse.database import API, Warehouse
from warehouse.errors import UnavailableError


@contextmanager
def begun(warehouse: Warehouse) -> Iterator[sa.Connection]:
    """A transaction, committed at the end.

    Raises:
        UnavailableError: The warehouse is away; nothing of it counts.
    """
    try:
        with warehouse.engine(API).begin() as connection:
            yield connection
    except (sa.exc.InterfaceError, sa.exc.OperationalError, sa.exc.TimeoutError) as error:
        raise UnavailableError(
            "the warehouse cannot be reached now", hint="try again in a moment; nothing was changed"
        ) from error
