"""Reads the marts out of PostgreSQL: what there is, which partitions changed, and their rows as Arrow.

Everything that one publication reads comes from one transaction, so that it sees one state of the warehouse.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from serving.marts import SCHEMAS, Column, Mart, time_column
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    import pyarrow as pa

# The number of a transaction has no order and no sum of its own; how much younger it is than the first one has.
_WRITER = "(age('3'::xid) - age(mart_row.xmin))::bigint"
_WRITTEN = f"count(*) || ':' || max({_WRITER}) || ':' || sum({_WRITER})"
_DIGEST = "sum(hashtextextended(cast(mart_row as text), 0))"


@contextmanager
def open_marts(warehouse: Warehouse) -> "Iterator[MartReader]":
    """A reader of the marts as they are now, whatever is committed while it reads.

    Raises:
        DataInsightError: The marts cannot be read.
    """
    import adbc_driver_manager
    import adbc_driver_postgresql.dbapi

    try:
        with adbc_driver_postgresql.dbapi.connect(warehouse.url(API)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read read only")
                cursor.execute("set local timezone = 'UTC'")
            yield MartReader(connection)
    except adbc_driver_manager.Error as error:
        raise DataInsightError(
            f"the marts cannot be read: {str(error).splitlines()[0]}",
            hint="is the warehouse up, and may the role `api` read the schema `marts`?",
        ) from error


class MartReader:
    """Reads marts inside one read-only transaction, as the role `api`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def marts(self, time_columns: dict[str, str]) -> list[Mart]:
        """Every table of the star, by name; dbt's own passing tables are not among them.

        Args:
            time_columns: The time column of each mart whose definitions say it.
        """
        schemas = ", ".join(f"'{schema}'" for schema in SCHEMAS)
        found: dict[tuple[str, str, int], list[Column]] = {}
        for name, schema, storage, column, type_name, is_required in self._rows(
            "select class.relname::text, namespace.nspname::text, class.oid::bigint, attribute.attname::text,"
            " format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull"
            " from pg_class as class join pg_namespace as namespace on class.relnamespace = namespace.oid"
            " join pg_attribute as attribute on attribute.attrelid = class.oid"
            f" where namespace.nspname in ({schemas}) and class.relkind in ('r', 'm', 'p')"
            " and attribute.attnum > 0 and not attribute.attisdropped"
            r" and class.relname not like '%\_\_dbt\_%'"
            " order by class.relname, attribute.attnum"
        ):
            found.setdefault((name, schema, storage), []).append(Column(column, type_name, is_required))
        return [
            Mart(name, tuple(columns), storage, time_column(name, columns, time_columns.get(name)), schema)
            for (name, schema, storage), columns in found.items()
        ]

    def fingerprints(self, mart: Mart, known: dict[str, str], known_storage: int | None) -> dict[str, str]:
        """What each partition holds now, as `rows:newest writer:sum of writers:digest`.

        The writers are the transactions that wrote its rows: where they are the same, nothing was written. Elsewhere,
        and in a table that was made anew, the content is digested; where it is the same, so is the fingerprint.

        Args:
            mart: The table.
            known: Its fingerprints at the last snapshot.
            known_storage: Its storage at the last snapshot.
        """
        if known_storage == mart.storage:
            written = self._grouped(mart, _WRITTEN, "true")
            same = {name: known[name] for name, by in written.items() if known.get(name, "").rpartition(":")[0] == by}
            changed = written.keys() - same.keys()
            digested = self._grouped(mart, f"{_WRITTEN} || ':' || {_DIGEST}", mart.only(changed)) if changed else {}
        else:
            same, digested = {}, self._grouped(mart, f"{_WRITTEN} || ':' || {_DIGEST}", "true")
        return same | {
            name: known[name] if name in known and _content(known[name]) == _content(found) else found
            for name, found in digested.items()
        }

    def stream(self, mart: Mart, partitions: Iterable[str]) -> "Iterator[tuple[str, pa.RecordBatch]]":
        """The rows of these partitions, one partition after the other, in the order of the store."""
        import pyarrow as pa

        schema = mart.schema
        columns = ", ".join(column.selected for column in mart.columns)
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"select {mart.month} as partition_month, {columns} from {mart.relation}"
                f" where {mart.only(partitions)} order by {', '.join(['1', *mart.order])}"
            )
            for batch in cursor.fetch_record_batch():
                rows = pa.RecordBatch.from_arrays(
                    [_stored(batch.column(n + 1), field.type) for n, field in enumerate(schema)],
                    schema=schema,
                )
                for month, start, length in _runs(batch.column(0)):
                    yield mart.partition(month), rows.slice(start, length)

    def _grouped(self, mart: Mart, aggregate: str, condition: str) -> dict[str, str]:
        rows = self._rows(
            f"select {mart.month} as partition_month, {aggregate} from {mart.relation} as mart_row"
            f" where {condition} group by 1 order by 1"
        )
        return {mart.partition(month): fingerprint for month, fingerprint in rows}

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())


def _content(fingerprint: str) -> tuple[str, str]:
    """What a fingerprint says of the content alone: the number of rows and their digest."""
    rows, *_, digest = fingerprint.split(":")
    return rows, digest


def _stored(column: "pa.Array[Any]", wanted: "pa.DataType") -> "pa.Array[Any]":
    """A column as the store keeps it; ADBC brings numerics as text of an extension type."""
    import pyarrow as pa

    plain = column.storage if isinstance(column, pa.ExtensionArray) else column
    return plain if plain.type == wanted else plain.cast(wanted)


def _runs(months: "pa.Array[Any]") -> "Iterator[tuple[Any, int, int]]":
    """Equal neighbours of a sorted column, as (value, start, length)."""
    import numpy as np
    import pyarrow as pa

    days = months.cast(pa.int32()).fill_null(-1_000_000).to_numpy()
    starts = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist()] if len(days) else []
    for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
        yield months[start].as_py(), start, end - start
