"""Takes a person out of raw: the one exception to what has landed never changing (docs/decisions/0011).

The rows stay, with the batch that brought them, so that every count stays what it was: what identifies the person
becomes a name that tells of nobody, the same one wherever it stood, and what describes them becomes null.
"""

from collections.abc import Callable

import sqlalchemy as sa

from connectors.landing.turn import turn
from warehouse.database import Warehouse, quote_identifier
from warehouse.personal_data import PersonalTable, place
from warehouse.personal_rows import (
    ERASED,
    QUARANTINED,
    Whom,
    is_theirs,
    is_theirs_in_quarantine,
    landed_column,
    landed_columns,
    landed_part,
    may_be_theirs_in_quarantine,
    quarantine_values,
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
    """Empty what the quarantine keeps of their rows, and of lines that could not be read and may be theirs."""
    changed: int = connection.execute(
        sa.text(
            "update ops.quarantine set payload = jsonb_build_object('erased', true)"
            f" where {QUARANTINED}"
            f" and (({is_theirs_in_quarantine(personal)}) or ({may_be_theirs_in_quarantine(personal)}))"
        ),
        quarantine_values(whom, source, table),
    ).rowcount
    return changed
