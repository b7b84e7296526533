"""`/embed`: tokens for the web pages of an organization's own customers."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from serving.http.access import Allowed
from serving.http.inputs import UNSTORED, Id
from serving.http.organizations import named_organization
from serving.http.problems import ERRORS
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.audit import write_down
from serving.identity.memberships import Membership, plan_of, require_current, require_no_more
from serving.identity.principal import Principal
from serving.identity.roles import Permission, Role
from serving.identity.tokens import MOST_EMBED_SECONDS
from serving.query import Filter, parse_query
from warehouse.database import API
from warehouse.errors import DataInsightError

# A token is sent as a header with each request, and servers take no header of any size.
_LONGEST_TOKEN = 8_000

router = APIRouter(
    prefix="/embed",
    tags=["embed"],
    responses=ERRORS,
    dependencies=[UNSTORED],
)

EmbedWriter = Annotated[Principal, Depends(Allowed(Permission.EMBED_WRITE))]


class EmbedIn(BaseModel):
    """What a page may ask for."""

    model_config = ConfigDict(extra="forbid")

    metrics: list[Id] = Field(default=[], max_length=50, examples=[["mrr"]])
    dashboards: list[Id] = Field(default=[], max_length=50, description="Ids of dashboards.")
    filters: list[Filter] = Field(
        default=[],
        max_length=20,
        description="Conditions of every question that the page asks, on top of its own.",
        examples=[[{"dimension": "country", "op": "eq", "values": ["DE"]}]],
    )
    seconds: int = Field(default=600, ge=1, le=MOST_EMBED_SECONDS, description="How long it is good.")
    organization_id: Id | None = Field(
        default=None, description="Whose rows: one's own organization's; an operator names one."
    )


class EmbedOut(BaseModel):
    """A token for a page."""

    token: str = Field(description="For `Authorization: Bearer`, in the page.")
    expires_at: datetime = Field(examples=["2026-01-31T18:00:00Z"])


@router.post("/tokens", summary="Make a token for a page", status_code=HTTPStatus.CREATED)
def add_token(
    request: Request, state: Annotated[State, Depends(state_of)], writer: EmbedWriter, given: EmbedIn
) -> EmbedOut:
    """Make a token that asks for some metrics of one organization, under some conditions, and does nothing else."""
    organization = named_organization(writer, given.organization_id)
    require_no_more(writer, Role.VIEWER, "the page")
    if not given.metrics and not given.dashboards:
        raise DataInsightError("a token for neither metrics nor dashboards is of no use", hint="name some")
    for metric in given.metrics:
        # What is wrong with it is better told to whoever makes the page than to its readers.
        state.metrics.check(parse_query({"metrics": [metric], "filters": given.filters}), organization)
    with state.warehouse.engine(API).begin() as connection:
        require_current(connection, writer)
        membership = Membership(organization, Role.VIEWER, plan_of(connection, organization))
        token, jti = state.tokens.embed(
            membership,
            metrics=given.metrics,
            filters=given.filters,
            dashboards=given.dashboards,
            seconds=given.seconds,
        )
        if len(token) > _LONGEST_TOKEN:
            raise DataInsightError(
                f"the token would have {len(token):,} characters; {_LONGEST_TOKEN:,} are allowed",
                hint="fewer metrics, or filters with fewer values",
            )
        write_down(
            connection,
            writer.subject,
            "embed.add",
            organization_id=organization,
            details={"jti": jti, "metrics": given.metrics, "dashboards": given.dashboards, "seconds": given.seconds},
            request_id=request_id_of(request),
        )
    return EmbedOut(token=token, expires_at=datetime.now(UTC) + timedelta(seconds=given.seconds))
