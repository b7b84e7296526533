"""What the recipes tell a reader to do works, and prints what they say."""

from pathlib import Path

import pytest

from tests.bi.conftest import Tenant
from tests.bi.recipes import RECIPES, Reader, read_blocks
from tests.support import Platform

# What a page needs and the lock does not bring: files of Debian's packages.
NEEDS = {
    "jdbc.md": {"usr/bin/javac": "default-jdk-headless", "usr/share/java/postgresql.jar": "libpostgresql-jdbc-java"},
    "odbc.md": {"usr/bin/isql": "unixodbc", "usr/lib/*/odbc/psqlodbcw.so": "odbc-postgresql"},
}

PAGES = sorted(page for page in RECIPES.glob("*.md") if read_blocks(page))


def test_there_are_recipes_to_follow() -> None:
    assert {"psql.md", "pandas.md", "duckdb.md", "jdbc.md", "odbc.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_recipe_does_what_it_says(
    page: Path, platform: Platform, tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = [package for file, package in NEEDS.get(page.name, {}).items() if not any(Path("/").glob(file))]
    assert not missing, f"not installed: apt-get install --no-install-recommends {' '.join(missing)} (Debian)"
    given = {"WAREHOUSE_URL": tenant.url, "METRIC_STORE": f"{platform.environment['DATAINSIGHT_HOME']}/metric_store"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    Reader(tmp_path, given).follow(read_blocks(page))
