"""What is said of persons in landed tables: complete for the sources that come with the platform, and checked."""

from pathlib import Path

import pytest
import yaml

from warehouse.errors import DataInsightError
from warehouse.personal_data import load_personal_data, place
from warehouse.settings import PROJECT_ROOT

SUITES = sorted((PROJECT_ROOT / "quality" / "suites").glob("*/*.yaml"))


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_every_table_of_the_platform_is_declared_by_columns_that_it_has(suite: Path) -> None:
    table = load_personal_data().tables[f"{suite.parent.name}.{suite.stem}"]
    said = yaml.safe_load(suite.read_text(encoding="utf-8"))
    columns = {*said["required_columns"], *said.get("optional_columns", ())}
    named = {place(one).column for one in (*table.organization, *table.identifies, *table.describes)}
    assert named <= columns


def test_nothing_is_declared_that_does_not_land() -> None:
    assert set(load_personal_data().tables) == {f"{path.parent.name}.{path.stem}" for path in SUITES}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("{identifies: [login]}", "say one of `organization"),
        ("{organization: [org], always: shop, identifies: [login]}", "say one of `organization"),
        ("{organization: [org]}", "says nothing of who it is"),
        ("{describes: [payload]}", "says nothing of who it is"),
        ("{always: shop, identifies: ['login; drop']}", "is no place"),
        ("{always: shop, identifies: [a.b.c]}", "is no place"),
        ("{always: shop, identifies: [login/]}", "not a part of it"),
        ("{always: shop, identifies: [actor.login], describes: [actor.id]}", "a whole column"),
        ("{always: shop, identifies: [actor.login], describes: [actor]}", "identifies or describes"),
        ("{identify: [login]}", "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_its_table(tmp_path: Path, table: str, words: str) -> None:
    file = tmp_path / "personal_data.yaml"
    file.write_text(f"tables: {{shop.people: {table}}}", encoding="utf-8")
    with pytest.raises(DataInsightError) as refused:
        load_personal_data(file)
    assert words in refused.value.message
    assert "shop.people" in refused.value.message


@pytest.mark.parametrize("text", ["tables: {people: {}}", "tables: {'raw_x;y.people': {}}", "tables: [", "{}"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "personal_data.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataInsightError, match="is not usable"):
        load_personal_data(file)
