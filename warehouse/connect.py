"""Opens the warehouse: the embedded server or the given one, reachable, new enough, migrated, its doors in order."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from warehouse.database import Warehouse
from warehouse.doors.server import close_databases
from warehouse.doors.sync import sync_doors
from warehouse.errors import DataInsightError
from warehouse.migrate import migrate
from warehouse.settings import Settings

OLDEST_POSTGRESQL = 15
EMBEDDED_DATABASE = "datainsight"


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """The warehouse of these settings, for as long as the context lasts.

    The embedded server is started when it does not run, and stopped again at the end if nobody else uses it.

    Raises:
        DataInsightError: The server cannot be reached, is too old, or lets us do too little.
    """
    if settings.database_url is None:
        from warehouse.embedded import EmbeddedServer

        server = EmbeddedServer(settings.home, settings.server_user)
        url = server.acquire()
        try:
            yield from _opened(Warehouse(url, server.notice), settings)
        finally:
            server.release()
    else:
        yield from _opened(Warehouse(_given(settings)), settings)


def database_name(settings: Settings) -> str:
    """Name of the database of these settings; nothing is opened."""
    if settings.database_url is None:
        return EMBEDDED_DATABASE
    return _given(settings).database or EMBEDDED_DATABASE


def _given(settings: Settings) -> sa.URL:
    if settings.database_url is None:
        raise ValueError("no database was given")
    url = sa.make_url(settings.database_url.get_secret_value())
    return url.set(drivername="postgresql+psycopg2", host=url.host or "localhost")


def _opened(warehouse: Warehouse, settings: Settings) -> Iterator[Warehouse]:
    try:
        _prepare(warehouse, settings)
        yield warehouse
    finally:
        warehouse.dispose()


def _prepare(warehouse: Warehouse, settings: Settings) -> None:
    where = warehouse.url_object.render_as_string(hide_password=True).replace("+psycopg2", "")
    try:
        with warehouse.engine().connect() as connection:
            found: str = connection.execute(sa.text("show server_version_num")).scalar_one()
    except sa.exc.OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise DataInsightError(
            f"the database {where} cannot be reached: {reason}",
            hint="is the server up, and is DATAINSIGHT_DATABASE_URL right? Unset it to use the embedded server",
        ) from error
    if int(found) // 10_000 < OLDEST_POSTGRESQL:
        raise DataInsightError(
            f"the database {where} is PostgreSQL {int(found) // 10_000}; {OLDEST_POSTGRESQL} or newer is needed"
        )
    try:
        migrate(warehouse.engine())
        if settings.database_url is None:
            close_databases(warehouse.engine())
        sync_doors(warehouse, settings)
    except sa.exc.ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise DataInsightError(
            f"the database {where} cannot be prepared: {reason}",
            hint="the user of DATAINSIGHT_DATABASE_URL must own the database and have CREATEROLE",
        ) from error
