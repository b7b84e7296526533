"""Which columns of the landed tables tell of persons; what is done with that is said elsewhere."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from warehouse.checked_yaml import read_checked

PERSONAL_DATA_FILE = Path(__file__).with_name("personal_data.yaml")

_PLACE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\.([A-Za-z_][A-Za-z0-9_]*))?(/?)", re.ASCII)
_TABLE = re.compile(r"[a-z][a-z0-9_]*\.[a-z_][a-z0-9_]*", re.ASCII)


def _is_place(text: str) -> str:
    if not _PLACE.fullmatch(text):
        raise ValueError(f"{text!r} is no place: write `column`, `column.member`, or either with `/` at its end")
    return text


@dataclass(frozen=True)
class Place:
    """Where a row says something.

    Attributes:
        column: In which column.
        member: In which member of the JSON document that is in it; None: the column itself.
        is_before_slash: What is before the first slash alone.
    """

    column: str
    member: str | None
    is_before_slash: bool


def place(text: str) -> Place:
    """What a place of the file says."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no place")
    return Place(found[1], found[2], found[3] == "/")


_Place = Annotated[str, AfterValidator(_is_place)]


class PersonalTable(BaseModel):
    """What one landed table tells of persons.

    Attributes:
        organization: Where a row says whose it is; the first place that says so counts.
        always: Whose every row is.
        identifies: Where a row says who it is; the first place tells persons apart for good.
        describes: Columns that say something of that person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    organization: tuple[_Place, ...] = ()
    always: str | None = None
    identifies: tuple[_Place, ...] = ()
    describes: tuple[_Place, ...] = ()

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if not self.identifies:
            if self.describes or self.organization or self.always:
                raise ValueError("says nothing of who it is: `identifies: [<column>]`, or `{}` for nobody")
            return self
        if bool(self.organization) == (self.always is not None):
            raise ValueError("say one of `organization: [<column>]` and `always: <organization>`")
        if any(place(one).is_before_slash for one in self.identifies):
            raise ValueError("what identifies somebody is a column or a member of one, not a part of it")
        if any("." in one or "/" in one for one in self.describes):
            raise ValueError("what describes somebody is a whole column")
        if {place(one).column for one in self.identifies} & set(self.describes):
            raise ValueError("a column identifies or describes; of a document that identifies, nothing else is left")
        return self


class PersonalData(BaseModel):
    """What each landed table tells of persons, by `source.table`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, PersonalTable]

    @model_validator(mode="after")
    def _names_tables(self) -> Self:
        for name in self.tables:
            if not _TABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no landed table: write `source.table`")
        return self

    @property
    def of_persons(self) -> dict[tuple[str, str], PersonalTable]:
        """Those that tell of persons, by source and table."""
        found = {}
        for name, table in sorted(self.tables.items()):
            source, _, table_name = name.partition(".")
            if table.identifies:
                found[source, table_name] = table
        return found


@cache
def load_personal_data(path: Path = PERSONAL_DATA_FILE) -> PersonalData:
    """Read and check the file.

    Raises:
        DataInsightError: It cannot be used; the message names the table.
    """
    return read_checked(
        path,
        PersonalData,
        called="the file of personal data",
        hint="each table says `organization` or `always`, and `identifies`, and may say `describes`; or `{}`",
    )
