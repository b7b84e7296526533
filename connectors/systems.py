"""The index of systems that the connectors reach, and `python -m connectors.systems`, which writes it.

Rows come from `systems.yaml` and from the REST catalogue. How a system is tested is never typed: it follows from the
test files that are there.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from connectors.rest.definition import catalog_names, first_mistake, load_catalog
from connectors.yaml_document import read_yaml
from warehouse.errors import DataInsightError

ROOT = Path(__file__).parent.parent
SYSTEMS = Path(__file__).with_name("systems.yaml")
PAGE = ROOT / "docs" / "connectors" / "index.md"
VENDORS = Path("tests/connectors/rest/vendors")

Tested = Literal["real server", "recorded shape", "definition only"]
_Prose = Annotated[str, Field(min_length=1, pattern=r"^[^|\n]+$")]
_HINT = "docs/connectors/index.md says how a system is added"
_USAGE_ERROR = 2


class System(BaseModel):
    """A system that a source can be configured for.

    Attributes:
        reach: The URL, path, tap or catalogue name that a source names it by.
        endpoint: What else its source says: the address of an object store.
        needs: What is to be installed for it; None where datainsight brings all.
        documentation: Who says so.
        sqlalchemy: The versions of SQLAlchemy that its dialect's documentation names.
        note: What a reader should know before relying on it.
        tested_by: The test that lands from the real system, or the vendor that speaks its API; a path from the root.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Prose
    reach: _Prose
    endpoint: _Prose | None = None
    needs: _Prose | None = None
    documentation: Annotated[str | None, Field(pattern=r"^https://\S+$")] = None
    sqlalchemy: _Prose | None = None
    note: _Prose | None = None
    tested_by: Annotated[str | None, Field(pattern=r"^tests/connectors/(?:\w+/)*\w+\.py$")] = None

    @property
    def tested(self) -> Tested:
        """How it is tested: a vendor of the REST catalogue's tests is never more than recorded shapes."""
        if self.tested_by is None:
            return "definition only"
        return "recorded shape" if Path(self.tested_by).is_relative_to(VENDORS) else "real server"


class Section(BaseModel):
    """Systems of one kind that are reached in the same way.

    Attributes:
        engine: Which engine of the kind `database` reads their URLs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["rest", "database", "files", "singer"]
    title: _Prose
    about: str
    engine: Literal["postgresql", "mysql", "mssql", "dialect"] | None = None
    systems: Annotated[tuple[System, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _engine_of_a_database(self) -> "Section":
        if (self.kind == "database") != (self.engine is not None):
            raise PydanticCustomError("section", "has an engine if, and only if, its kind is database")
        return self


class _Sections(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sections: tuple[Section, ...]


def load_sections(path: Path = SYSTEMS) -> list[Section]:
    """Every section of the index: the REST catalogue's, then those of `path`.

    Raises:
        DataInsightError: Something is wrong in the file, a test that it names is not there, or a name is there twice.
    """
    document = read_yaml(path)
    try:
        read = _Sections.model_validate(document.values)
    except ValidationError as error:
        where, problem = first_mistake(error)
        raise document.mistake(where, problem, _HINT) from None
    sections = [_rest_section(), *read.sections]
    for system in (system for section in read.sections for system in section.systems):
        if system.tested_by and not (ROOT / system.tested_by).is_file():
            raise DataInsightError(
                f"{path}: {system.name} is said to be tested by {system.tested_by}, which is not there"
            )
    names = [system.name.casefold() for section in sections for system in section.systems]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataInsightError(f"{path}: there twice: {', '.join(twice)}", hint="the REST catalogue's titles count too")
    return sections


def _rest_section() -> Section:
    systems = []
    for name in catalog_names():
        definition = load_catalog(name)
        vendor = VENDORS / f"{name}.py"
        systems.append(
            System(
                name=str(definition.title),
                reach=name,
                documentation=definition.documentation,
                note=f"tables {', '.join(definition.tables)}",
                tested_by=vendor.as_posix() if (ROOT / vendor).is_file() else None,
            )
        )
    return Section(
        kind="rest",
        title="The catalogue",
        about="Ready definitions; any other JSON API is reached by a definition of one's own, in YAML.",
        systems=tuple(systems),
    )


def render(sections: list[Section]) -> str:
    """The index as Markdown."""
    systems = [system for section in sections for system in section.systems]
    ways: tuple[Tested, ...] = ("real server", "recorded shape", "definition only")
    counts = {way: sum(system.tested == way for system in systems) for way in ways}
    lines = [
        _INTRODUCTION.format(
            total=len(systems), **{way.replace(" ", "_"): count for way, count in counts.items()}
        ).strip()
    ]
    kind = None
    for section in sections:
        if section.kind != kind:
            kind = section.kind
            lines += ["", f"## Kind `{kind}`"]
        lines += ["", f"### {section.title}", "", section.about, *_table(section)]
    return "\n".join([*lines, "", _PYTHON.strip(), ""])


def _table(section: Section) -> Iterator[str]:
    yield ""
    yield "| system | reached by | needs | how tested | notes |"
    yield "| --- | --- | --- | --- | --- |"
    word = {"rest": "catalog: ", "singer": "tap: "}.get(section.kind, "")
    for system in sorted(section.systems, key=lambda system: system.name.casefold()):
        name = f"[{system.name}]({system.documentation})" if system.documentation else system.name
        reach = f"`{word}{system.reach}`" + (f" at `{system.endpoint}`" if system.endpoint else "")
        needs = f"`{system.needs}`" if system.needs else "nothing"
        tested = f"[{system.tested}](../../{system.tested_by})" if system.tested_by else system.tested
        yield f"| {name} | {reach} | {needs} | {tested} | {_notes(section, system)} |"


def _notes(section: Section, system: System) -> str:
    versions = f"for SQLAlchemy {system.sqlalchemy}" if system.sqlalchemy else None
    if section.engine == "dialect" and not (versions or system.note or system.tested_by):
        versions = "for which SQLAlchemy is not verified"
    return "; ".join(part for part in (versions, system.note) if part)


_INTRODUCTION = """
<!-- Written by `python -m connectors.systems` from connectors/systems.yaml and connectors/catalog; do not edit. -->
# Systems within reach

{total} named systems: {real_server} tested with a real server, {recorded_shape} with recorded shapes, and
{definition_only} by definition only. Each kind is described, with an example, on a page of its own:
[files](files.md), [database](database.md), [rest](rest.md), [singer](singer.md), [python](python.md).

**How to read it.** "How tested" follows from the test files of this repository and links to them:

- *real server*: a test lands from the system itself, its server running on this machine or files in its own format;
- *recorded shape*: a test lands from a server on this machine that answers as the vendor's documentation says it does;
  nobody has asked the vendor's own;
- *definition only*: the way is documented by those who keep the driver, the tap or the service. It has not been tried.

"Needs" is what `pip install` is to install beside datainsight; for taps it is the source's `package`.

**How to add a system.** An API: a file in `connectors/catalog` and a vendor in `tests/connectors/rest/vendors`.
Anything else: a line in `connectors/systems.yaml`, with `tested_by` once a test lands from the real thing. Then
`python -m connectors.systems`; with `--check` it fails when the page is not what it would write.
"""

_PYTHON = """
## Kind `python`

Anything that has [dlt resources](https://dlthub.com/docs/general-usage/resource): a module of yours, or one that
somebody published. Not counted above.
"""


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` tell whether it is up to date; returns the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m connectors.systems [--check]", file=sys.stderr)
        return _USAGE_ERROR
    try:
        sections = load_sections()
    except DataInsightError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    page = render(sections)
    shown = PAGE.relative_to(ROOT)
    if arguments:
        if not PAGE.is_file() or PAGE.read_text() != page:
            print(f"error: {shown} is out of date", file=sys.stderr)
            print("hint: python -m connectors.systems writes it", file=sys.stderr)
            return 1
        return 0
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page)
    print(f"{shown}: {sum(len(section.systems) for section in sections)} systems")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
