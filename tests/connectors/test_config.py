"""`sources.yaml`: what is right is read, what is wrong is said with file, line, key and remedy."""

import glob
from pathlib import Path

import pytest

from connectors.config import find_source, load_sources
from connectors.demo.kind import DemoSource
from connectors.files.kind import FilesSource
from connectors.files.listing import list_files, missing_paths
from connectors.secrets import secret_texts
from warehouse.errors import DataInsightError
from warehouse.settings import PROJECT_ROOT


def load(tmp_path: Path, text: str) -> list[FilesSource]:
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    sources = load_sources(path, tmp_path / "home")
    assert all(isinstance(source, FilesSource) for source in sources)
    return sources  # type: ignore[return-value]


def test_a_source_is_read_with_paths_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "/mnt/files")
    [shop] = load(
        tmp_path,
        """
sources:
  shop:
    kind: files
    schedule: "*/15 * * * *"
    tables:
      orders: {path: "orders/**/*.csv", key: [Order ID, line], delimiter: ";"}
      customers: {path: ["${ELSEWHERE}/a.jsonl", ~/b.jsonl], format: jsonl}
""",
    )
    orders, customers = shop.tables["orders"], shop.tables["customers"]
    assert (shop.name, shop.kind, shop.schedule, shop.schema_name) == ("shop", "files", "*/15 * * * *", "raw_shop")
    assert orders.path == (str(tmp_path / "orders/**/*.csv"),)
    assert orders.key_columns == ["order_id", "line"]
    assert customers.path == ("/mnt/files/a.jsonl", str(tmp_path / "b.jsonl"))


def test_glob_characters_in_the_folder_of_the_sources_file_are_no_glob(tmp_path: Path) -> None:
    folder = tmp_path / "in[1]*"
    (folder / "data").mkdir(parents=True)
    files = [folder / "data" / name for name in ("a.csv", "b.csv", "c[2].csv")]
    for path in files:
        path.touch()
    [shop] = load(
        folder, "sources: {s: {kind: files, tables: {all: {path: data/*.csv}, one: {path: 'data/c[2].csv'}}}}"
    )
    assert list_files(shop.tables["all"]) == files
    assert list_files(shop.tables["one"]) == files[2:]
    [shop] = load(folder, "sources: {s: {kind: files, tables: {t: {path: [data, d.csv, e/*.csv, data/*.txt]}}}}")
    assert missing_paths(shop.tables["t"]) == [
        f"{folder}/data is a folder; say which files of it, such as {folder}/data/*.csv",
        f"there is no file {folder}/d.csv",
        f"there is no folder {folder}/e (in {glob.escape(str(folder))}/e/*.csv)",
    ]


def test_the_default_sources_are_the_demo_company_and_what_the_platform_is_told(tmp_path: Path) -> None:
    saas, github, platform = load_sources(PROJECT_ROOT / "connectors" / "sources.yaml", tmp_path)
    assert isinstance(saas, DemoSource)
    assert list(saas.tables) == [
        *("accounts", "subscriptions", "feature_usage", "support_tickets", "churn_events"),
        *("invoices", "dashboards", "opportunities"),
    ]
    assert github.tables["events"].key == ("id",)
    assert platform.tables["events"].key == ("organization_id", "event_id")


def test_the_acceptance_sources_are_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARED_DATA", "/somewhere")
    sources = load_sources(PROJECT_ROOT / "tests" / "acceptance" / "sources.yaml", tmp_path)
    assert [source.name for source in sources] == ["saas", "github"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "is empty"),
        ("sources:", 1, "sources must be a mapping"),
        ("sources: {}", 1, "at least one source"),
        ("source:\n  a: {kind: files}", 1, "did you mean sources?"),
        ("defaults: {}\nsources: {}", 1, "'defaults' is not known"),
        (
            "sources:\n  a:\n    kind: file",
            3,
            "allowed are database, demo, files, platform, python, rest, singer; did you mean files?",
        ),
        (
            "sources:\n  a:\n    tables: {}",
            2,
            "has no kind; allowed are database, demo, files, platform, python, rest, singer",
        ),
        ("sources:\n  a: {kind: platform}", 2, "is of the kind platform, which models know by that name alone"),
        ("sources:\n  platform: {kind: platform, tables: {}}", 2, "has tables, but the kind platform has its own"),
        ("sources:\n  a:\n    kind: files", 2, "sources.a has no tables"),
        ("sources:\n  a:\n    kind: files\n    tables: {}", 4, "sources.a.tables must be a mapping"),
        ("sources:\n  a:\n    kind: files\n    tables:\n      t: {key: id}", 5, "sources.a.tables.t has no path"),
        ("sources:\n  a:\n    kind: files\n    tables:\n      t:\n        pth: x", 6, "did you mean path?"),
        ("sources:\n  a:\n    kind: files\n    tables:\n      t:\n        path: 5", 6, "must be a path, a glob"),
        (
            "sources:\n  a:\n    kind: files\n    tables:\n      t:\n        path:\n          - x\n          - 5",
            8,
            "not 5",
        ),
        ("sources:\n  a:\n    kind: files\n    tables:\n      t: {path: x, format: xml}", 5, "csv, jsonl or parquet"),
        ("sources:\n  a:\n    kind: files\n    tables:\n      t: {path: x, delimiter: ab}", 5, "must be one character"),
        ("sources:\n  a:\n    kind: files\n    tables:\n      t: {path: []}", 5, "must not be empty"),
        ("sources:\n  a:\n    kind: files\n    tables:\n      T: {path: x}", 5, "is no usable name"),
        ("sources:\n  a__b:\n    kind: files", 2, "is no usable name"),
        (f"sources:\n  {'a' * 60}:\n    kind: files", 2, "allowed are 59"),
        ("sources:\n  a:\n    kind: files\n    schedule: hourly\n    tables: {t: {path: x}}", 4, "must be a cron line"),
        (
            "sources:\n  a:\n    kind: files\n    schedule: 99 99 * * *\n    tables: {t: {path: x}}",
            4,
            "minute (0-59), hour (0-23)",
        ),
        ("sources:\n  a:\n    kind: files\n    kind: demo", 4, "is there twice, first on line 3"),
        ("sources:\n  a:\n    kind: files\n   tables: {}", 4, "not valid YAML"),
        ("sources:\n  a: {kind: files, tables: {t: {path: '${NOT_SET}/x'}}}", 2, "NOT_SET, which is not set"),
        ("sources:\n  a: {kind: files, tables: {t: {path: '${NOT SET}'}}}", 2, "a variable is written"),
        ("sources:\n  a: {kind: demo, dataset: other}", 2, "must be saas_subscriptions or github_events"),
        ("sources:\n  a: {kind: demo, dataset: github_events, scale: 0}", 2, "from 1 to 100"),
        ("sources:\n  a: {kind: demo, dataset: github_events, tables: {}}", 2, "the kind demo makes its own"),
        ("sources:\n  a:\n    - kind: files", 2, "must be a mapping"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_what_is_allowed(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(DataInsightError) as caught:
        load(tmp_path, text)
    assert caught.value.message.startswith(f"{tmp_path / 'sources.yaml'}:{line}: ")
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_file_and_an_unknown_source_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataInsightError, match=r"there is no file .*nowhere\.yaml"):
        load_sources(tmp_path / "nowhere.yaml", tmp_path)
    sources = load(tmp_path, "sources:\n  shop: {kind: files, tables: {t: {path: x}}}")
    assert find_source(sources, "shop").name == "shop"
    with pytest.raises(DataInsightError, match="did you mean shop"):
        find_source(sources, "shp")


SECRET = "postgresql://me:not-to-be-seen-17@localhost/shop"


@pytest.mark.parametrize(
    "text",
    [
        "${TOLD}",
        "sources: ${TOLD}",
        "sources: ['${TOLD}']",
        "sources: {shop: '${TOLD}'}",
        "sources: {shop: {kind: '${TOLD}'}}",
        "sources: {shop: {kind: ['${TOLD}']}}",
        "sources: {shop: {kind: files, tables: '${TOLD}'}}",
        "sources: {shop: {kind: files, schedule: '${TOLD}', tables: {t: {path: x}}}}",
        "sources: {shop: {kind: files, tables: {t: {path: x, header: '${TOLD}'}}}}",
        "sources: {shop: {kind: files, tables: {t: {path: 'ftp://${TOLD}'}}}}",
        "sources: {shop: {kind: files, root: 'ftp://${TOLD}', tables: {t: {path: x}}}}",
        "sources: {shop: {kind: database, url: x, tables: {t: {lag: '${TOLD}', cursor: c}}}}",
        "sources: {shop: {kind: rest, catalog: '${TOLD}'}}",
    ],
)
@pytest.mark.parametrize("value", [SECRET, "not-to-be-seen-17"])
def test_a_mistake_does_not_say_what_a_variable_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, value: str
) -> None:
    monkeypatch.setenv("TOLD", value)
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    with pytest.raises(DataInsightError) as caught:
        load_sources(path, tmp_path)
    assert "not-to-be-seen" not in f"{caught.value} {caught.value!r} {caught.value.hint}"


def test_a_control_character_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(DataInsightError, match="this is not valid YAML"):
        load(tmp_path, "sources: \x01")


def test_whole_variables_of_one_source_are_no_secrets_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOLE", "europe")
    path = tmp_path / "sources.yaml"
    path.write_text(
        "sources:\n  a: {kind: singer, tap: tap-a, config: {x: '${WHOLE}'}, tables: {t: {}}}\n"
        "  b: {kind: singer, tap: tap-b, config: {x: europe}, tables: {t: {}}}\n"
    )
    a, b = load_sources(path, tmp_path)
    assert (secret_texts(a), secret_texts(b)) == ({"europe"}, set())
