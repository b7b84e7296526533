"""The decision on a batch, as the ledger keeps it: taken once, under locks that every judge respects."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from quality.check import Check
from warehouse.doors.limits import end_lock_holders
from warehouse.ledger import Batch

# Any constant does, as long as everyone who admits a batch takes this lock first.
_ADMISSION_LOCK = 0x61646D69  # "admi"


def hold_landed(connection: sa.Connection, batch: Batch) -> bool:
    """Lock the batch's row until the transaction ends; false when somebody else has decided on it meanwhile."""
    return bool(
        connection.execute(
            sa.text("select status = 'landed' from ops.batches where batch_id = :batch_id for update"),
            {"batch_id": batch.batch_id},
        ).scalar_one()
    )


def quarantined_rows(connection: sa.Connection, batch: Batch) -> int:
    """How many rows of the batch are in quarantine, lines that could not be read at landing included."""
    return int(
        connection.execute(
            sa.text("select count(*) from ops.quarantine where batch_id = :batch_id"), {"batch_id": batch.batch_id}
        ).scalar_one()
    )


def decide(connection: sa.Connection, batch: Batch, checks: list[Check]) -> None:
    """Write the checks and what follows from them: `refused` if one of severity batch failed, else `admitted`."""
    admitted = not any(check.refuses for check in checks)
    number = "nextval('ops.admission_seq')" if admitted else "null"
    if admitted:
        # Admissions become visible in the order of their numbers, so that a reader which asks for what is
        # above the highest number it has seen misses none. The lock is held until the caller commits.
        end_lock_holders(connection)
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _ADMISSION_LOCK})
    connection.execute(
        sa.text(
            "update ops.batches set status = :status, checks = checks || :checks,"
            " quarantined_count = :quarantined_count,"
            f" admission_seq = {number}"
            " where batch_id = :batch_id"
        ).bindparams(sa.bindparam("checks", type_=JSONB)),
        {
            "batch_id": batch.batch_id,
            "status": "admitted" if admitted else "refused",
            "checks": [check.to_dict() for check in checks],
            "quarantined_count": quarantined_rows(connection, batch),
        },
    )
    if not admitted:
        _refuse_what_stands_on(connection, batch)


def _refuse_what_stands_on(connection: sa.Connection, batch: Batch) -> None:
    """Refuse later batches of the table that were extracted as if this one counted.

    They start where it ended, or hold only what it had not deleted. The next extraction starts before it, and brings
    the rows of all of them; their content is forgotten, so that it is not taken for what was refused already.
    """
    stands = Check(
        name="stands_on_an_admitted_batch",
        description="What an extraction starts from was admitted.",
        severity="batch",
        owner="data-platform",
        status="failed",
        detail=f"it continues batch {batch.batch_id}, which was refused; the next run extracts both again",
    )
    connection.execute(
        sa.text(
            "update ops.batches set status = 'refused', content_hash = null, checks = checks || :checks"
            " where source = :source and table_name = :name and batch_id > :batch_id and status = 'landed'"
            " and (state is not null or is_complete)"
        ).bindparams(sa.bindparam("checks", type_=JSONB)),
        {
            "checks": [stands.to_dict()],
            "source": batch.source,
            "name": batch.table_name,
            "batch_id": batch.batch_id,
        },
    )
