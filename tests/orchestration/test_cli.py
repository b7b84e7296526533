"""The command line's manners: codes, one line for an error, JSON that is only JSON."""

import pytest

from tests.support import Platform


def test_a_usage_error_ends_with_2(platform: Platform) -> None:
    assert platform("run", "--nonsense").returncode == 2
    assert platform("batches", "show", "one").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["build", "--bogus"], "No such option '--bogus'"),
        (["build", "--threads", "x"], "--threads x: 'x' is not a valid integer"),
        (["run-operation"], "an argument is missing"),
    ],
)
def test_what_dbt_does_not_know_is_said_and_ends_with_2(platform: Platform, arguments: list[str], words: str) -> None:
    done = platform("dbt", *arguments)
    assert done.returncode == 2
    # The lines of a usage error are folded in a box.
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], []])
def test_help_of_dbt_is_no_error(platform: Platform, arguments: list[str]) -> None:
    done = platform("dbt", *arguments)
    assert done.returncode == 0
    assert "dbt" in done.stdout
    assert done.stderr == ""


def test_what_dbt_cannot_do_is_one_line_after_its_own_words(platform: Platform) -> None:
    done = platform("dbt", "ls", "--select", "state:modified")
    assert done.returncode == 1
    assert "Encountered an error" in done.stdout
    error, hint = done.stderr.splitlines()
    assert error == "error: dbt ls: Got a state selector method, but no comparison manifest"
    assert hint.startswith("hint: ")


def test_a_state_that_never_was_is_one_line(ran: Platform) -> None:
    done = ran("dbt", "build", "--vars", "as_of: yesterday")
    assert done.returncode == 1
    assert done.stdout.count("as_of: yesterday") == 1
    assert "called by macro" not in done.stdout
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: dbt build: as_of: yesterday is no published snapshot; say a number, 1 to 1, or a ")
    assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["batches", "show", "99"], "there is no batch 99"),
        (["metrics", "query", "mrr"], "nothing"),
        (["sources", "check", "nowhere"], "no such source: 'nowhere'"),
        (["metrics", "query", "mrr", "--where", "country"], "is not a condition"),
        (["metrics", "query", "mrr", "--top", "country"], "is not dimension:metric:number"),
        (["metrics", "query", "mrr", "--compare", "previous_year"], "compare needs a time_range"),
        (["metrics", "query", "mrr", "--fill", "one"], "fill: Input should be 'null' or 'zero'"),
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
