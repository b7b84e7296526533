"""Connecting to the embedded server as its superuser, telling a refusal that passes from one that stays."""

import psycopg2

# What a server says, or leaves unsaid, while it starts, recovers, restarts its processes or is just being
# killed.
_PASSING = (
    "the database system is",
    "the database system has",
    "closed the connection",
    "Connection refused",
    "reset by peer",
)

SUPERUSER = "datainsight"


def connect(port: int, password: str) -> "psycopg2.extensions.connection":
    """A connection to the maintenance database, whatever `PG*` variables the environment has.

    Raises:
        psycopg2.OperationalError: The server cannot be reached or refuses; see `is_passing`.
    """
    connection = psycopg2.connect(
        host="127.0.0.1",
        port=port,
        user=SUPERUSER,
        password=password,
        dbname="postgres",
        connect_timeout=10,
        sslmode="disable",
        gssencmode="disable",
        options="-c timezone=UTC",
    )
    connection.autocommit = True
    return connection


def is_passing(error: psycopg2.OperationalError) -> bool:
    """Whether the same attempt may succeed a moment later."""
    return any(words in str(error) for words in _PASSING)


def refusal(error: psycopg2.OperationalError) -> str:
    """The server's reason in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL:" in line] or lines
    return telling[0].split("FATAL:")[-1].strip()
