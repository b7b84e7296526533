"""`/datasources/{datasource_id}/check|discover|sync`, `/datasources/jobs`: what takes longer than a request should."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from serving.datasources.jobs import Job, What, ask_for, get_job
from serving.http.audited import Looked
from serving.http.datasources import NOT_FOUND, DatasourceId, SourcesReader, ToWrite
from serving.http.inputs import UNSTORED
from serving.http.problems import ERRORS
from serving.http.state import State, state_of

router = APIRouter(
    prefix="/datasources", tags=["datasources"], responses={**ERRORS, **NOT_FOUND}, dependencies=[UNSTORED]
)

_JobId = Annotated[
    str,
    Path(
        max_length=100,
        pattern=r"^[a-z0-9_]+$",
        description="The `job_id` of an answer.",
        examples=["job_4be1a07c55d2f3e8"],
    ),
]
_RESULT = (
    "What came of it, once it has ended: `tables` of check and discover, `batches` of sync; or `detail` and `hint` of"
    " why nothing did."
)


class JobOut(BaseModel):
    """A job."""

    job_id: str = Field(examples=["job_4be1a07c55d2f3e8"])
    datasource_id: str = Field(examples=["ds_0f8d2a5013c4d6e7"])
    what: str = Field(description="check, discover or sync.", examples=["check"])
    status: str = Field(description="queued, running, succeeded or failed.", examples=["succeeded"])
    result: dict[str, Any] | None = Field(
        description=_RESULT, examples=[{"tables": [{"table_name": "orders", "ok": True, "problem": None}]}]
    )
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@router.get("/jobs/{job_id}", summary="A job", dependencies=[Depends(Looked("datasources.job"))])
def get(state: Annotated[State, Depends(state_of)], reader: SourcesReader, job_id: _JobId) -> JobOut:
    """How far a job is, and what came of it."""
    return _out(get_job(state.warehouse, reader.organization_id, job_id))


@router.post("/{datasource_id}/check", summary="Check a datasource", status_code=HTTPStatus.ACCEPTED)
def check(state: Annotated[State, Depends(state_of)], datasources: ToWrite, datasource_id: DatasourceId) -> JobOut:
    """Find out whether each of its tables can be read."""
    return _asked(state, datasources, datasource_id, What.CHECK)


@router.post("/{datasource_id}/discover", summary="Discover what a datasource has", status_code=HTTPStatus.ACCEPTED)
def discover(state: Annotated[State, Depends(state_of)], datasources: ToWrite, datasource_id: DatasourceId) -> JobOut:
    """Find out which tables and columns it has, with what is proposed for each."""
    return _asked(state, datasources, datasource_id, What.DISCOVER)


@router.post("/{datasource_id}/sync", summary="Land a datasource", status_code=HTTPStatus.ACCEPTED)
def sync(state: Annotated[State, Depends(state_of)], datasources: ToWrite, datasource_id: DatasourceId) -> JobOut:
    """Land what is new in it, and judge it."""
    return _asked(state, datasources, datasource_id, What.SYNC)


def _asked(state: State, datasources: ToWrite, datasource_id: str, what: What) -> JobOut:
    found = datasources.get(datasource_id)
    job = ask_for(state.warehouse, datasources.actor, found, what, datasources.request_id)
    state.worker.wake()
    return _out(job)


def _out(job: Job) -> JobOut:
    return JobOut(**{name: getattr(job, name) for name in JobOut.model_fields})
