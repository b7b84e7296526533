"""One door to PostgreSQL for every room: whichever server it is, as whichever role."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import sqlalchemy as sa

LOADER = "loader"
TRANSFORMER = "transformer"
ANALYST = "analyst"
TENANT = "tenant"
API = "api"

# A landing's turn is an idle connection, for hours perhaps, and firewalls cut what says nothing; a server that went
# away without a word is noticed within a minute.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_TLS_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding")


@dataclass(frozen=True)
class Warehouse:
    """A reachable, migrated PostgreSQL database.

    Attributes:
        url_object: SQLAlchemy URL of the owner's connection, driver name `postgresql+psycopg2`.
        notice: One line the user should see about how the server was started, if there is one.
    """

    url_object: sa.URL
    notice: str | None = None
    _engines: dict[str | None, sa.Engine] = field(default_factory=dict, repr=False, compare=False)

    def url(self, role: str | None = None) -> str:
        """A libpq URL, `postgresql://…`, whose sessions act as `role` (None: as the owner)."""
        url = self.url_object
        query: dict[str, str] = {k: str(v) for k, v in url.query.items()}
        if role is not None:
            query["options"] = f"{query.get('options', '')} -c role={role}".strip()
        user = f"{quote(url.username or '', safe='')}:{quote(str(url.password or ''), safe='')}@"
        tail = f"?{urlencode(query, quote_via=quote)}" if query else ""
        host = f"[{url.host}]" if ":" in (url.host or "") else url.host
        return f"postgresql://{user}{host}:{url.port or 5432}/{quote(url.database or '', safe='')}{tail}"

    def engine(self, role: str | None = None) -> sa.Engine:
        """A pooled SQLAlchemy engine whose sessions act as `role` (None: as the owner)."""
        if role not in self._engines:
            options = f"-c role={role}" if role else ""
            given = self.url_object.query.get("options", "")
            patience = {name: value for name, value in _PATIENCE.items() if name not in self.url_object.query}
            self._engines[role] = sa.create_engine(
                self.url_object,
                connect_args={"options": f"{given} {options} -c timezone=UTC".strip(), **patience},
                pool_pre_ping=True,
                use_native_hstore=False,  # Each new connection would first ask whether there is such a type.
                hide_parameters=True,  # They are rows, which belong into no error.
            )
        return self._engines[role]

    def dispose(self) -> None:
        """Close every pooled connection."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def libpq_environment(url: sa.URL) -> dict[str, str]:
    """The variables by which programs over libpq find the database of `url`, its TLS options included."""
    named = {
        "PGHOST": url.host or "localhost",
        "PGPORT": str(url.port or 5432),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
    }
    options = {f"PG{name.upper()}": str(url.query[name]) for name in _TLS_OPTIONS if name in url.query}
    return named | options


def quote_identifier(name: str) -> str:
    """`name` as a quoted SQL identifier, safe to place in a statement."""
    return '"' + name.replace('"', '""') + '"'
