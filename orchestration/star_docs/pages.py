"""Which pages there are, and where: from dbt's manifest and the policy to files."""

import json
from pathlib import Path

from orchestration.star_docs.diagrams import diagrams
from orchestration.star_docs.dictionary import dictionary
from orchestration.star_docs.star import read_star
from warehouse.policy import load_policy
from warehouse.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "docs" / "warehouse"
RENEW = "python -m orchestration.star_docs"


def make_pages(manifest_file: Path) -> dict[str, str]:
    """The text of each page by its name; equal for equal projects."""
    marts = read_star(json.loads(manifest_file.read_text(encoding="utf-8")))
    made_by = f"<!-- Made by `{RENEW}` from dbt_project and warehouse/policy.yaml; changes here are lost. -->\n"
    return {
        "dictionary.md": made_by + dictionary(marts, load_policy()),
        "star.md": made_by + diagrams(marts),
    }


def write_pages(manifest_file: Path, folder: Path) -> list[str]:
    """Write every page; gives their names."""
    pages = make_pages(manifest_file)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(pages)
