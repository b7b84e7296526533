"""Orders to erase somebody's data: asked for, under way, done. Whom one is about is sealed, and forgotten when done."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from serving.identity.audit import write_down
from serving.identity.refusals import NotFoundError, TooManyAttemptsError
from serving.privacy.person import Person
from warehouse.errors import DataInsightError
from warehouse.personal_rows import Whom
from warehouse.portions import ALL, Portion
from warehouse.secret_keys import fernet_key
from warehouse.settings import Settings

# Each order reads every declared table, and may make the whole star anew; who has more of them asks an operator.
MOST_ORDERS = 20
_HOURS = 24

_SALT_BYTES = 32
_COLUMNS = "erasure_id, organization_id, requested_by, requested_at, state, touched, trouble, erased_at, done_at"


@dataclass(frozen=True)
class Erasure:
    """An order, which never says whom it is about.

    Attributes:
        state: `requested`; `erased`: from PostgreSQL's rows, marts and metric store follow; `done`.
        touched: `rows` that were changed by table, and `undeclared` tables, in which nobody looked.
        trouble: Why the last attempt ended before it was done.
    """

    erasure_id: str
    organization_id: str | None
    requested_by: str
    requested_at: datetime
    state: str
    touched: dict[str, Any]
    trouble: str | None
    erased_at: datetime | None
    done_at: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """The row with its column names, ready for JSON."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class SealedOrder:
    """An order that is not done, as it stands in its row."""

    erasure_id: str
    organization_id: str | None
    state: str
    sealed: bytes


@dataclass(frozen=True)
class Order:
    """What an order that is not done says.

    Attributes:
        user_id: Whose account is erased; None: nobody's.
        salt: What makes the names that replace theirs; with it, they could be found again.
    """

    erasure_id: str
    state: str
    whom: Whom
    user_id: str | None
    salt: str


def require_few_orders(connection: sa.Connection, organization_id: str) -> None:
    """Refuse an order of an organization that had as many as it may within a day.

    Raises:
        TooManyAttemptsError: It had.
    """
    whose = {"organization_id": organization_id, "hours": _HOURS, "others": MOST_ORDERS - 1}
    # Of two orders at once the second waits here for the first, and then counts it.
    connection.execute(
        sa.text("select 1 from app.organizations where organization_id = :organization_id for no key update"), whose
    )
    seconds = connection.execute(
        sa.text(
            "select cast(ceil(extract(epoch from requested_at + make_interval(hours => :hours) - now())) as bigint)"
            " from app.erasures where organization_id = :organization_id"
            " and requested_at > now() - make_interval(hours => :hours)"
            " order by requested_at desc limit 1 offset :others"
        ),
        whose,
    ).scalar_one_or_none()
    if seconds is not None:
        raise TooManyAttemptsError(
            max(1, seconds), f"the organization has had {MOST_ORDERS} erasures within {_HOURS} hours"
        )


def request_erasure(
    connection: sa.Connection, settings: Settings, person: Person, *, actor: str, request_id: str | None = None
) -> Erasure:
    """Order the erasure of what is held of somebody, whether anything is or not.

    Args:
        connection: The transaction.
        settings: They name the platform's secret.
        person: Who.
        actor: Who orders it, for the audit log.
        request_id: The request.
    """
    whom, account = person.whom, person.account
    told = {
        "identifiers": whom.identifiers,
        "source": whom.source,
        "user_id": None if account is None else account.user_id,
        "salt": secrets.token_hex(_SALT_BYTES),
    }
    erasure_id = f"era_{secrets.token_hex(8)}"
    row = connection.execute(
        sa.text(
            "insert into app.erasures (erasure_id, organization_id, requested_by, sealed)"
            f" values (:erasure_id, :organization_id, :actor, :sealed) returning {_COLUMNS}"
        ),
        {
            "erasure_id": erasure_id,
            "organization_id": whom.organization_id,
            "actor": actor,
            "sealed": _fernet(settings).encrypt(orjson.dumps(told)),
        },
    ).mappings()
    made = Erasure(**row.one())
    write_down(
        connection,
        actor,
        "privacy.erase",
        organization_id=whom.organization_id,
        details={"erasure_id": erasure_id},
        request_id=request_id,
    )
    return made


def list_erasures(connection: sa.Connection, organization_id: str | None, portion: Portion = ALL) -> list[Erasure]:
    """Those of an organization, or all; the newest first."""
    rows = portion.rows(
        connection,
        f"select {_COLUMNS} from app.erasures"
        " where cast(:organization_id as text) is null or organization_id = :organization_id",
        {"organization_id": organization_id},
        by=("requested_at", "erasure_id"),
        is_descending=True,
    )
    return [Erasure(**row) for row in rows]


def find_erasure(connection: sa.Connection, erasure_id: str, organization_id: str | None) -> Erasure:
    """One of them.

    Raises:
        NotFoundError: The organization has none of that id.
    """
    row = (
        connection.execute(
            sa.text(
                f"select {_COLUMNS} from app.erasures where erasure_id = :erasure_id"
                " and (cast(:organization_id as text) is null or organization_id = :organization_id)"
            ),
            {"erasure_id": erasure_id, "organization_id": organization_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError("there is no such erasure")
    return Erasure(**row)


def open_orders(connection: sa.Connection) -> list[SealedOrder]:
    """The orders that are not done, the oldest first."""
    rows = connection.execute(
        sa.text(
            "select erasure_id, organization_id, state, sealed from app.erasures where state <> 'done'"
            " order by requested_at, erasure_id"
        )
    )
    return [SealedOrder(row.erasure_id, row.organization_id, row.state, bytes(row.sealed)) for row in rows]


def unsealed(settings: Settings, order: SealedOrder) -> Order:
    """What an order says.

    Raises:
        DataInsightError: It was sealed by another secret.
    """
    try:
        told = orjson.loads(_fernet(settings).decrypt(order.sealed))
    except InvalidToken as error:
        raise DataInsightError(
            f"the erasure {order.erasure_id} was sealed by another secret, so nobody knows whom it is about",
            hint="set DATAINSIGHT_SECRET_KEY, or put the file `secret_key`, to what it was when it was ordered",
        ) from error
    whom = Whom(tuple(told["identifiers"]), order.organization_id, told["source"])
    return Order(order.erasure_id, order.state, whom, told["user_id"], told["salt"])


def note_touched(connection: sa.Connection, erasure_id: str, table: str, rows: int) -> None:
    """Add to what an order has changed, in the transaction that changes it."""
    if rows:
        connection.execute(
            sa.text(
                "update app.erasures set touched = jsonb_set("
                " case when touched ? 'rows' then touched else jsonb_set(touched, '{rows}', '{}') end,"
                " array['rows', :table],"
                " to_jsonb(coalesce(cast(touched #>> array['rows', :table] as bigint), 0) + :rows))"
                " where erasure_id = :erasure_id"
            ),
            {"erasure_id": erasure_id, "table": table, "rows": rows},
        )


def note_erased(connection: sa.Connection, erasure_id: str, undeclared: list[str]) -> None:
    """PostgreSQL's own rows tell of them no more."""
    connection.execute(
        sa.text(
            "update app.erasures set state = 'erased', erased_at = now(), trouble = null,"
            " touched = touched || jsonb_build_object('undeclared', to_jsonb(cast(:undeclared as text[])))"
            " where erasure_id = :erasure_id"
        ),
        {"erasure_id": erasure_id, "undeclared": undeclared},
    )


def note_done(connection: sa.Connection, erasure_ids: list[str]) -> None:
    """Nothing tells of them, and now nobody knows whom the order was about."""
    connection.execute(
        sa.text(
            "update app.erasures set state = 'done', done_at = now(), sealed = null, trouble = null"
            " where erasure_id = any(:erasure_ids)"
        ),
        {"erasure_ids": erasure_ids},
    )


def note_trouble(connection: sa.Connection, erasure_ids: list[str], trouble: str) -> None:
    """The attempt ended before it was done; the next one goes on."""
    connection.execute(
        sa.text("update app.erasures set trouble = :trouble where erasure_id = any(:erasure_ids)"),
        {"erasure_ids": erasure_ids, "trouble": trouble},
    )


def _fernet(settings: Settings) -> Fernet:
    return Fernet(fernet_key(settings, "orders of erasure"))
