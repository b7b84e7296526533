"""`/uploads`: files of an organization's own, taken in as a datasource."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from serving.datasources.uploads import Target, incoming_folder, place, table_of
from serving.http.datasources import CONFLICT, NOT_FOUND, DatasourceOut, ToWrite, out
from serving.http.inputs import UNSTORED, Id, Text
from serving.http.multipart import FILE, Received, received
from serving.http.organizations import named_organization
from serving.http.problems import ERRORS
from serving.http.state import State, state_of
from warehouse.errors import DataInsightError

router = APIRouter(
    prefix="/uploads",
    tags=["datasources"],
    responses={**ERRORS, **NOT_FOUND, **CONFLICT},
    dependencies=[UNSTORED],
)

# What each field says, and an example of it.
_FIELDS = {
    "name": ("What the datasource is called; the file's name when it is left out.", "orders of the web shop"),
    "table": ("The table that the file is rows of; the file's name when it is left out.", "orders"),
    "key": ("The columns that tell rows apart, separated by commas.", "order_id"),
    "datasource_id": ("A datasource of uploaded files that it is to be another file of.", "ds_0f8d2a5013c4d6e7"),
    "organization_id": ("Whose it is: one's own organization; an operator names one.", "acme"),
}
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FILE],
                    "properties": {
                        FILE: {"type": "string", "format": "binary", "description": "CSV, Parquet or Excel."},
                        **{
                            name: {"type": "string", "description": told, "examples": [example]}
                            for name, (told, example) in _FIELDS.items()
                        },
                    },
                },
            }
        },
    }
}
_TEXT, _ID = TypeAdapter(Text), TypeAdapter(Id)


class UploadOut(BaseModel):
    """A file that was taken in."""

    datasource: DatasourceOut
    table: str = Field(examples=["orders"])
    format: str = Field(description="csv, parquet or excel.", examples=["csv"])
    size_bytes: int = Field(examples=[48123])
    sha256: str = Field(description="Of the file's bytes.")
    is_new: bool = Field(description="Whether the datasource did not have a file of this content yet.")


@router.post("", summary="Upload a file", status_code=HTTPStatus.CREATED, openapi_extra=_FORM)
async def upload(request: Request, state: Annotated[State, Depends(state_of)], datasources: ToWrite) -> UploadOut:
    """Take a file in as a datasource, or as another file of one; `sync` lands it, and so does the next run."""
    folder = await run_in_threadpool(incoming_folder, state.settings.home)
    async with state.uploads.of(datasources.actor.organization_id):
        form = await received(request, folder, state.settings.upload_bytes)
        try:
            target = _target(datasources, form)
            placed = await run_in_threadpool(place, datasources, form.path, form.sha256, target)
        finally:
            form.path.unlink(missing_ok=True)
    return UploadOut(
        datasource=out(placed.datasource),
        table=target.table,
        format=placed.format,
        size_bytes=form.size_bytes,
        sha256=form.sha256,
        is_new=placed.is_new,
    )


def _target(datasources: ToWrite, form: Received) -> Target:
    unknown = sorted(set(form.fields) - set(_FIELDS))
    if unknown:
        raise DataInsightError(f"{unknown[0]!r} is no field of the form", hint=f"allowed are {', '.join(_FIELDS)}")
    given = {name: _checked(name, value) for name, value in form.fields.items() if value}
    table = given.get("table") or table_of(form.file_name)
    return Target(
        organization=named_organization(datasources.actor, given.get("organization_id")),
        datasource_id=given.get("datasource_id"),
        name=given.get("name") or table,
        table=table,
        key=[column.strip() for column in given.get("key", "").split(",") if column.strip()],
    )


def _checked(name: str, value: str) -> str:
    try:
        checked: str = (_ID if name.endswith("_id") else _TEXT).validate_python(value)
    except ValidationError as error:
        raise DataInsightError(f"{name}: {error.errors()[0]['msg']}") from None
    return checked
