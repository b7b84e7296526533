"""Whose turn it is with a source: nobody lands it, or prunes it, while somebody else does."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from warehouse.database import Warehouse


@contextmanager
def turn(warehouse: Warehouse, source: str) -> Iterator[sa.Connection]:
    """Wait for the right to write to the raw tables of `source`, and hold it.

    PostgreSQL gives it back by itself when this process dies, or the connection breaks: then somebody else has the
    turn. What only its holder may write is written through the connection given here, because what that commits was
    written in the turn.

    Yields:
        The connection that holds the turn, in no transaction.
    """
    lock = {"name": f"connectors.landing.{source}"}
    with warehouse.engine().connect() as connection:
        connection.execute(sa.text("select pg_advisory_lock(hashtextextended(:name, 0))"), lock)
        connection.commit()
        try:
            yield connection
        finally:
            # Of a broken connection nothing is asked: it holds no lock, and the error that broke it is the one to see.
            if not connection.invalidated:
                connection.rollback()
                connection.execute(sa.text("select pg_advisory_unlock(hashtextextended(:name, 0))"), lock)
                connection.commit()
