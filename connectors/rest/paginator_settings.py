"""How a definition writes its paging: dlt's paginators by dlt's names and arguments, and `last_item`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from connectors.rest.auth_settings import Settings

_Path = Annotated[str | None, Field(description="a JSON path such as paging.next")]
_Name = Annotated[str | None, Field(description="the name of a parameter")]
_Number = Annotated[int | None, Field(ge=0, description="a whole number")]


class _Paginator(Settings):
    has_more_path: _Path = None
    end_path: _Path = None


class SinglePage(_Paginator):
    """One request is everything."""

    type: Literal["single_page"]


class Auto(_Paginator):
    """dlt finds out from the first answer."""

    type: Literal["auto"]


class HeaderLink(_Paginator):
    """The header Link (RFC 8288) has the next page's address."""

    type: Literal["header_link"]
    links_next_key: Annotated[str, Field(description="a link relation such as next")] = "next"


class JsonLink(_Paginator):
    """The body has the next page's address."""

    type: Literal["json_link"]
    next_url_path: Annotated[str, Field(description="a JSON path such as links.next")] = "next"


class HeaderCursor(_Paginator):
    """A header has the next page's cursor."""

    type: Literal["header_cursor"]
    cursor_key: Annotated[str, Field(description="the name of a header")] = "next"
    cursor_param: Annotated[str, Field(description="the name of a parameter")] = "cursor"


class Cursor(_Paginator):
    """The body has the next page's cursor."""

    type: Literal["cursor"]
    cursor_path: Annotated[str, Field(description="a JSON path such as paging.next.after")] = "cursors.next"
    cursor_param: _Name = None
    cursor_body_path: _Path = None
    stop_after_empty_page: Annotated[bool, Field(description="true or false")] = False

    @model_validator(mode="after")
    def _one_place(self) -> "Cursor":
        if (self.cursor_param is None) == (self.cursor_body_path is None):
            raise PydanticCustomError("paginator", "needs either cursor_param or cursor_body_path")
        return self


class Offset(_Paginator):
    """Pages are asked for by the number of rows before them."""

    type: Literal["offset"]
    limit: Annotated[int, Field(gt=0, description="a whole number")]
    offset: Annotated[int, Field(ge=0, description="a whole number")] = 0
    offset_param: _Name = None
    limit_param: _Name = None
    offset_body_path: _Path = None
    limit_body_path: _Path = None
    total_path: _Path = None
    maximum_offset: _Number = None
    stop_after_empty_page: Annotated[bool, Field(description="true or false")] = True


class PageNumber(_Paginator):
    """Pages are asked for by number."""

    type: Literal["page_number"]
    base_page: Annotated[int, Field(ge=0, description="a whole number")] = 0
    page_param: _Name = None
    page_body_path: _Path = None
    total_path: _Path = None
    maximum_page: _Number = None
    stop_after_empty_page: Annotated[bool, Field(description="true or false")] = True


class LastItem(_Paginator):
    """The next page begins after the last row of this one."""

    type: Literal["last_item"]
    item_path: Annotated[str, Field(description="a JSON path in the row, such as id")] = "id"
    param: _Name = None
    body_path: _Path = None

    @model_validator(mode="after")
    def _one_place(self) -> "LastItem":
        if (self.param is None) == (self.body_path is None):
            raise PydanticCustomError("paginator", "needs either param or body_path")
        return self


_Any = SinglePage | Auto | HeaderLink | JsonLink | HeaderCursor | Cursor | Offset | PageNumber | LastItem


def _named(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


Paginator = Annotated[
    Annotated[_Any, Field(discriminator="type")],
    BeforeValidator(_named),
    Field(
        description="single_page, auto, or a mapping with the type header_link, json_link, header_cursor, cursor,"
        " offset, page_number or last_item"
    ),
]
