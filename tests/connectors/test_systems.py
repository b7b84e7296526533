"""The index of reachable systems: up to date, long enough, and honest about how each system is tested."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors import systems
from connectors.database.address import Address
from connectors.files.kind import SCHEMES
from connectors.rest.definition import catalog_names
from connectors.singer.kind import SingerSource
from connectors.source import Surroundings
from connectors.systems import PAGE, ROOT, Section, System, load_sections, main, render
from warehouse.errors import DataInsightError

SECTIONS = load_sections()
ENTRIES = [
    pytest.param(section, system, id=system.name.replace(" ", "_"))
    for section in SECTIONS
    for system in section.systems
]


def of_kind(kind: str) -> list[System]:
    return [system for section in SECTIONS if section.kind == kind for system in section.systems]


def test_the_page_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_at_least_a_hundred_systems_of_four_kinds() -> None:
    assert sum(len(section.systems) for section in SECTIONS) >= 100
    assert [kind for kind in ("rest", "database", "files", "singer") if of_kind(kind)] == [
        "rest",
        "database",
        "files",
        "singer",
    ]
    assert [system.reach for system in of_kind("rest")] == catalog_names()


@pytest.mark.parametrize(("section", "system"), ENTRIES)
def test_how_a_system_is_tested_follows_from_the_tests(section: Section, system: System) -> None:
    if section.kind == "rest":
        vendor = Path("tests/connectors/rest/vendors", f"{system.reach}.py")
        assert system.tested == ("recorded shape" if (ROOT / vendor).is_file() else "definition only")
    elif system.tested_by:
        test = ROOT / system.tested_by
        assert test.name.startswith("test_"), "pytest does not run it"
        assert test.is_file()
        assert system.tested == "real server"
    else:
        assert system.tested == "definition only"
    row = next(
        line for line in PAGE.read_text().splitlines() if line.startswith((f"| {system.name} |", f"| [{system.name}]"))
    )
    assert row.split(" | ")[3].removeprefix("[").startswith(system.tested)


def test_every_url_is_read_by_the_engine_of_its_section() -> None:
    for section in SECTIONS:
        for system in section.systems if section.kind == "database" else ():
            assert Address("index", sa.make_url(system.reach), "").engine == section.engine, system.name


def test_every_dialect_that_is_not_tried_says_what_to_install() -> None:
    dialects = next(section for section in SECTIONS if section.engine == "dialect")
    assert [system.name for system in dialects.systems if not system.needs] == ["SQLite"]


def test_files_are_where_the_kind_files_looks() -> None:
    for system in of_kind("files"):
        scheme, separator, _ = system.reach.partition("://")
        assert not separator or scheme in SCHEMES, system.name
        assert system.endpoint is None or scheme == "s3", system.name


def test_every_tap_can_be_configured(tmp_path: Path) -> None:
    surroundings = Surroundings("crm", tmp_path, tmp_path, draft=True)
    for system in of_kind("singer"):
        values = {"name": "crm", "kind": "singer", "tap": system.reach, "package": system.needs}
        SingerSource.model_validate(values, context=surroundings)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "{name: New, reach: x, tested_by: tests/connectors/test_nothing.py}",
            "New is said to be tested by tests/conn",
        ),
        ("{name: New, reach: x, tested: real server}", "sections.0.systems.0.tested is not known"),
        ("{name: New, reach: x, tested_by: README.md}", "sections.0.systems.0.tested_by string should match"),
        ("{name: stripe, reach: x}", "there twice: stripe"),
        ("{name: New}", "sections.0.systems.0 has no reach"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "systems.yaml"
    path.write_text(f"sections:\n  - kind: files\n    title: T\n    about: A\n    systems:\n      - {line}\n")
    with pytest.raises(DataInsightError, match=told.replace(".", r"\.")) as refused:
        load_sections(path)
    assert str(path) in refused.value.message


def test_a_page_that_is_out_of_date_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(systems, "PAGE", tmp_path / "index.md")
    monkeypatch.setattr(systems, "ROOT", tmp_path)
    monkeypatch.setattr(systems, "load_sections", lambda: SECTIONS)
    assert main(["--check"]) == 1
    assert capsys.readouterr().err.startswith("error: index.md is out of date\nhint: ")
    assert main([]) == 0
    assert (tmp_path / "index.md").read_text() == render(SECTIONS)
    assert main(["--check"]) == 0
    assert main(["--chekc"]) == 2
