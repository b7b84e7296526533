"""Jobs on datasources, as the warehouse keeps them: asked for, taken up by a worker, ended with what came of it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from serving.datasources.transactions import begun
from serving.identity.audit import write_down
from serving.identity.memberships import require_current
from serving.identity.principal import Principal
from serving.identity.refusals import NotFoundError
from warehouse.database import Warehouse
from warehouse.datasources import Datasource

_ID_BYTES = 8
# Any constant does that no other lock of the platform is made with.
_LOCK = 0x4A6F6273  # "Jobs"
_COLUMNS = "job_id, organization_id, datasource_id, what, status, result, created_at, started_at, ended_at"
# Organizations take turns: one that asks for three hundred jobs keeps each of the others waiting for one of them.
_NEXT = """
with latest as (select organization_id, max(started_at) as started_at from app.jobs group by organization_id)
select job.job_id
from app.jobs as job
inner join latest using (organization_id)
where job.status = 'queued'
order by latest.started_at nulls first, job.created_at, job.job_id
limit 1
for update of job skip locked
"""
_UNFINISHED = {"detail": "the server was ended while it was at work", "hint": "ask for it again; nothing is lost"}


class What(StrEnum):
    """What is done to a datasource."""

    CHECK = "check"
    DISCOVER = "discover"
    SYNC = "sync"


@dataclass(frozen=True)
class Job:
    """A row of `app.jobs`.

    Attributes:
        status: `queued`, `running`, `succeeded` or `failed`.
        result: What came of it, or `detail` and `hint`; None until it has ended.
    """

    job_id: str
    organization_id: str
    datasource_id: str
    what: str
    status: str
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def ask_for(warehouse: Warehouse, actor: Principal, datasource: Datasource, what: What, request_id: str | None) -> Job:
    """Add a job, unless the same is waiting already: then that one is it."""
    with begun(warehouse) as connection:
        require_current(connection, actor)
        given = {
            "job_id": f"job_{secrets.token_hex(_ID_BYTES)}",
            "organization_id": datasource.organization_id,
            "datasource_id": datasource.datasource_id,
            "what": what.value,
            "requested_by": actor.subject,
        }
        # The no-op update makes the row that is there already come back, and stay what it is until this is committed.
        job = Job(
            **connection.execute(
                sa.text(
                    "insert into app.jobs (job_id, organization_id, datasource_id, what, requested_by)"
                    " values (:job_id, :organization_id, :datasource_id, :what, :requested_by)"
                    " on conflict (datasource_id, what) where status = 'queued' do update set what = excluded.what"
                    f" returning {_COLUMNS}"
                ),
                given,
            )
            .mappings()
            .one()
        )
        write_down(
            connection,
            actor.subject,
            f"datasources.{what.value}",
            organization_id=datasource.organization_id,
            details={"datasource_id": datasource.datasource_id, "job_id": job.job_id},
            request_id=request_id,
        )
    return job


def get_job(warehouse: Warehouse, organization: str | None, job_id: str) -> Job:
    """A job.

    Args:
        warehouse: Where it is.
        organization: Whose it must be; None: anybody's.
        job_id: Which.

    Raises:
        NotFoundError: There is none of that id, or it is another organization's.
    """
    with begun(warehouse) as connection:
        row = (
            connection.execute(
                sa.text(
                    f"select {_COLUMNS} from app.jobs where job_id = :job_id"
                    " and (cast(:organization as text) is null or organization_id = :organization)"
                ),
                {"job_id": job_id, "organization": organization},
            )
            .mappings()
            .one_or_none()
        )
    if row is None:
        raise NotFoundError("there is no such job")
    return Job(**row)


def take_up(connection: sa.Connection) -> Job | None:
    """The job whose turn it is, which nobody else takes up now; None when none waits.

    It is the one that has waited longest in the organization whose turn was longest ago. The connection must stay open
    until the job has ended: a lock of its session tells others that somebody is at work.
    """
    with connection.begin():
        row = (
            connection.execute(
                sa.text(
                    "update app.jobs set status = 'running', started_at = now()"
                    f" where job_id = ({_NEXT}) returning {_COLUMNS}"
                )
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            return None
        connection.execute(sa.text("select pg_advisory_lock(:lock, hashtext(:job_id))"), _lock(row["job_id"]))
    return Job(**row)


def end(connection: sa.Connection, job: Job, status: str, result: Mapping[str, Any] | None) -> None:
    """Write down what came of a job; `queued` gives it back, to be done again."""
    with connection.begin():
        connection.execute(
            sa.text(
                "update app.jobs set status = :status, result = :result,"
                " ended_at = case when :status in ('succeeded', 'failed') then now() end"
                # The same may have been asked for again meanwhile: then that one stands for both.
                " where job_id = :job_id and (:status <> 'queued' or not exists (select from app.jobs as other"
                " where other.status = 'queued' and other.datasource_id = jobs.datasource_id"
                " and other.what = jobs.what))"
            ).bindparams(sa.bindparam("result", type_=JSONB(none_as_null=True))),
            {"job_id": job.job_id, "status": status, "result": None if result is None else dict(result)},
        )
        connection.execute(sa.text("select pg_advisory_unlock(:lock, hashtext(:job_id))"), _lock(job.job_id))


def give_up_lost(connection: sa.Connection) -> None:
    """End those jobs as failed whose worker is gone: nobody holds their lock any more."""
    with connection.begin():
        connection.execute(
            sa.text(
                "update app.jobs set status = 'failed', ended_at = now(), result = :result where status = 'running'"
                " and pg_try_advisory_xact_lock(:lock, hashtext(job_id))"
            ).bindparams(sa.bindparam("result", type_=JSONB)),
            {"lock": _LOCK, "result": _UNFINISHED},
        )


def _lock(job_id: str) -> dict[str, Any]:
    return {"lock": _LOCK, "job_id": job_id}
