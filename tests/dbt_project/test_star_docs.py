"""The pages made from the project are as the project is now, and say what a reader of the star looks for."""

import re

import pytest

from orchestration.star_docs.diagrams import CONFORMED
from orchestration.star_docs.pages import FOLDER, RENEW, make_pages
from tests.dbt_project.project import Project
from warehouse.policy import load_policy


@pytest.fixture(scope="module")
def pages(project: Project) -> dict[str, str]:
    return make_pages(project.folder / "target" / "manifest.json")


@pytest.mark.parametrize("name", ["dictionary.md", "star.md"])
def test_the_committed_page_is_as_the_project_is_now(pages: dict[str, str], name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert committed == pages[name], f"docs/warehouse/{name} is stale: renew it with `{RENEW}`"


def test_every_mart_is_in_the_dictionary_with_its_readers(pages: dict[str, str], project: Project) -> None:
    sections = dict(
        re.findall(r"^### `(\w+)`\n(.*?)(?=^##+ |\Z)", pages["dictionary.md"], flags=re.MULTILINE | re.DOTALL)
    )
    nodes = project.artifact("manifest.json")["nodes"].values()
    marts = {node["name"]: node for node in nodes if node["resource_type"] == "model" and node["fqn"][1] == "marts"}

    assert marts.keys() <= sections.keys()
    for name, mart in marts.items():
        assert re.findall(r"^\| `(\w+)`", sections[name], flags=re.MULTILINE) == list(mart["columns"])
        assert "**One row per " in sections[name]
        whose = load_policy().mart(name).organization_column
        readers = re.findall(r"^- \*\*Read by\*\*: (.*)$", sections[name], flags=re.MULTILINE)
        assert f"the rows whose `{whose}` is its own" in readers[0] if whose else "every row" in readers[0]


def test_the_diagrams_draw_every_foreign_key_and_no_other(pages: dict[str, str], project: Project) -> None:
    nodes = project.artifact("manifest.json")["nodes"].values()
    stated = {
        (node["name"], re.findall(r"\w+", constraint["to"])[-1], ", ".join(constraint["columns"]))
        for node in nodes
        if node["resource_type"] == "model"
        for constraint in node["constraints"]
        if constraint["type"] == "foreign_key"
    }
    overview, areas = pages["star.md"].split("## core")
    line = re.compile(r'^ +(\w+) [}|]o--(?:\|\||o\|) (\w+) : "(.*)"$', flags=re.MULTILINE)

    assert stated
    assert sorted(line.findall(areas)) == sorted(stated)
    assert sorted(line.findall(overview)) == sorted(key for key in stated if key[1] not in CONFORMED)
