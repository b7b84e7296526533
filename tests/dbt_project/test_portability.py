"""Every model is made for PostgreSQL, Redshift and Spark without a connection, and each engine's grammar has it."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.tokens import TokenType

from tests.dbt_project.portable import Portable, Statement
from tests.dbt_project.project import PROJECT, Project, Star

ENGINES = ("postgres", "redshift", "spark")

# Functions that sqlglot does not know of an engine and that the engine has.
KNOWN_FUNCTIONS = {
    "postgres": {"parse_date", "parse_timestamp", "parse_number", "parse_boolean", "jsonb_array_elements_text"},
    "redshift": {"json_serialize"},
    "spark": {"assert_true"},
}

# What sqlglot reads in every dialect, though the engine itself does not.
NOT_ON_REDSHIFT = r"distinct on|filter \( where|generate_series|lateral(?! view)|string_agg|array_agg|isodow|jsonb?"
FOREIGN = {
    "postgres": r"rlike|get_json_object|`",
    "redshift": rf"{NOT_ON_REDSHIFT}|rlike|`|text",
    "spark": rf"{NOT_ON_REDSHIFT}|::|to_char|~|at time zone|with time zone|timestamptz|double precision|as text",
}

TEXTS = {
    "parse_date": """2024-02-29 2023-02-29 1900-02-29 2000-02-29 2024-04-31 0000-01-01 2024-1-1 31-12-2024 31-02-2024
        2024-12-31T23:59:59Z 2024-12-31T24:00 nothing""",
    "parse_timestamp": """2024-02-29 2023-02-29 2024-12-31T23:59:59Z 2024-12-31T23:59:59+05:30
        2024-12-31T23:59:59.123456 2024-12-31T23:59-0800 2024-12-31T23:60 31-12-2024 31-02-2024 nothing""",
    "parse_number": "1 -1.50 +.5 1. 1e3 1.5E-2 1e1 e5 1,5 0x1 NaN infinity 12345678901234567890.5 . - nothing",
    "parse_boolean": "true T yes Y 1 false F no N 0 2 maybe",
}
SPACED_TEXTS = [
    " 2024-02-29 ",
    "31-12-2024 10:30",
    "2024-12-31 10:30 UTC",
    "2024-12-31 10:30:00 +01",
    "",
    "  ",
    "9" * 101,
]


@pytest.fixture(scope="module")
def portable(tmp_path_factory: pytest.TempPathFactory) -> Portable:
    return Portable(tmp_path_factory.mktemp("portable"))


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def added(portable: Portable, engine: str) -> list[Statement]:
    """The statements that add to tables that are there."""
    return portable.compile(engine)


@pytest.fixture(scope="module")
def first(portable: Portable, engine: str) -> list[Statement]:
    """The statements that make every table anew."""
    return portable.compile(engine, "--full-refresh")


def test_every_model_and_data_test_is_made(added: list[Statement], first: list[Statement], project: Project) -> None:
    nodes = project.artifact("manifest.json")["nodes"].values()
    expected = {node["name"] for node in nodes if node["resource_type"] in ("model", "test")}

    assert {statement.name for statement in added} == {statement.name for statement in first} == expected


def test_what_only_adds_is_made_in_both_forms(added: list[Statement], first: list[Statement], project: Project) -> None:
    nodes = project.artifact("manifest.json")["nodes"].values()
    asking = {node["name"] for node in nodes if re.search(r"is_incremental\(\)|not_yet_in\(", node.get("raw_code", ""))}
    whole = {statement.name: statement.sql for statement in first}

    assert asking
    assert asking <= {statement.name for statement in added if statement.sql != whole[statement.name]}


def test_the_grammar_of_the_engine_has_every_statement(
    engine: str, added: list[Statement], first: list[Statement]
) -> None:
    problems = [
        f"{statement.name}: {problem}" for statement in added + first for problem in problems_of(statement.sql, engine)
    ]
    assert not problems, "\n".join(problems)


def test_no_macro_for_postgresql_alone_reaches_redshift() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(PROJECT, "macros").rglob("*.sql"))
    names = {engine: set(re.findall(rf"macro {engine}__(\w+)", source)) for engine in ENGINES}

    # Both say it in the same words.
    assert names["postgres"] - {"utc_date"} <= names["redshift"]


@pytest.mark.parametrize("macro", TEXTS)
def test_the_rules_written_out_read_what_the_functions_of_the_ledger_read(
    macro: str, portable: Portable, star: Star
) -> None:
    # Redshift's words are PostgreSQL's too, so PostgreSQL can say whether both mean the same.
    compared = f"select said, ops.{macro}(said) as expected, {{{{ {macro}('said') }}}} as found"
    (statement,) = portable.compile("redshift", "--inline", f"{compared} from unnest(cast(:texts as text[])) as said")
    with star.warehouse.engine().connect() as connection:
        texts = {"texts": [*TEXTS[macro].split(), *SPACED_TEXTS]}
        rows = connection.execute(sa.text(statement.sql), texts).all()
    differing = [row for row in rows if row.expected != row.found]

    assert any(row.expected is not None for row in rows)
    assert differing == []


def problems_of(sql: str, engine: str) -> list[str]:
    """What speaks against a statement on an engine."""
    try:
        trees = sqlglot.parse(sql, dialect=engine, error_level=ErrorLevel.RAISE)
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            return [f"not one query but {[type(tree).__name__ for tree in trees]}"]
        trees[0].sql(dialect=engine, unsupported_level=ErrorLevel.RAISE)
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        return [str(error).splitlines()[0]]
    unknown = {call.name.lower() for call in trees[0].find_all(exp.Anonymous)} - KNOWN_FUNCTIONS[engine]
    tokens = sqlglot.tokenize(sql, dialect=engine)
    bare = " ".join(token.text for token in tokens if token.token_type is not TokenType.STRING)
    foreign = re.findall(rf"(?<!\w)(?:{FOREIGN[engine]})(?!\w)", bare, flags=re.IGNORECASE)
    # A quoted name is a text for Spark.
    quoted = [t.text for t in tokens if sql[t.start] == '"'] if engine == "spark" else []
    return [f"unknown function {name}" for name in unknown] + [f"not of {engine}: {word}" for word in foreign + quoted]
