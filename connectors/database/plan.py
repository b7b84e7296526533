"""What one run reads: each configured table, and each that a pattern finds, with its columns, key and cursor."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.database.relation import Column, Relation, find_column, find_relation, matching
from connectors.database.session import Session
from connectors.names import MAX_BYTES, column_name
from warehouse.errors import DataInsightError
from warehouse.table_names import RESERVED_TABLES

if TYPE_CHECKING:
    from connectors.database.kind import DatabaseSource, DatabaseTable


@dataclass(frozen=True)
class TablePlan:
    """A table that is to be read.

    Attributes:
        name: What it is called in raw.
        key: The columns that tell its rows apart, as the source names them.
        cursor: The column that tells new rows; None: all rows are read.
    """

    name: str
    config: "DatabaseTable"
    relation: Relation
    columns: list[Column]
    key: list[str]
    cursor: Column | None


def chosen(source: "DatabaseSource", session: Session) -> "dict[str, tuple[DatabaseTable, Relation | str]]":
    """By name in raw: settings, and the relation or, where there is none of that name, the problem."""
    from connectors.database.kind import DatabaseTable

    relations = session.relations() if source.include or any(t.query is None for t in source.tables.values()) else []
    schemas = session.schemas()
    found: dict[str, tuple[DatabaseTable, Relation | str]] = {}
    for name, config in source.tables.items():
        if config.query is not None:
            found[name] = (config, Relation(name, query=config.query))
            continue
        try:
            found[name] = (config, find_relation(relations, config.table or name, schemas))
        except DataInsightError as error:
            found[name] = (config, error.message)
    configured = {relation for _, relation in found.values() if isinstance(relation, Relation)}
    matched = [item for item in matching(relations, source.include, source.exclude, schemas) if item not in configured]
    for name, relation in names_in_raw(matched, found).items():
        found[name] = (DatabaseTable(), relation)
    return found


def names_in_raw(relations: list[Relation], taken: Mapping[str, object]) -> dict[str, Relation]:
    """A legal name for each table; one that another has already is preceded by its schema."""
    named: dict[str, Relation] = {}
    for relation in relations:
        name = _legal(relation.name)
        if name in taken or name in named:
            name = _legal(f"{relation.schema}_{relation.name}")
        if name in taken or name in named:
            raise DataInsightError(
                f"the table {relation.said} would land as {name}, as another one does",
                hint=f'give it a name under tables, such as other_name: {{table: "{relation.said}"}}',
            )
        named[name] = relation
    return named


def plan(name: str, config: "DatabaseTable", relation: Relation, session: Session) -> TablePlan:
    """How a table is read.

    Raises:
        DataInsightError: It cannot be, or has no such column.
    """
    columns = session.columns(relation)
    names = [column.name for column in columns]
    if twice := sorted({column for column in names if names.count(column) > 1}):
        raise DataInsightError(
            f"{relation.said} gives the column {twice[0]} twice", hint="give each column of the query a name of its own"
        )
    cast = {find_column(columns, wanted, "cast", relation).name for wanted in config.cast}
    columns = [session.as_text(column) if column.name in cast else column for column in columns]
    if config.columns is not None:
        columns = [find_column(columns, wanted, "column to land", relation) for wanted in config.columns]
    if config.key is not None:
        key = [find_column(columns, wanted, "key", relation).name for wanted in config.key]
    else:
        key = session.key(relation)
        if missing := [column for column in key if column not in {column.name for column in columns}]:
            raise DataInsightError(
                f"{relation.said}: its key {', '.join(missing)} is not among the columns to land",
                hint="add it to columns, or name another key",
            )
    cursor = find_column(columns, config.cursor, "cursor", relation) if config.cursor else None
    return TablePlan(name, config, relation, columns, key, cursor)


def _legal(name: str) -> str:
    """The name of a table as `sources.yaml` would allow it."""
    legal = column_name(name).strip("_")
    legal = legal if legal[:1].isalpha() and legal not in RESERVED_TABLES else f"table_{legal}"
    return re.sub("_+", "_", legal)[:MAX_BYTES].rstrip("_")
