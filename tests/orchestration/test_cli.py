"""The command line's manners: codes, one line for an error, JSON that is only JSON."""

import pytest

from tests.support import Platform


def test_a_usage_error_ends_with_2(platform: Platform) -> None:
    assert platform("run", "--nonsense").returncode == 2
    assert platform("batches", "show", "one").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["batches", "show", "99"], "there is no batch 99"),
        (["metrics", "query", "mrr"], "nothing"),
        (["sources", "check", "nowhere"], "no such source: 'nowhere'"),
        (["metrics", "query", "mrr", "--where", "country"], "is not a condition"),
        (["warehouse", "stop"], "not ours to start or stop"),
        (["dbt", "ls", "--vars=as_of"], "--vars 'as_of' is no set of variables"),
    ],
)
def test_an_error_is_one_line_and_ends_with_1(platform: Platform, arguments: list[str], words: str) -> None:
    done = platform(*arguments)
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert words in first
    assert all(line.startswith("hint: ") for line in rest)
    assert done.stdout == ""


def test_debug_shows_the_traceback(platform: Platform) -> None:
    assert "Traceback" in platform("batches", "show", "99", "--debug").stderr


def test_a_mistake_in_sources_names_file_and_line(platform: Platform) -> None:
    sources = platform.folder / "sources.yaml"
    sources.write_text("sources:\n  saas:\n    kind: flies\n")
    done = platform("run")
    assert done.returncode == 1
    assert "sources.yaml" in done.stderr
    assert "files" in done.stderr
    assert "line 3" in done.stderr or ":3" in done.stderr


def test_an_unknown_setting_stops_every_command(platform: Platform) -> None:
    platform.environment["DATAINSIGHT_HOEM"] = "/nowhere"
    done = platform("batches", "list")
    assert done.returncode == 1
    assert "DATAINSIGHT_HOEM" in done.stderr


def test_listings_before_the_first_run_are_empty(platform: Platform) -> None:
    assert platform.json("batches", "list") == {"batches": []}
    assert platform.json("quarantine", "list") == {"quarantine": []}
    assert [source["source"] for source in platform.json("sources", "list")["sources"]] == ["saas", "github"]


def test_sources_can_be_checked_and_discovered(platform: Platform) -> None:
    checked = platform.json("sources", "check", "saas")["tables"]
    first = checked[0]
    assert (first["table_name"], first["files"], first["problem"]) == ("accounts", 1, None)
    discovered = {
        table["table_name"]: table["columns"] for table in platform.json("sources", "discover", "github")["tables"]
    }
    assert "actor" in discovered["events"]


def test_the_url_reaches_the_database(platform: Platform) -> None:
    assert platform.json("warehouse", "url")["url"].startswith("postgresql://datainsight:")
    assert platform("warehouse", "psql", "-c", "select 1 as one").returncode == 0
