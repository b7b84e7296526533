"""What users do in applications, as those report it: checked, and stored once each, durably, in `app.events`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from warehouse.database import API, Warehouse
from warehouse.errors import UnavailableError

MOST_EVENTS = 1_000
_MOST_PROPERTIES_BYTES = 8 * 1024

# The calendar of the warehouse begins then, and each month has a partition of its own.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?([Zz]|[+-]\d{2}(:?\d{2})?))?", re.ASCII)
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f]")


def _visible(text: str) -> str:
    if _INVISIBLE.search(text) or text != text.strip():
        raise ValueError("must have no control characters, and no blanks around it")
    return text


def _written_as_moment(value: Any) -> Any:
    # A bare number could be seconds or milliseconds, and a guess would be off by a factor of a thousand.
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise ValueError("must be a moment such as 2026-01-31T18:00:00Z")


def _in_utc(moment: datetime) -> datetime:
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a day of the calendar") from None
    if moment < _EARLIEST:
        raise ValueError(f"must not be before {_EARLIEST:%Y-%m-%d}")
    if moment > datetime.now(UTC) + _AHEAD:
        raise ValueError("must not be more than a day in the future")
    return moment


def _storable(properties: dict[str, Any]) -> dict[str, Any]:
    try:
        written = orjson.dumps(properties)
    except (TypeError, ValueError) as error:
        raise ValueError(f"must be JSON that can be stored: {error}") from None
    if len(written) > _MOST_PROPERTIES_BYTES:
        raise ValueError(f"must be at most {_MOST_PROPERTIES_BYTES:,} bytes as JSON, these are {len(written):,}")
    if b"\\u0000" in written.replace(b"\\\\", b""):
        raise ValueError("must have no NUL character")
    return properties


_Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_visible)]
_Action = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_visible)]


class Event(BaseModel):
    """Something that a user did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: _Name = Field(
        description="What its sender calls it: sent again by that name, it is the same event, and the first counts.",
        examples=["0f8d2a50-7c7e-4f3c-9d6f-4a7f0c5f1b11"],
    )
    user_id: _Name = Field(description="Who did it, as your application calls them.", examples=["u-17"])
    action: _Action = Field(description="What was done.", examples=["dashboard_viewed"])
    occurred_at: Annotated[datetime, BeforeValidator(_written_as_moment), AfterValidator(_in_utc)] = Field(
        description="When; without a zone in UTC, from 1990 on, at most a day in the future.",
        examples=["2026-01-31T18:00:00Z"],
    )
    dashboard_id: _Name | None = Field(default=None, description="In which dashboard.", examples=["d-4"])
    feature: _Name | None = Field(default=None, description="With which feature.", examples=["export"])
    object: _Name | None = Field(default=None, description="To what, such as a report.", examples=["report-9"])
    properties: Annotated[dict[str, Any], AfterValidator(_storable)] = Field(
        default={}, description="Whatever else is worth keeping, at most 8 KB.", examples=[{"format": "csv"}]
    )


class Events(BaseModel):
    """What was done, one event or many."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: Annotated[list[Event], Field(min_length=1, max_length=MOST_EVENTS)]


@dataclass(frozen=True)
class Stored:
    """What became of a batch of events.

    Attributes:
        accepted: Events that were not there before.
        duplicates: Events whose id was there already, or twice in the batch.
    """

    accepted: int
    duplicates: int


# One statement, so that the server parses and plans it once for all rows. To name the key that conflicts would need a
# right to read.
_INSERT = sa.text(
    "insert into app.events (organization_id, event_id, user_id, action, occurred_at, dashboard_id, feature, object,"
    " properties)"
    " select :organization_id, event_id, user_id, action, occurred_at, dashboard_id, feature, object, properties"
    " from jsonb_to_recordset(cast(:events as jsonb)) as event (event_id text, user_id text, action text,"
    " occurred_at timestamptz, dashboard_id text, feature text, object text, properties jsonb)"
    " on conflict do nothing"
)


_DURABLY = sa.text("set local synchronous_commit = on")


def store(
    warehouse: Warehouse,
    organization: str,
    events: Sequence[Event],
    *,
    first: Callable[[sa.Connection], None] | None = None,
) -> Stored:
    """Store those events of an organization that are not there yet; when this returns, they are on disk.

    Args:
        warehouse: Where to.
        organization: Whose they are.
        events: What to store, all of it or nothing.
        first: What is done before in the same transaction.

    Raises:
        UnavailableError: The warehouse is away, or takes nothing; sending the same again is safe.
    """
    # In one order, two batches with the same events wait for each other, and never both at once.
    rows = [event.model_dump() for event in sorted(events, key=lambda event: event.event_id)]
    try:
        with warehouse.engine(API).begin() as connection:
            # Whatever a given server does for others: what is answered for is on disk.
            connection.execute(_DURABLY)
            if first is not None:
                first(connection)
            given = {"organization_id": organization, "events": orjson.dumps(rows).decode()}
            accepted = connection.execute(_INSERT, given).rowcount
    except sa.exc.TimeoutError as error:
        raise UnavailableError("too many events come at once", hint="send the same again in a moment") from error
    except sa.exc.DBAPIError as error:
        if _is_of_the_data(error):
            raise
        raise UnavailableError(
            "the warehouse cannot take events now, and none of these is stored",
            hint="send the same again; what is there already is not stored twice",
        ) from error
    return Stored(accepted, len(events) - accepted)


def _is_of_the_data(error: sa.exc.DBAPIError) -> bool:
    """Whether sending the same again would fail again: these classes of the server's errors are of what it was told."""
    return (getattr(error.orig, "pgcode", None) or "")[:2] in ("21", "22", "23", "42")
