"""`/health`: whether the process is alive, and whether it can answer."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from serving.http.problems import responses
from serving.http.state import State, state_of

router = APIRouter(prefix="/health", tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = Field(default="alive", examples=["alive"])


class Ready(BaseModel):
    """Questions can be answered."""

    status: str = Field(default="ready", examples=["ready"])
    snapshot_id: int = Field(examples=[17])


@router.get("/live", summary="Is it alive?")
async def live() -> Alive:
    """That there is an answer is the answer."""
    return Alive()


@router.get("/ready", summary="Can it answer?", responses=responses(HTTPStatus.SERVICE_UNAVAILABLE))
async def ready(state: Annotated[State, Depends(state_of)]) -> Ready:
    """Which snapshot answers, also while the warehouse is away; 503 when none was published yet."""
    return Ready(snapshot_id=state.metrics.standing().snapshot.snapshot_id)
