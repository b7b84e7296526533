"""What is read: a table, a view or a query, its columns, and how it is found by the name a user gives."""

import difflib
import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connectors.names import column_name
from warehouse.errors import DataInsightError

Decoding = Literal["as_is", "decimal", "date", "moment", "boolean", "value"]


@dataclass(frozen=True)
class Relation:
    """Something with rows.

    Attributes:
        schema: Where it is; None for a query, or where the engine has no schemas.
        query: The text of a query; None for a table or view.
    """

    name: str
    schema: str | None = None
    is_view: bool = False
    query: str | None = None

    @property
    def said(self) -> str:
        """How a message names it."""
        if self.query is not None:
            return f"the query of {self.name}"
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True)
class Column:
    """A column of a relation.

    Attributes:
        type_name: What the source calls its type.
        expression: SQL that gives its values in a form the driver hands over whole.
        decoding: What is to be done with those values in Arrow.
        precision: Digits of a decimal column; None when the source does not say.
        scale: Those after the point.
        literal_type: What a literal that is compared with it is cast to; '' for nothing.
    """

    name: str
    type_name: str
    expression: str
    decoding: Decoding = "as_is"
    precision: int | None = None
    scale: int | None = None
    literal_type: str = ""


@dataclass(frozen=True)
class Statement:
    """A SELECT as it is run.

    Attributes:
        sql: Its text; no secret in it.
        columns: What it gives, in order.
        said: How a message names what it reads.
    """

    sql: str
    columns: Sequence[Column] = field(default_factory=tuple)
    said: str = "the source"


def find_relation(relations: Sequence[Relation], wanted: str, schemas: Sequence[str | None]) -> Relation:
    """The table or view that a user means by `wanted`: `name` or `schema.name`, as it is or as raw spells it.

    Raises:
        DataInsightError: There is none; the message says which names are near.
    """
    near = [relation for relation in relations if relation.schema in schemas]
    tests: list[Callable[[Relation], bool]] = [
        lambda relation: relation.name == wanted and relation in near,
        lambda relation: relation.said == wanted,
        lambda relation: relation.name.lower() == wanted.lower() and relation in near,
        lambda relation: column_name(relation.name) == wanted and relation in near,
    ]
    for test in tests:
        for relation in relations:
            if test(relation):
                return relation
    names = {relation.name if relation in near else relation.said for relation in relations}
    close = difflib.get_close_matches(wanted, sorted(names), n=3)
    found = f"; near it: {', '.join(close)}" if close else f"; there are {len(names)} tables and views in reach"
    raise DataInsightError(
        f"there is no table or view {wanted}{found}",
        hint="one in another schema is written schema.name; one that this user may not see is not there either",
    )


def matching(
    relations: Iterable[Relation], include: Sequence[str], exclude: Sequence[str], schemas: Sequence[str | None]
) -> list[Relation]:
    """The tables that a pattern of `include` matches and none of `exclude`; views only where one is named in full."""

    def matches(relation: Relation, patterns: Sequence[str]) -> bool:
        names = {relation.said} | ({relation.name} if relation.schema in schemas else set())
        return any(
            fnmatch.fnmatchcase(name.lower(), pattern.lower()) if not relation.is_view else name == pattern
            for pattern in patterns
            for name in names
        )

    return [relation for relation in relations if matches(relation, include) and not matches(relation, exclude)]


def find_column(columns: Sequence[Column], wanted: str, what: str, relation: Relation) -> Column:
    """The column that a user means: as the source names it, or as raw does.

    Args:
        what: What the column is for, in the message.

    Raises:
        DataInsightError: There is none; the message says which there are.
    """
    tests: list[Callable[[Column], bool]] = [
        lambda column: column.name == wanted,
        lambda column: column.name.lower() == wanted.lower(),
        lambda column: column_name(column.name) == wanted,
    ]
    for test in tests:
        for column in columns:
            if test(column):
                return column
    names = [column.name for column in columns]
    close = difflib.get_close_matches(wanted, names, n=1)
    meant = f"; did you mean {close[0]}?" if close else f"; it has {', '.join(names)[:300]}"
    raise DataInsightError(f"{relation.said} has no column {wanted}, which is its {what}{meant}")
