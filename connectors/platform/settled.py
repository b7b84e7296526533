"""Up to which number every event is there to be read.

An event gets its number before it is committed, so that a lower number may be committed after a higher one was seen. A
reader that went by the numbers alone would lose it. Whoever writes to a table holds a lock on it from before its first
number until after its commit, so it is enough to wait for those who hold one now: each lower number is then committed,
or will never be there. PostgreSQL itself does so when it builds an index concurrently. Nobody who writes has to wait.

Numbers of transactions beside the rows would do the same without waiting, until a dump of them is restored into a
server that counts its transactions from the beginning.
"""

import time

import sqlalchemy as sa

from warehouse.database import LOADER, Warehouse

# A writer needs milliseconds. One that was frozen in the middle must not hold up the sources that land after this one.
PATIENCE_SECONDS = 10.0
_BETWEEN_LOOKS_SECONDS = 0.02

_NEWEST = sa.text("select coalesce(max(received_seq), 0) from app.events")
_WRITERS = sa.text(
    "select virtualtransaction from pg_locks where locktype = 'relation' and mode = 'RowExclusiveLock' and granted"
    " and relation = cast('app.events' as regclass)"
    " and database = (select oid from pg_database where datname = current_database())"
)


def newest_settled(warehouse: Warehouse, patience_seconds: float | None = None) -> int | None:
    """The number of the newest event, once all lower ones are committed.

    Args:
        warehouse: Where the events are.
        patience_seconds: How long to wait for those who are writing; None: `PATIENCE_SECONDS`.

    Returns:
        0 when there is no event; None when somebody has been writing for all that time.
    """
    deadline = time.monotonic() + (PATIENCE_SECONDS if patience_seconds is None else patience_seconds)
    # Each look is a transaction of its own, or it would see the same again and again.
    engine = warehouse.engine(LOADER).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        newest = int(connection.execute(_NEWEST).scalar_one())
        waited_for: set[str] = set(connection.execute(_WRITERS).scalars())
        while waited_for:
            if time.monotonic() > deadline:
                return None
            time.sleep(_BETWEEN_LOOKS_SECONDS)
            waited_for &= set(connection.execute(_WRITERS).scalars())
    return newest
