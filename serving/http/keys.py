"""`/keys`: the API keys of an organization."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from serving.http.access import Allowed
from serving.http.audited import Looked
from serving.http.inputs import UNSTORED, Id, Text
from serving.http.list_pages import NEXT_CURSOR, WhichListPage
from serving.http.organizations import named_organization
from serving.http.problems import ERRORS, responses
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.keys import KIND, Key, add_key, list_keys, revoke_key
from serving.identity.memberships import require_current
from serving.identity.one_time import parsed
from serving.identity.principal import Principal
from serving.identity.refusals import NotAllowedError
from serving.identity.roles import PERMISSIONS, Permission, Role
from warehouse.database import API

router = APIRouter(
    prefix="/keys",
    tags=["keys"],
    responses=ERRORS,
    dependencies=[UNSTORED],
)

KeysWriter = Annotated[Principal, Depends(Allowed(Permission.KEYS_WRITE))]


class KeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(default="", description="What it is for.", examples=["a notebook"])
    role: Role = Field(default=Role.VIEWER, examples=["viewer"])
    permissions: list[Permission] | None = Field(
        default=None,
        description="Which of the role's permissions it carries; all of them if not said.",
        examples=[["metrics:read"]],
        max_length=50,
    )
    days: int | None = Field(default=None, ge=1, le=3_650, description="It ends after so many days.", examples=[90])
    organization_id: Id | None = Field(
        default=None, description="Whose rows it asks for: one's own organization; an operator names one."
    )


class KeyOut(BaseModel):
    """A key, without what is secret of it."""

    key_id: str = Field(examples=["0123456789ab"])
    name: str
    organization_id: str | None
    role: str = Field(examples=["viewer"])
    permissions: list[str] = Field(examples=[["metrics:read"]])
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class KeysOut(BaseModel):
    """A page of keys."""

    keys: list[KeyOut]
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class NewKeyOut(BaseModel):
    """A key that was just made."""

    key: str = Field(description="For `Authorization: Bearer`; shown only now.")
    key_id: str = Field(examples=["0123456789ab"])


@router.get("", summary="List the keys", dependencies=[Depends(Looked("keys.list"))])
def list_(
    state: Annotated[State, Depends(state_of)],
    writer: KeysWriter,
    page: WhichListPage,
    organization: Annotated[
        Id | None, Query(description="Whose keys; an operator may name any organization.", examples=["acme"])
    ] = None,
) -> KeysOut:
    """The keys of the organization, the newest first; an operator's: of all, or of the one that is named."""
    is_of_all = writer.is_operator and organization is None
    whose = None if is_of_all else named_organization(writer, organization)
    found, following = page.read(
        ("keys", whose),
        lambda portion: list_keys(state.warehouse, whose, portion),
        lambda key: (key.created_at, key.key_id),
    )
    return KeysOut(keys=[_out(key) for key in found], next_cursor=following)


@router.post("", summary="Make a key", status_code=HTTPStatus.CREATED)
def add(request: Request, state: Annotated[State, Depends(state_of)], writer: KeysWriter, given: KeyIn) -> NewKeyOut:
    """Make a key that may do no more than whoever makes it."""
    scopes = None if given.permissions is None else frozenset(given.permissions)
    carried = PERMISSIONS[given.role] if scopes is None else scopes
    beyond = carried - writer.permissions
    if beyond:
        raise NotAllowedError(f"the key would have {', '.join(sorted(beyond))}, which you have not")
    if given.role is Role.OPERATOR and not writer.is_operator:
        # Whose rows it reads is no permission: with the least of them, it would read everybody's.
        raise NotAllowedError("the key would ask across organizations, which you may not")
    organization = None if given.role is Role.OPERATOR else named_organization(writer, given.organization_id)
    with state.warehouse.engine(API).connect() as connection:
        require_current(connection, writer)
    key = add_key(
        state.warehouse,
        given.role,
        organization,
        name=given.name,
        scopes=scopes,
        expires_at=None if given.days is None else datetime.now(UTC) + timedelta(days=given.days),
        actor=writer.subject,
        request_id=request_id_of(request),
    )
    made = parsed(KIND, key)
    return NewKeyOut(key=key, key_id="" if made is None else made.row_id)


@router.delete(
    "/{key_id}",
    summary="Revoke a key",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(HTTPStatus.NOT_FOUND),
)
def revoke(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    writer: KeysWriter,
    key_id: Annotated[str, Path(pattern="^[0-9a-f]{12}$", examples=["0123456789ab"])],
) -> Response:
    """End a key; a server that has just seen it takes it for ten seconds more."""
    with state.warehouse.engine(API).connect() as connection:
        require_current(connection, writer)
    revoke_key(
        state.warehouse,
        key_id,
        organization=writer.organization_id,
        actor=writer.subject,
        request_id=request_id_of(request),
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _out(key: Key) -> KeyOut:
    role = Role(key.role)
    return KeyOut(
        key_id=key.key_id,
        name=key.name,
        organization_id=key.organization_id,
        role=role.value,
        permissions=sorted(PERMISSIONS[role] if key.scopes is None else key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )
