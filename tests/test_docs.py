"""The documents tell the truth about the repository: links lead somewhere, commands and targets exist."""

import re
from pathlib import Path

import pytest
import typer

from orchestration.cli import app
from warehouse.settings import PROJECT_ROOT

DOCUMENTS = sorted([PROJECT_ROOT / "README.md", PROJECT_ROOT / "CHANGELOG.md", *(PROJECT_ROOT / "docs").rglob("*.md")])


def command_names() -> set[str]:
    """Every command, as `run` or `batches list`."""
    group = typer.main.get_command(app)
    names = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        names.add(name)
        names |= {f"{name} {sub}" for sub in getattr(command, "commands", {})}
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert not [target for target in targets if not (document.parent / target).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(document: Path) -> None:
    known = command_names()
    mentioned = re.findall(r"datainsight ([a-z]+)(?: ([a-z]+))?", document.read_text())
    unknown = [
        (group, sub)
        for group, sub in mentioned
        if group not in known
        or (sub and f"{group} {sub}" not in known and any(k.startswith(f"{group} ") for k in known))
    ]
    assert not unknown


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT_ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    mentioned = set(re.findall(r"`?make ([a-z]+)`?", (PROJECT_ROOT / "README.md").read_text()))
    assert mentioned
    assert mentioned <= targets
