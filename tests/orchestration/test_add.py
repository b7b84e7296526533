"""`sources add`: looked at first, written with what it proposes, never with a secret; and what it cannot do is said."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import Platform

SECRET = "not-to-be-seen-17"


@pytest.fixture
def shop_database(tmp_path: Path) -> Path:
    """An SQLite database of two tables."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table orders (order_id integer primary key, total real, updated_at timestamp)")
        connection.execute("insert into orders values (1, 2.5, '2024-01-01 10:00:00')")
        connection.execute("create table lines (order_id integer, line integer, primary key (order_id, line))")
    connection.close()
    return path


def configured(platform: Platform) -> dict[str, Any]:
    text = (platform.folder / "sources.yaml").read_text()
    return dict(yaml.safe_load(text)["sources"])


@pytest.mark.usefixtures("shop_database")
def test_a_database_is_written_with_keys_and_cursors_and_comments_stay(platform: Platform) -> None:
    sources = platform.folder / "sources.yaml"
    sources.write_text(f"# ours\n{sources.read_text().lstrip()}# the end\n")
    done = platform("sources", "add", "shop", "--url", "sqlite:///shop.db", "--schedule", "0 6 * * *")
    assert done.returncode == 0, done.stderr
    assert configured(platform)["shop"] == {
        "kind": "database",
        "url": "sqlite:///shop.db",
        "schedule": "0 6 * * *",
        "tables": {"lines": {"key": ["order_id", "line"]}, "orders": {"key": "order_id", "cursor": "updated_at"}},
    }
    assert sources.read_text().startswith("# ours\n")
    assert "# the end" in sources.read_text()
    assert list(configured(platform)) == ["saas", "github", "shop"]
    tables = {table["table_name"]: table for table in platform.json("sources", "discover", "shop")["tables"]}
    assert tables["orders"]["columns"] == ["order_id", "total", "updated_at"]
    assert platform("sources", "check", "shop").returncode == 0


def test_the_events_that_are_reported_to_the_platform_are_a_source_without_anything_to_say(platform: Platform) -> None:
    added = platform.json("sources", "add", "platform", "--kind", "platform")
    assert [table["table_name"] for table in added["tables"]] == ["events"]
    assert configured(platform)["platform"] == {"kind": "platform"}
    assert platform("sources", "check", "platform").returncode == 0
    named = platform("sources", "add", "reported", "--kind", "platform")
    assert (named.returncode, "by that name alone" in named.stderr) == (1, True)


@pytest.mark.usefixtures("shop_database")
def test_only_the_tables_that_are_wanted(platform: Platform) -> None:
    added = platform.json("sources", "add", "shop", "--url", "sqlite:///shop.db", "--table", "orders")
    assert [table["table_name"] for table in added["tables"]] == ["orders"]
    assert list(configured(platform)["shop"]["tables"]) == ["orders"]
    done = platform("sources", "add", "more", "--url", "sqlite:///shop.db", "--table", "orderz")
    assert "source more has no table orderz; it has lines, orders" in done.stderr


def test_files_keep_the_path_as_it_was_said(platform: Platform) -> None:
    platform.json("sources", "add", "people", "--path", "data/accounts_*.csv")
    table = configured(platform)["people"]["tables"]["people"]
    assert (table["path"], table["key"], table["delimiter"]) == ("data/accounts_*.csv", "account_id", ",")


def test_a_folder_is_looked_through(platform: Platform) -> None:
    added = platform.json("sources", "add", "company", "--path", "data")
    assert {"accounts", "subscriptions"} <= {table["table_name"] for table in added["tables"]}
    assert configured(platform)["company"]["root"] == "data"
    assert configured(platform)["company"]["tables"]["accounts"]["key"] == "account_id"


def test_the_file_need_not_be_there(platform: Platform) -> None:
    sources = platform.folder / "sources.yaml"
    sources.unlink()
    platform.json("sources", "add", "people", "--path", "data/accounts_*.csv")
    assert list(configured(platform)) == ["people"]


def test_a_secret_in_the_clear_is_not_written(platform: Platform) -> None:
    before = (platform.folder / "sources.yaml").read_text()
    done = platform("sources", "add", "shop", "--url", f"postgresql://me:{SECRET}@127.0.0.1:1/shop")
    assert done.returncode == 1
    assert "hold a secret in the clear" in done.stderr
    assert "${NAME}" in done.stderr
    assert (platform.folder / "sources.yaml").read_text() == before


def test_what_cannot_be_reached_is_not_written_and_its_password_not_shown(platform: Platform) -> None:
    platform.environment["SHOP_PASSWORD"] = SECRET
    before = (platform.folder / "sources.yaml").read_text()
    done = platform("sources", "add", "shop", "--url", "postgresql://me:${SHOP_PASSWORD}@127.0.0.1:1/shop")
    assert done.returncode == 1
    assert "127.0.0.1:1/shop cannot be reached" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert (platform.folder / "sources.yaml").read_text() == before


def test_a_variable_may_stand_in_a_dot_env_file(platform: Platform, shop_database: Path) -> None:
    (platform.folder / ".env").write_text(f"SHOP_URL=sqlite:///{shop_database}\n")
    platform.json("sources", "add", "shop", "--kind", "database", "--url", "${SHOP_URL}")
    assert configured(platform)["shop"]["url"] == "${SHOP_URL}"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["saas", "--path", "data/accounts_1.csv"], 1, "there is a source saas already"),
        (["shop"], 2, "say which: one of"),
        (["shop", "--kind", "carrier-pigeon"], 2, "'carrier-pigeon' is not known"),
        (["shop", "--kind", "database"], 2, "the kind database needs it"),
        (["shop", "--kind", "files", "--path", "x", "--set", "key"], 2, "'key' is not KEY=VALUE"),
        (["Shop!", "--path", "data/accounts_1.csv"], 1, "is no usable name"),
        (["people", "--path", "data/nothing.csv"], 1, "there is no file"),
        (["people", "--path", "data/accounts_1.csv", "--set", "colour=red"], 1, "'colour' is not known"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    platform: Platform, arguments: list[str], code: int, words: str
) -> None:
    before = (platform.folder / "sources.yaml").read_text()
    done = platform("sources", "add", *arguments)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert (platform.folder / "sources.yaml").read_text() == before


def test_a_secret_of_several_lines_in_the_clear_is_not_written(platform: Platform) -> None:
    before = (platform.folder / "sources.yaml").read_text()
    key = r'config.private_key="-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----"'
    done = platform("sources", "add", "crm", "--tap", "./tap", "--set", key)
    assert done.returncode == 1
    assert "hold a secret in the clear" in done.stderr
    assert "MIIEvQIBADANBg" not in done.stdout + done.stderr
    assert (platform.folder / "sources.yaml").read_text() == before


@pytest.mark.usefixtures("shop_database")
def test_other_sources_need_not_have_their_variables(platform: Platform) -> None:
    sources = platform.folder / "sources.yaml"
    sources.write_text(sources.read_text() + '  b1: {kind: database, url: "${NOT_SET}", tables: {t: {}}}\n')
    platform.json("sources", "add", "b2", "--url", "sqlite:///shop.db")
    assert configured(platform)["b1"]["url"] == "${NOT_SET}"
    done = platform("sources", "add", "b3", "--url", "${NOT_SET_EITHER}", "--kind", "database")
    assert "source b3: url needs the environment variable NOT_SET_EITHER" in done.stderr


def test_what_is_wrong_names_the_setting_and_no_line(platform: Platform) -> None:
    done = platform("sources", "add", "people", "--path", "data/accounts_1.csv", "--set", "colour=red")
    assert "error: source people: colour 'colour' is not known; allowed are" in done.stderr
    assert "sources.yaml:" not in done.stderr


def test_what_cannot_be_read_is_said_with_its_table(platform: Platform) -> None:
    done = platform(
        "sources", "add", "people", "--path", "data/none.csv", "--set", "tables.more.path=data/nothing.csv"
    )  # fmt: skip
    assert "source people: people: there is no file" in done.stderr
    assert "; more: there is no file" in done.stderr


@pytest.mark.parametrize("setting", [f"parameters.api_key=[{SECRET}", f"path.under={SECRET}"])
def test_a_setting_that_cannot_be_read_is_not_repeated(platform: Platform, setting: str) -> None:
    more = ["--set", "path=x"] if setting.startswith("path") else []
    done = platform("sources", "add", "crm", "--kind", "singer", "--tap", "tap-crm", *more, "--set", setting)
    assert done.returncode in {1, 2}
    assert SECRET not in done.stdout + done.stderr


def test_a_file_that_is_no_yaml_is_said_with_its_line(platform: Platform) -> None:
    (platform.folder / "sources.yaml").write_text("sources:\n  a: {kind: files\n  b: [")
    done = platform("sources", "add", "people", "--path", "data/accounts_1.csv")
    assert done.returncode == 1
    assert "sources.yaml:3: this is not valid YAML" in done.stderr
