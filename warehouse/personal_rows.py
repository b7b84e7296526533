"""Finds the rows of a landed table that tell of one person, as conditions of SQL; nothing is read or changed here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from warehouse.database import quote_identifier
from warehouse.personal_data import PersonalTable, Place, place

# What somebody is called after an erasure begins so, and nobody should be found by it.
ERASED = "erased-"


@dataclass(frozen=True)
class Whom:
    """Who is looked for.

    Attributes:
        identifiers: What they are called, in any system, as it is written there.
        emails: Those of them that are e-mail addresses, in lower case, which are found in any spelling.
        organization_id: Within whose rows; None: everywhere.
        source: In which source alone; None: in all.
    """

    identifiers: tuple[str, ...]
    organization_id: str | None
    source: str | None = None

    @property
    def emails(self) -> tuple[str, ...]:
        """Addresses are found in any spelling."""
        return tuple(one.lower() for one in self.identifiers if "@" in one)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the conditions."""
        return {
            "identifiers": list(self.identifiers),
            "emails": list(self.emails),
            "whose_organization": self.organization_id,
        }


# A value as SQL, by the name of its column.
Column = Callable[[str], str]

# What is equal to one of the identifiers; the arrays may be empty, which PostgreSQL wants to know the type of.
_IS_THEIRS = "({0} = any(cast(:identifiers as text[])) or lower({0}) = any(cast(:emails as text[])))"


def landed_column(name: str) -> str:
    """A column of a landed table, as text."""
    return f"cast({quote_identifier(name)} as text)"


def payload_column(name: str) -> str:
    """The same of a row in quarantine."""
    return "(payload ->> '" + name.replace("'", "''") + "')"


def value_of(where: Place, column: Column = landed_column) -> str:
    """What is said at a place, without blanks around it; a whole number in one spelling; null for nothing."""
    said = column(where.column)
    if where.member is not None:
        said = f"(case when ops.is_json({said}) then cast({said} as json) ->> '{where.member}' end)"
    if where.is_before_slash:
        said = f"(case when strpos({said}, '/') > 0 then split_part({said}, '/', 1) end)"
    # Numbers that went through a spreadsheet come as 17850.0, and are the same customer.
    return f"nullif(regexp_replace(trim({said}), '^(-?[0-9]+)\\.0+$', '\\1'), '')"


def organization_of(table: PersonalTable, column: Column = landed_column) -> str:
    """Whose a row is."""
    if table.always is not None:
        return "'" + table.always.replace("'", "''") + "'"
    return f"coalesce({', '.join([*(value_of(place(one), column) for one in table.organization), 'null'])})"


def is_theirs(table: PersonalTable, relation: str, column: Column = landed_column) -> str:
    """The condition that a row tells of the person, in a statement over `relation` with `Whom.values`.

    Whoever is found by one of their names is found by what tells them apart for good, under whatever name.
    """
    scope = f"(cast(:whose_organization as text) is null or {organization_of(table, column)} = :whose_organization)"
    first, *_ = values = [value_of(place(one), column) for one in table.identifies]
    said = f"({' or '.join(_IS_THEIRS.format(value) for value in values)})"
    if len(values) == 1:
        return f"{scope} and {said}"
    known = f"select {first} from {relation} where {scope} and {said} and {first} is not null"
    return f"{scope} and ({first} in ({known}) or ({first} is null and {said}))"


# The rows of `ops.quarantine` that are of one table, and were not emptied; the statement has `quarantine_values`.
QUARANTINED = (
    "batch_id in (select batch_id from ops.batches where source = :source and table_name = :table)"
    " and not payload ? 'erased'"
)


def quarantine_values(whom: Whom, source: str, table: str) -> dict[str, Any]:
    """The parameters of the conditions on the quarantine of a table."""
    return {
        **whom.values,
        "source": source,
        "table": table,
        "identifier_patterns": [_as_word(one) for one in whom.identifiers],
        "organization_pattern": None if whom.organization_id is None else _as_word(whom.organization_id),
    }


def is_theirs_in_quarantine(table: PersonalTable) -> str:
    """The condition that a row of `QUARANTINED` tells of the person, where it says whose it is and who it is about."""
    return is_theirs(table, f"(select * from ops.quarantine where {QUARANTINED}) as mine", payload_column)


def may_be_theirs_in_quarantine(table: PersonalTable) -> str:
    """The same of a line or record that could not be read: it names them, and the organization, as words of their own.

    Where a table is not always one organization's, that may be another one's, which only speaks of this one.
    """
    is_line = "(payload ?| array['line', 'record']) and payload ? 'reason'"
    names_them = "cast(payload as text) ~* any(cast(:identifier_patterns as text[]))"
    if table.always is not None:
        scope = f"(cast(:whose_organization as text) is null or {organization_of(table)} = :whose_organization)"
    else:
        scope = "(cast(:organization_pattern as text) is null or cast(payload as text) ~ :organization_pattern)"
    return f"{is_line} and {names_them} and {scope}"


def _as_word(text: str) -> str:
    """A pattern of PostgreSQL that finds the text, but not inside of a longer name."""
    # What is not a letter or a digit is taken as it stands.
    escaped = "".join(one if one.isalnum() else f"\\{one}" for one in text)
    return f"(^|[^[:alnum:]_.@-]){escaped}($|[^[:alnum:]_@-])"


def landed_columns(connection: sa.Connection, source: str, table: str) -> dict[str, str]:
    """The columns of a landed table with their types; nothing for one that has never landed."""
    rows = connection.execute(
        sa.text(
            "select attname, format_type(atttypid, null) as type from pg_attribute"
            " inner join pg_class on pg_class.oid = attrelid inner join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname = :schema and relname = :table and relkind in ('r', 'p') and attnum > 0"
            " and not attisdropped order by attnum"
        ),
        {"schema": f"raw_{source}", "table": table},
    )
    return {row.attname: row.type for row in rows}


def landed_part(table: PersonalTable, columns: dict[str, str]) -> PersonalTable | None:
    """What of a declaration the table has: an older file may lack a column; None when nobody can be found in it."""
    identifies = tuple(one for one in table.identifies if place(one).column in columns)
    organization = tuple(one for one in table.organization if place(one).column in columns)
    if not identifies or not (organization or table.always is not None):
        return None
    describes = tuple(one for one in table.describes if one in columns)
    return table.model_copy(update={"identifies": identifies, "organization": organization, "describes": describes})


def undeclared_tables(connection: sa.Connection, declared: set[tuple[str, str]]) -> list[str]:
    """The landed tables of which nobody has said whether they tell of persons, as `source.table`."""
    rows = connection.execute(sa.text("select distinct source, table_name from ops.batches order by 1, 2"))
    return [f"{row.source}.{row.table_name}" for row in rows if (row.source, row.table_name) not in declared]
