"""`/datasources/{datasource_id}/batches` and `/quarantine`: what has landed of it, and what was set aside."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from serving.datasources.ledger import batches_of, quarantine_of
from serving.datasources.transactions import begun
from serving.http.datasources import NOT_FOUND, DatasourceId, ToRead
from serving.http.inputs import UNSTORED
from serving.http.list_pages import NEXT_CURSOR, WhichListPage
from serving.http.problems import ERRORS
from serving.http.state import State, state_of
from warehouse.datasources import upload_folder

router = APIRouter(
    prefix="/datasources/{datasource_id}",
    tags=["datasources"],
    responses={**ERRORS, **NOT_FOUND},
    dependencies=[UNSTORED],
)


class CheckOut(BaseModel):
    """What quality, or landing itself, found of a batch."""

    name: str | None = Field(examples=["unique_order_id"])
    status: str | None = Field(examples=["passed"])
    severity: str | None = Field(examples=["row"])
    description: str | None
    detail: str | None


class BatchOut(BaseModel):
    """What one load brought to one table."""

    batch_id: int = Field(examples=[17])
    table_name: str = Field(examples=["orders"])
    landed_at: datetime
    status: str = Field(description="landed, admitted or refused.", examples=["admitted"])
    row_count: int = Field(examples=[1000])
    quarantined_count: int = Field(examples=[2])
    deleted_count: int = Field(examples=[0])
    size_bytes: int | None
    seconds: float | None
    checks: list[CheckOut]


class BatchesOut(BaseModel):
    """A page of batches."""

    batches: list[BatchOut]
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class QuarantinedOut(BaseModel):
    """A row that was set aside."""

    batch_id: int = Field(examples=[17])
    table_name: str = Field(examples=["orders"])
    row_id: int = Field(examples=[512])
    payload: Any = Field(description="What it said.", examples=[{"order_id": None, "amount": "12.50"}])
    failed_rules: list[str] = Field(examples=[["order_id_not_null"]])
    quarantined_at: datetime
    resolved_by_batch_id: int | None = Field(description="The batch that put it back.")


class QuarantineOut(BaseModel):
    """A page of rows that were set aside."""

    quarantine: list[QuarantinedOut]
    next_cursor: str | None = Field(description=NEXT_CURSOR)


@router.get("/batches", summary="The batches of a datasource")
def batches(
    state: Annotated[State, Depends(state_of)],
    datasources: ToRead,
    datasource_id: DatasourceId,
    page: WhichListPage,
) -> BatchesOut:
    """What was landed of it, and what was decided about that, newest first."""
    found = datasources.get(datasource_id)
    with begun(state.warehouse) as connection:
        rows, following = page.read(
            ("batches", datasource_id),
            lambda portion: batches_of(connection, datasource_id, portion),
            lambda row: (row["batch_id"],),
        )
    folder = upload_folder(state.settings.home, found.organization_id, datasource_id)
    for check in (check for batch in rows for check in batch["checks"]):
        # Uploaded files are called as their owner knows them.
        check["detail"] = check["detail"] and check["detail"].replace(f"{folder}/", "")
    return BatchesOut(batches=[BatchOut(**row) for row in rows], next_cursor=following)


@router.get("/quarantine", summary="The rows of a datasource that were set aside")
def quarantine(
    state: Annotated[State, Depends(state_of)],
    datasources: ToRead,
    datasource_id: DatasourceId,
    page: WhichListPage,
) -> QuarantineOut:
    """What they said, and which rules they broke, newest batch first."""
    datasources.get(datasource_id)
    with begun(state.warehouse) as connection:
        rows, following = page.read(
            ("quarantine", datasource_id),
            lambda portion: quarantine_of(connection, datasource_id, portion),
            lambda row: (row["batch_id"], row["row_id"]),
        )
    return QuarantineOut(quarantine=[QuarantinedOut(**row) for row in rows], next_cursor=following)
