"""What whoever did something is called to those who may read of it.

An organization sees its own people and keys by name; which of the operators did something for it is not its business.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from serving.identity.principal import Principal

OPERATOR = "(operator)"

_NAMED = sa.text(
    "select actor from unnest(cast(:actors as text[])) as asked (actor) where actor = 'nobody' or actor like 'embed:%'"
    " or exists (select from app.api_keys where 'key:' || key_id = actor and organization_id = :organization_id)"
    " or exists (select from app.users where 'user:' || user_id = actor and not is_operator)"
)


def actors_as_told(connection: sa.Connection, reader: Principal, actors: Iterable[str]) -> dict[str, str]:
    """What each actor is called to a reader.

    Args:
        connection: The transaction.
        reader: Who reads, in their own organization; to an operator everybody has their name.
        actors: As the audit log calls them.
    """
    asked = set(actors)
    if reader.is_operator or not asked:
        return {actor: actor for actor in asked}
    given = {"actors": list(asked), "organization_id": reader.organization_id}
    named: set[str] = set(connection.execute(_NAMED, given).scalars())
    return {actor: actor if actor in named else OPERATOR for actor in asked}
