"""Who is meant: an account, or somebody of whom an organization's sources tell, or both."""

from dataclasses import dataclass

import sqlalchemy as sa

from serving.identity.memberships import memberships_of
from serving.identity.users import User, normalized_email, user_by_email, user_by_id
from warehouse.errors import DataInsightError
from warehouse.personal_rows import Whom


@dataclass(frozen=True)
class Person:
    """Somebody whose data is asked for.

    Attributes:
        account: Their account, if they have one that is within reach.
    """

    whom: Whom
    account: User | None


def find_person(
    connection: sa.Connection,
    *,
    user_id: str | None,
    email: str | None,
    organization_id: str | None,
    source: str | None = None,
) -> Person:
    """Who is meant by an id or an e-mail address; whether there is anybody is another question.

    Args:
        connection: The transaction.
        user_id: What they are called, by the platform or by a source.
        email: Their address, in place of an id.
        organization_id: Within which organization; None: everywhere. An account that is no member there is not found.
        source: The source alone that calls them so, whose ids mean somebody else elsewhere; None: all, and the account.

    Raises:
        DataInsightError: Not one of both was given, or the address is none.
    """
    if (user_id is None) == (email is None):
        raise DataInsightError("say whom: one of user_id and email", hint='{"user_id": "u-17"} or {"email": "…"}')
    given = user_id if email is None else normalized_email(email)
    account = None
    if source is None:
        found = user_by_id(connection, str(given)) if email is None else user_by_email(connection, str(given))
        if found is not None and _is_within(connection, found, organization_id):
            account = found
    called = {str(given)} | (set() if account is None else {account.user_id, account.email})
    return Person(Whom(tuple(sorted(called)), organization_id, source), account)


def _is_within(connection: sa.Connection, user: User, organization_id: str | None) -> bool:
    return organization_id is None or organization_id in [
        one.organization_id for one in memberships_of(connection, user.user_id)
    ]
