"""A batch's rows in raw, as SQL: every column as text, nothing of the landing's own columns but the row number."""

from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa

from warehouse.database import quote_identifier
from warehouse.errors import DataInsightError
from warehouse.ledger import Batch

ROW_NUMBER = "_row_number"
LOAD_ID = "_dlt_load_id"
DELETED = "_dlt_deleted"


@dataclass(frozen=True)
class Relation:
    """The rows of one load of one table.

    Attributes:
        table: The quoted name of the raw table, as SQL.
        load_id: dlt's load id.
        columns: The source's columns that raw has, in its order.
        absent: Columns that are asked about and raw has not got; read as null.
        has_deletions: Whether the table may hold rows that only say that a key is gone; they are not judged.
    """

    table: str
    load_id: str
    columns: list[str]
    absent: list[str]
    has_deletions: bool = False

    @classmethod
    def of(cls, connection: sa.Connection, batch: Batch, known: list[str]) -> Self:
        """The relation of a batch.

        Raises:
            DataInsightError: The raw table is gone, or the batch has no load.
        """
        schema = f"raw_{batch.source}"
        table = f"{quote_identifier(schema)}.{quote_identifier(batch.table_name)}"
        landed = connection.execute(
            sa.text(
                "select attname from pg_attribute where attrelid = to_regclass(:table) and attnum > 0"
                " and not attisdropped order by attnum"
            ),
            {"table": table},
        )
        present = [str(row[0]) for row in landed]
        if batch.load_id is None or ROW_NUMBER not in present or LOAD_ID not in present:
            raise DataInsightError(
                f"batch {batch.batch_id} ({batch.name}) has no rows to judge: {table} is missing or is no landed table",
                hint="was the raw schema dropped? land the source again",
            )
        columns = [name for name in present if name != ROW_NUMBER and not name.startswith("_dlt_")]
        table = f"{_identifier(schema)}.{_identifier(batch.table_name)}"
        absent = [name for name in dict.fromkeys(known) if name not in columns]
        return cls(table, batch.load_id, columns, absent, DELETED in present)

    @property
    def rows(self) -> str:
        """The batch as a SELECT: `_row_number` and every column as text.

        Casting all of them costs nothing: the planner computes only what a predicate asks for.
        """
        return f"SELECT {', '.join(self._as_text())} from {self.table} where {self._is_of_the_load}"

    @property
    def rows_with_payload(self) -> str:
        """As `rows`, with the row as it was landed in `_payload`, a jsonb object of the source's columns."""
        ours = f"array['{ROW_NUMBER}', '{LOAD_ID}', '_dlt_id', '{DELETED}']"
        payload = f"to_jsonb(_dlt_row) - {ours} as _payload"
        columns = ", ".join([*self._as_text(), payload])
        # With an alias that a column of the source has too, to_jsonb would take the column.
        return f"SELECT {columns} from {self.table} as _dlt_row where {self._is_of_the_load}"

    @property
    def _is_of_the_load(self) -> str:
        is_row = f" and {DELETED} is not true" if self.has_deletions else ""
        return f"{LOAD_ID} = {_literal(self.load_id)}{is_row}"

    def _as_text(self) -> list[str]:
        landed = [f"cast({name} as text) as {name}" for name in map(_identifier, self.columns)]
        absent = [f"cast(null as text) as {_identifier(name)}" for name in self.absent]
        return [ROW_NUMBER, *landed, *absent]


# On its way through Great Expectations a query is compiled twice: a percent sign would be doubled once too often, a
# colon taken for a parameter. PostgreSQL reads both as escapes too, which need neither.
_ESCAPES = str.maketrans({"\\": "\\\\", "%": "\\0025", ":": "\\003A"})


def _identifier(name: str) -> str:
    quoted = quote_identifier(name)
    return quoted if name == name.translate(_ESCAPES) else f"U&{quoted.translate(_ESCAPES)}"


def _literal(text: str) -> str:
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted if text == text.translate(_ESCAPES) else f"U&{quoted.translate(_ESCAPES)}"
