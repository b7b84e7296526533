"""The events that applications have reported of somebody, as they wait to be landed, and stay to be landed again."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from warehouse.personal_data import PersonalTable
from warehouse.personal_rows import Whom, is_theirs

SOURCE = "platform"
_TABLE = PersonalTable(organization=("organization_id",), identifies=("user_id",), describes=("properties",))


def erase_events(connection: sa.Connection, whom: Whom, pseudonym: str, salt: str) -> int:
    """Erase somebody from the events; gives how many were changed.

    Args:
        connection: The transaction.
        whom: Who is erased.
        pseudonym: What takes the place of `user_id`, as SQL with the parameter `salt`.
        salt: What makes it unlike any other.
    """
    changed: int = connection.execute(
        sa.text(
            f"update app.events set user_id = {pseudonym}, properties = '{{}}' where {is_theirs(_TABLE, 'app.events')}"
        ),
        {**whom.values, "salt": salt},
    ).rowcount
    return changed


def events_of(connection: sa.Connection, whom: Whom) -> Iterator[dict[str, Any]]:
    """The events of somebody, in the order they came."""
    rows = connection.execution_options(yield_per=1_000).execute(
        sa.text(f"select * from app.events where {is_theirs(_TABLE, 'app.events')} order by received_seq"),
        whom.values,
    )
    return (dict(row) for row in rows.mappings())
