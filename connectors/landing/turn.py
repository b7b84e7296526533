"""Whose turn it is with a source: nobody lands it, or prunes it, while somebody else does."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from warehouse.database import Warehouse
from warehouse.doors.limits import end_lock_holders
from warehouse.errors import DataInsightError


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
        end_lock_holders(connection)
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


@contextmanager
def reachable(warehouse: Warehouse) -> Iterator[None]:
    """Say in one line that the database cannot be reached, or went away.

    Raises:
        DataInsightError: In place of SQLAlchemy's OperationalError.
    """
    try:
        yield
    except sa.exc.OperationalError as error:
        where = warehouse.url_object.render_as_string(hide_password=True).replace("+psycopg2", "")
        reason = str(error.orig).strip().splitlines()[0]
        what = "cannot be reached" if error.statement is None else "failed"
        raise DataInsightError(
            f"the database {where} {what}: {reason}",
            hint="is the server up? Nothing is lost: the next run extracts the same again",
        ) from error
