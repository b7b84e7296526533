"""The star as entity-relationship diagrams in Mermaid, which GitHub and most editors draw: one of all, one per area."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from orchestration.star_docs.star import SAVED_QUERIES, Column, ForeignKey, Mart

_INTRODUCTION = """# The star

How the tables of the schema `marts` hang together, by the foreign keys that the database declares. A line leads from
many rows of a fact to one row of a dimension and carries the column that does so; where that column may be empty, the
dimension's end is drawn with a circle. What the columns mean is said in the [data dictionary](dictionary.md).

The overview leaves out the lines to `dim_dates` and `dim_organizations`, to which nearly every table leads; the areas
have them.
"""

CONFORMED = ("dim_dates", "dim_organizations")

# Mermaid takes one word as a type.
_SHORT_TYPES = {"timestamp with time zone": "timestamptz", "double precision": "double"}


def diagrams(marts: Iterable[Mart]) -> str:
    """The page; `marts` come sorted by area."""
    tables = [mart for mart in marts if mart.area != SAVED_QUERIES]
    names = [f"    {mart.name}" for mart in tables]
    overview = [line for mart in tables for line in _relations(mart, mart.keys_besides(CONFORMED))]
    parts = [_INTRODUCTION, "## Overview\n", _drawn(["    direction LR", *names, *overview])]
    for area, members in groupby(tables, key=lambda mart: mart.area):
        own = list(members)
        lines = [line for mart in own for line in _entity(mart)]
        lines += [line for mart in own for line in _relations(mart, mart.foreign_keys)]
        parts += [f"## {area}\n", _drawn(lines)]
    return "\n".join(parts).rstrip() + "\n"


def _drawn(lines: list[str]) -> str:
    return "\n".join(["```mermaid", "erDiagram", *lines, "```", ""])


def _entity(mart: Mart) -> Iterator[str]:
    yield f"    {mart.name} {{"
    for column in mart.columns:
        yield f"        {_type(column)} {column.name} {_marks(mart, column.name)}".rstrip()
    yield "    }"


def _type(column: Column) -> str:
    bare = column.data_type.partition("(")[0].strip()
    return _SHORT_TYPES.get(bare, bare).replace(" ", "_")


def _marks(mart: Mart, column: str) -> str:
    marks = {"PK": column in mart.primary_key, "FK": mart.key_to(column) is not None, "UK": column in mart.unique}
    return ", ".join(mark for mark, holds in marks.items() if holds)


def _relations(mart: Mart, keys: Iterable[ForeignKey]) -> Iterator[str]:
    for key in keys:
        yield f'    {mart.name} {_ends(mart, key)} {key.mart} : "{", ".join(key.columns)}"'


def _ends(mart: Mart, key: ForeignKey) -> str:
    optional = any(column.is_nullable for column in mart.columns if column.name in key.columns)
    one_row_each = set(key.columns) == set(mart.primary_key) or set(key.columns) <= mart.unique
    return f"{'|o' if one_row_each else '}o'}--{'o|' if optional else '||'}"
