"""Takes a person out of raw: the one exception to what has landed never changing (docs/decisions/0011).

The rows stay, with the batch that brought them, so that every count stays what it was: what identifies the person
becomes a name that tells of nobody, the same one wherever it stood, and what describes them becomes null.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from connectors.landing.turn import turn
from warehouse.database import Warehouse, quote_identifier
from warehouse.personal_data import PersonalTable, place
from warehouse.personal_rows import (
    ERASED,
    Whom,
    is_theirs,
    landed_column,
    landed_columns,
    landed_part,
    organization_of,
    payload_column,
    value_of,
)

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_TEXTS = ("text", "character varying")

# Of a salted digest nobody finds the name again once the salt is gone; until then, every table gets the same.
_DIGEST = "encode(sha256(convert_to(cast(:salt as text) || chr(31) || {0}, 'UTF8')), 'hex')"

# Called with the table and the rows of it that were changed, in the transaction that changes them.
Touched = Callable[[sa.Connection, str, int], None]


def pseudonym(value: str) -> str:
    """What takes the place of a value, both as SQL; the statement has the parameter `salt`."""
    return f"'{ERASED}' || left({_DIGEST.format(value)}, 20)"


def erase_landed(
    warehouse: Warehouse, source: str, table: str, personal: PersonalTable, whom: Whom, salt: str, touched: Touched
) -> None:
    """Erase a person from one landed table, and from its rows in quarantine.

    Nobody lands the source meanwhile. Once more, it finds nothing of them and changes nothing.

    Args:
        warehouse: Where it is.
        source: The source.
        table: Its table.
        personal: Which columns tell of persons.
        whom: Who is erased.
        salt: What makes the names that replace theirs unlike any others.
        touched: Told what was changed, before it is committed.
    """
    with turn(warehouse, source) as connection:
        columns = landed_columns(connection, source, table)
        found = landed_part(personal, columns)
        if found is not None:
            raw = f"{quote_identifier(f'raw_{source}')}.{quote_identifier(table)}"
            sets = ", ".join(f"{quote_identifier(name)} = {value}" for name, value in _replaced(found, columns).items())
            changed = connection.execute(
                sa.text(f"update {raw} set {sets} where {is_theirs(found, raw)}"), {**whom.values, "salt": salt}
            )
            touched(connection, f"raw_{source}.{table}", changed.rowcount)
        touched(connection, "ops.quarantine", _erase_quarantined(connection, source, table, personal, whom))
        connection.commit()


def _replaced(table: PersonalTable, columns: dict[str, str]) -> dict[str, str]:
    """What each column is set to, as SQL."""
    members: dict[str, list[str]] = {}
    sets = dict.fromkeys(table.describes, "null")
    for one in table.identifies:
        where = place(one)
        if where.member is not None:
            members.setdefault(where.column, []).append(where.member)
        else:
            sets[where.column] = _instead(value_of(where), columns[where.column])
    for column, names in members.items():
        said = landed_column(column)
        pairs = ", ".join(f"'{name}', {_instead(value_of(place(f'{column}.{name}')), 'text')}" for name in names)
        document = f"json_strip_nulls(json_build_object({pairs}))"
        kind = columns[column]
        sets[column] = f"case when {said} is not null then cast(cast({document} as text) as {kind}) end"
    return sets


def _instead(value: str, kind: str) -> str:
    if kind in _NUMBERS:
        # No system numbers its people below zero; 31 bits fit every kind but the smallest.
        bits = 15 if kind == "smallint" else 31
        hexadecimal = _DIGEST.format(value)
        number = f"cast(cast('x' || lpad(left({hexadecimal}, 8), 8, '0') as bit(32)) as bigint) % {2**bits - 1}"
        return f"case when {value} is not null then cast(-1 - abs({number}) as {kind}) end"
    if kind in _TEXTS:
        return f"case when {value} is not null then {pseudonym(value)} end"
    # A date, or a document as a whole, has no name for nobody.
    return "null"


def _erase_quarantined(connection: sa.Connection, source: str, table: str, personal: PersonalTable, whom: Whom) -> int:
    """Empty what the quarantine keeps of their rows; what a line that could not be read said is searched as text."""
    of_table = "select batch_id from ops.batches where source = :source and table_name = :table"
    mine = f"(select * from ops.quarantine where batch_id in ({of_table})) as mine"
    read = is_theirs(personal, mine, payload_column)
    changed: int = connection.execute(
        sa.text(
            f"update ops.quarantine set payload = jsonb_build_object('erased', true)"
            f" where batch_id in ({of_table}) and not payload ? 'erased'"
            f" and (({read}) or ({_unreadable(personal)}))"
        ),
        {**whom.values, **_patterns(whom), "source": source, "table": table},
    ).rowcount
    return changed


def _unreadable(personal: PersonalTable) -> str:
    """A line or a record that names them, and the organization, each as a word of its own."""
    is_line = "(payload ?| array['line', 'record']) and payload ? 'reason'"
    names_them = "cast(payload as text) ~* any(cast(:identifier_patterns as text[]))"
    if personal.always is not None:
        scope = f"(cast(:whose_organization as text) is null or {organization_of(personal)} = :whose_organization)"
    else:
        scope = "(cast(:organization_pattern as text) is null or cast(payload as text) ~ :organization_pattern)"
    return f"{is_line} and {names_them} and {scope}"


def _patterns(whom: Whom) -> dict[str, Any]:
    return {
        "identifier_patterns": [_as_word(one) for one in whom.identifiers],
        "organization_pattern": None if whom.organization_id is None else _as_word(whom.organization_id),
    }


def _as_word(text: str) -> str:
    """A pattern of PostgreSQL that finds the text, but not inside of a longer name."""
    # What is not a letter or a digit is taken as it stands.
    escaped = "".join(one if one.isalnum() else f"\\{one}" for one in text)
    return f"(^|[^[:alnum:]_.@-]){escaped}($|[^[:alnum:]_@-])"
