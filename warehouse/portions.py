"""Portions of lists in the warehouse: the rows after one of them, in the list's own order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class Portion:
    """A part of a list; by default all of it.

    Attributes:
        after: What the row that it comes after has in the columns that the list is sorted by; None: it begins the list.
        limit: How many rows it has at most; None: all that follow.
    """

    after: tuple[str | int, ...] | None = None
    limit: int | None = None

    def rows(
        self,
        connection: sa.Connection,
        statement: str,
        given: Mapping[str, Any],
        *,
        by: Sequence[str],
        is_descending: bool = False,
    ) -> Sequence[sa.RowMapping]:
        """The rows of the part.

        Args:
            connection: The transaction.
            statement: Selects the whole list.
            given: Its parameters.
            by: The columns that it is sorted by, which together are different in each row, and never null.
            is_descending: It begins with the largest.
        """
        comparison, direction = ("<", "desc") if is_descending else (">", "asc")
        parameters, sql = dict(given), f"select * from ({statement}) as listed"
        if self.after is not None:
            place = {f"after_{column}": value for column, value in zip(by, self.after, strict=True)}
            sql += f" where ({', '.join(by)}) {comparison} ({', '.join(f':{name}' for name in place)})"
            parameters |= place
        sql += f" order by {', '.join(f'{column} {direction}' for column in by)}"
        if self.limit is not None:
            sql += " limit :at_most"
            parameters["at_most"] = self.limit
        return connection.execute(sa.text(sql), parameters).mappings().all()


ALL = Portion()
