"""Where a source database is: its URL taken apart, what of it may be shown, and which engine reads it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, quote_plus

from warehouse.errors import DataInsightError
from warehouse.reach import Reach

if TYPE_CHECKING:
    import sqlalchemy as sa

EngineName = Literal["postgresql", "mysql", "mssql", "dialect"]

_ENGINES: dict[str, EngineName] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "mssql",
}
_SHOULD_BE = (
    "a database URL is engine://user:password@host:port/database, with @, : and / in the password written %40, %3A and"
    " %2F, or sqlite:///path"
)


@dataclass(frozen=True)
class Address:
    """A database that is read.

    Attributes:
        source: The source's name, for errors.
        url: The parsed URL; its password never leaves this object but to a driver.
        where: `host:port/database`, or the path of a database file; no secret.
    """

    source: str
    url: "sa.URL"
    where: str

    @property
    def engine(self) -> EngineName:
        """Which engine reads it."""
        return _ENGINES.get(self.url.get_backend_name(), "dialect")

    def driver_url(self, scheme: str) -> str:
        """The URL with the password, for a driver that wants the plain `scheme`."""
        text = self.url.set(drivername=scheme).render_as_string(hide_password=False)
        # SQLAlchemy writes a blank in a parameter as a plus sign, which libpq takes for one.
        rest, mark, parameters = text.partition("?")
        return rest + mark + parameters.replace("+", "%20")

    def scrubbed(self, text: str) -> str:
        """`text` without the password, however it was encoded."""
        password = self.url.password
        if password:
            for form in sorted({str(password), quote(str(password), safe=""), quote_plus(str(password))}, key=len)[
                ::-1
            ]:
                text = text.replace(form, "***")
        return text


def parse_address(source: str, url: str, folder: Path) -> Address:
    """The address that `url` gives; a database file is looked for beside `sources.yaml`.

    Raises:
        DataInsightError: It is no database URL; the message does not repeat it.
    """
    import sqlalchemy as sa

    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise DataInsightError(f"source {source}: its url is not a database URL", hint=_SHOULD_BE) from None
    backend = parsed.get_backend_name()
    if parsed.host is None and backend in {"sqlite", "duckdb"}:
        if not parsed.database or parsed.database == ":memory:":
            raise DataInsightError(f"source {source}: its url names no database file", hint=f"{backend}:///path")
        path = folder / Path(parsed.database).expanduser()
        if not path.is_file():
            raise DataInsightError(
                f"source {source}: there is no database file {path}",
                hint="a relative path starts at the folder of sources.yaml; an absolute one has four slashes",
            )
        return Address(source, parsed.set(database=str(path)), str(path))
    host = parsed.host or "localhost"
    port = parsed.port or {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433}.get(
        backend
    )
    where = f"{host}:{port}" if port else host
    return Address(source, parsed, f"{where}/{parsed.database}" if parsed.database else where)


def held_within(address: Address, reach: Reach) -> Address:
    """The same database, which is where it may be reached.

    A name may stand for another address a moment later. libpq is told the address that was looked at; the drivers of
    the other engines look again.

    Raises:
        DataInsightError: It may not be reached, or is a file of this machine.
    """
    if address.engine == "dialect" or not address.url.host:
        raise DataInsightError(
            f"source {address.source}: its url is none that an organization's source may have",
            hint="postgresql, mysql, mariadb and mssql can be read, by the name of a host",
        )
    found = reach.addresses(address.url.host)
    if address.engine != "postgresql":
        return address
    return replace(address, url=address.url.update_query_dict({"hostaddr": found[0]}))
