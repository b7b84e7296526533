"""`/datasources`: the sources that an organization has added."""

from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from serving.datasources.registry import Datasources
from serving.http.access import Allowed
from serving.http.inputs import UNSTORED, Id, Text
from serving.http.list_pages import NEXT_CURSOR, WhichListPage
from serving.http.organizations import named_organization
from serving.http.problems import ERRORS, responses
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.principal import Principal
from serving.identity.roles import Permission
from warehouse.datasources import Datasource

NOT_FOUND = responses(HTTPStatus.NOT_FOUND)
CONFLICT = responses(HTTPStatus.CONFLICT)

router = APIRouter(prefix="/datasources", tags=["datasources"], responses=ERRORS, dependencies=[UNSTORED])

SourcesReader = Annotated[Principal, Depends(Allowed(Permission.SOURCES_READ))]
SourcesWriter = Annotated[Principal, Depends(Allowed(Permission.SOURCES_WRITE))]
DatasourceId = Annotated[
    str,
    Path(
        max_length=100,
        pattern=r"^[a-z0-9_]+$",
        description="An id of GET /api/v1/datasources.",
        examples=["ds_0f8d2a5013c4d6e7"],
    ),
]

_CONFIGURATION = (
    "As a source of this kind is configured in sources.yaml, without `kind`. What stands under url, parameters, params,"
    " json, headers, auth, storage_options, or is called a token, secret, key or password, is encrypted, and shown as"
    " ***."
)
_EXAMPLE = {"url": "postgresql://reader:password@db.example.com/shop", "tables": {"orders": {"cursor": "updated_at"}}}


class DatasourceIn(BaseModel):
    """A datasource to be added."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(min_length=1, description="What it is called.", examples=["the shop"])
    kind: Literal["database", "files", "rest"] = Field(examples=["database"])
    configuration: dict[str, Any] = Field(description=_CONFIGURATION, examples=[_EXAMPLE])
    organization_id: Id | None = Field(
        default=None, description="Whose it is: one's own organization; an operator names one."
    )


class DatasourceChange(BaseModel):
    """What is to be different."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(default=None, min_length=1, examples=["the old shop"])
    configuration: dict[str, Any] | None = Field(
        default=None,
        description="In place of the former one; *** keeps a secret, as long as it goes to the same place as before.",
        examples=[{"url": "***", "tables": {"orders": {"cursor": "updated_at"}, "customers": {}}}],
    )


class DatasourceOut(BaseModel):
    """A datasource, without its secrets."""

    datasource_id: str = Field(
        description="Its rows land in the schema `raw_<this>`.", examples=["ds_0f8d2a5013c4d6e7"]
    )
    organization_id: str = Field(examples=["acme"])
    name: str = Field(examples=["the shop"])
    kind: str = Field(examples=["database"])
    configuration: dict[str, Any] = Field(examples=[{**_EXAMPLE, "url": "***"}])
    is_uploaded: bool = Field(description="Whether its files were uploaded.")
    created_by: str = Field(
        description="Who added it; `(operator)` is whoever runs the platform.", examples=["user:usr_5f0c9e1f6f6a4b7c"]
    )
    created_at: datetime
    updated_at: datetime


class DatasourcesOut(BaseModel):
    """A page of datasources."""

    datasources: list[DatasourceOut]
    next_cursor: str | None = Field(description=NEXT_CURSOR)


def of_reader(request: Request, state: Annotated[State, Depends(state_of)], reader: SourcesReader) -> Datasources:
    """The datasources as whoever asks may see them."""
    return Datasources(state.settings, state.warehouse, reader, request_id_of(request))


def of_writer(request: Request, state: Annotated[State, Depends(state_of)], writer: SourcesWriter) -> Datasources:
    """The datasources as whoever asks may change them."""
    return Datasources(state.settings, state.warehouse, writer, request_id_of(request))


ToRead = Annotated[Datasources, Depends(of_reader)]
ToWrite = Annotated[Datasources, Depends(of_writer)]


@router.get("", summary="List the datasources")
def list_(
    datasources: ToRead,
    page: WhichListPage,
    organization: Annotated[
        Id | None, Query(description="Whose datasources; an operator may name any organization.", examples=["acme"])
    ] = None,
) -> DatasourcesOut:
    """The datasources of the organization, the oldest first; an operator's: of all, or of the one that is named."""
    is_of_all = datasources.actor.is_operator and organization is None
    whose = None if is_of_all else named_organization(datasources.actor, organization)
    found, following = page.read(
        ("datasources", whose),
        lambda portion: datasources.listed(whose, portion),
        lambda one: (one.created_at, one.datasource_id),
    )
    return DatasourcesOut(datasources=[out(one) for one in found], next_cursor=following)


@router.post("", summary="Add a datasource", status_code=HTTPStatus.CREATED, responses=CONFLICT)
async def add(state: Annotated[State, Depends(state_of)], datasources: ToWrite, given: DatasourceIn) -> DatasourceOut:
    """Add a source; `check` tells whether it can be read, `discover` what it has, `sync` lands it."""
    organization = named_organization(datasources.actor, given.organization_id)
    work = partial(datasources.add, organization, given.name, given.kind, given.configuration)
    return out(await anyio.to_thread.run_sync(work, limiter=state.look_ups))


@router.get("/{datasource_id}", summary="A datasource", responses=NOT_FOUND)
def get(datasources: ToRead, datasource_id: DatasourceId) -> DatasourceOut:
    """One of them."""
    return out(datasources.get(datasource_id))


@router.patch("/{datasource_id}", summary="Change a datasource", responses=NOT_FOUND)
async def change(
    state: Annotated[State, Depends(state_of)],
    datasources: ToWrite,
    datasource_id: DatasourceId,
    given: DatasourceChange,
) -> DatasourceOut:
    """Rename it, or configure it anew."""
    work = partial(datasources.change, datasource_id, given.name, given.configuration)
    return out(await anyio.to_thread.run_sync(work, limiter=state.look_ups))


@router.delete(
    "/{datasource_id}", summary="Delete a datasource", status_code=HTTPStatus.NO_CONTENT, responses=NOT_FOUND
)
def delete(datasources: ToWrite, datasource_id: DatasourceId) -> Response:
    """Delete it with its credentials and uploaded files; what has landed of it stays in raw."""
    datasources.delete(datasource_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def out(datasource: Datasource) -> DatasourceOut:
    """A datasource as an answer tells it."""
    names = DatasourceOut.model_fields
    return DatasourceOut(**{name: getattr(datasource, name) for name in names})
