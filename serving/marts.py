"""What a mart is: its columns, the types they have in the metric store, and how it is split into months."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from warehouse.database import quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

# Where the tables of the star are: those with personal columns lie apart, and PostgreSQL's readers see views of them.
SCHEMA = "marts"
SCHEMAS = (SCHEMA, "personal")
PARTITION_COLUMN = "partition_month"
ORGANIZATION_COLUMN = "organization_id"

# The one partition of a table that is not split by month, and the partition of rows without a time.
WHOLE = "all"
NO_MONTH = "none"

# A numeric without a precision can hold more than any Parquet decimal; nine places keep money and ratios.
_UNBOUNDED_NUMERIC = (38, 9)
_TIME_TYPES = ("date", "timestamp with time zone", "timestamp without time zone")
_TEXT_TYPES = ("text", "name", "character varying")


@dataclass(frozen=True)
class Column:
    """A column of a mart.

    Attributes:
        type: PostgreSQL's own name of its type, such as `numeric(12,2)`.
        is_required: It is declared `not null`.
    """

    name: str
    type: str
    is_required: bool = False

    @property
    def base_type(self) -> str:
        """The type without its lengths and precisions."""
        return re.sub(r"\(.*?\)", "", self.type)

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Precision and scale in the store; None for a column that is no numeric."""
        if self.base_type != "numeric":
            return None
        found = re.fullmatch(r"numeric\((\d+),(\d+)\)", self.type)
        if found is None or int(found[1]) > _UNBOUNDED_NUMERIC[0]:
            return _UNBOUNDED_NUMERIC
        return int(found[1]), int(found[2])

    @property
    def selected(self) -> str:
        """The expression that reads it as a type which Arrow and Delta both have."""
        quoted = quote_identifier(self.name)
        if self.decimal is not None:
            return f"cast({quoted} as numeric({self.decimal[0]},{self.decimal[1]}))"
        return quoted if self.base_type in {*_kinds(), *_TEXT_TYPES} else f"cast({quoted} as text)"

    @property
    def arrow_type(self) -> "pa.DataType":
        """Its type in the store; what has no counterpart there is kept as text."""
        import pyarrow as pa

        if self.decimal is not None:
            return pa.decimal128(*self.decimal)
        return _kinds().get(self.base_type, pa.string())


@dataclass(frozen=True)
class Mart:
    """A table of the schema `marts`.

    Attributes:
        storage: Changes whenever the whole table was made anew, stays when rows were added to it.
        time_column: The column whose month is the partition; None for a table kept whole.
        namespace: The schema its table is in.
    """

    name: str
    columns: tuple[Column, ...]
    storage: int
    time_column: str | None
    namespace: str = SCHEMA

    @property
    def relation(self) -> str:
        """Its quoted name in PostgreSQL."""
        return f"{quote_identifier(self.namespace)}.{quote_identifier(self.name)}"

    @property
    def month(self) -> str:
        """The expression of the first day of a row's month; null where the row has none."""
        if self.time_column is None:
            return "cast(null as date)"
        return f"cast(date_trunc('month', cast({quote_identifier(self.time_column)} as timestamp)) as date)"

    @property
    def order(self) -> list[str]:
        """What its rows are sorted by inside a partition, bytewise like the statistics of Parquet."""
        organization = [
            quote_identifier(column.name) + (' collate "C"' if column.base_type in _TEXT_TYPES else "")
            for column in self.columns
            if column.name == ORGANIZATION_COLUMN
        ]
        return organization + ([] if self.time_column is None else [quote_identifier(self.time_column)])

    @property
    def schema(self) -> "pa.Schema":
        """The Arrow schema of its files."""
        import pyarrow as pa

        return pa.schema([pa.field(column.name, column.arrow_type, not column.is_required) for column in self.columns])

    def partition(self, month: date | None) -> str:
        """The name of a partition: `2024-12`, or one of the two that are no month."""
        if self.time_column is None:
            return WHOLE
        return NO_MONTH if month is None else f"{month:%Y-%m}"

    def only(self, partitions: Iterable[str]) -> str:
        """The condition that keeps these partitions, in a form that an index on the time can serve."""
        if self.time_column is None:
            return "true"
        time = quote_identifier(self.time_column)
        ranges = [
            f"{time} is null"
            if name == NO_MONTH
            else f"({time} >= date '{name}-01' and {time} < date '{name}-01' + interval '1 month')"
            for name in sorted(partitions)
        ]
        return f"({' or '.join(ranges) or 'false'})"


def time_column(name: str, columns: Iterable[Column], defined: str | None) -> str | None:
    """The column that splits a mart into months: the defined one, else a fact's first date or timestamp."""
    if not name.startswith("fact_"):
        return None
    times = [column.name for column in columns if column.base_type in _TIME_TYPES]
    return defined if defined in times else next(iter(times), None)


def _kinds() -> "dict[str, pa.DataType]":
    import pyarrow as pa

    return {
        "boolean": pa.bool_(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "real": pa.float32(),
        "double precision": pa.float64(),
        "date": pa.date32(),
        "timestamp with time zone": pa.timestamp("us", tz="UTC"),
        "timestamp without time zone": pa.timestamp("us"),
    }
