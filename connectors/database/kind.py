"""The kind `database`: which tables and queries of a database land, and the three doors to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from connectors.source import SourceConfig, Surroundings, TableConfig, Texts

if TYPE_CHECKING:
    from connectors.database.address import Address
    from connectors.extraction.request import DiscoveredTable, Request, TableCheck
    from connectors.extraction.spool import Spool


def _span(value: str | float) -> str | float:
    from connectors.extraction.window import parse_lag

    try:
        parse_lag(value)
    except ValueError:
        raise PydanticCustomError(
            "lag", 'must be a span such as "2 days", or a number for a cursor of numbers'
        ) from None
    return value


class DatabaseTable(TableConfig):
    """A table, a view or a query of a database."""

    table: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Field(description="the table's or view's name in the database, such as orders or sales.orders"),
    ] = None
    query: Annotated[Annotated[str, Field(min_length=1)] | None, Field(description="a SELECT to land the rows of")] = (
        None
    )
    cursor: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Field(description="the column that grows with every new or changed row, such as updated_at"),
    ] = None
    lag: Annotated[
        Annotated[str | float, AfterValidator(_span)] | None,
        Field(description='how late a row may come, such as "2 days", or a number for a cursor of numbers'),
    ] = None
    columns: Annotated[Texts | None, Field(description="the columns to land, all of them when it is not there")] = None
    cast: Annotated[Mapping[str, Literal["text"]], Field(description="a mapping of columns to text")] = {}

    @model_validator(mode="after")
    def _agreeing(self) -> "DatabaseTable":
        if self.table is not None and self.query is not None:
            raise PydanticCustomError("database_table", "has both a table and a query; one of them is read")
        if self.lag is not None and self.cursor is None:
            raise PydanticCustomError("database_table", "has a lag but no cursor that it could be a lag of")
        return self


class DatabaseSource(SourceConfig):
    """A source whose tables are in a SQL database."""

    url: Annotated[
        SecretStr, Field(description="the database's URL, engine://user:password@host:port/database, best as ${NAME}")
    ]
    schema_: Annotated[
        Texts, Field(alias="schema", description="the schema, or a list of them, that tables are looked for in")
    ] = ()
    include: Annotated[Texts, Field(description='table names with * and ?, such as "sales_*" or "archive.*"')] = ()
    exclude: Annotated[Texts, Field(description="table names with * and ? that include does not mean")] = ()
    parallel: Annotated[int, Field(ge=1, le=16, description="a whole number from 1 to 16")] = 4
    tables: Annotated[
        Mapping[str, DatabaseTable], Field(description="a mapping of tables to their settings, such as orders: {}")
    ] = {}
    _folder: Path = PrivateAttr(default_factory=Path.cwd)

    @model_validator(mode="before")
    @classmethod
    def _bare_tables(cls, values: object) -> object:
        """`orders:` with nothing after it is a table with every default."""
        if isinstance(values, dict) and isinstance(values.get("tables"), dict):
            tables = {name: {} if table is None else table for name, table in values["tables"].items()}
            return {**values, "tables": tables}
        return values

    @model_validator(mode="after")
    def _something_to_land(self, info: ValidationInfo) -> "DatabaseSource":
        is_draft = False
        if isinstance(info.context, Surroundings):
            self._folder = info.context.folder
            is_draft = bool(getattr(info.context, "draft", False))
        if not self.tables and not self.include and not is_draft:
            raise PydanticCustomError("database_table", "names no table: it needs tables, or include with a pattern")
        return self

    @property
    def open_ended(self) -> bool:
        """Whether more tables than those of `tables` may land: the ones that match a pattern."""
        return bool(self.include)

    @property
    def address(self) -> "Address":
        """Where it is.

        Raises:
            DataInsightError: The URL is none, or its file is not there, or it is where this source may not reach.
        """
        from connectors.database.address import held_within, parse_address

        address = parse_address(self.name, self.url.get_secret_value(), self._folder)
        return address if self.reach is None else held_within(address, self.reach)

    def check(self) -> "list[TableCheck]":
        """Whether each table can be read, and about how many rows it has."""
        from connectors.database.inspection import check

        return check(self)

    def discover(self) -> "list[DiscoveredTable]":
        """Every table and view in reach, with its key and cursor as far as the database tells."""
        from connectors.database.inspection import discover

        return discover(self)

    def extract(self, request: "Request", spool: "Spool") -> None:
        """Read what is new in each table into `spool`."""
        from connectors.database.extract import extract

        extract(self, request, spool)
