"""What a question may cost."""

import pytest

from serving.engine import Engine
from tests.serving.conftest import Store
from warehouse.errors import DataInsightError


def test_a_question_that_takes_too_long_is_ended_and_the_next_is_answered(published: Store) -> None:
    engine = Engine(published.settings.model_copy(update={"query_seconds": 1}))
    opened = engine.open(published.latest())
    with pytest.raises(DataInsightError, match="longer than 1 s"):
        opened.run("select count(*) from range(100000000) as a(x), range(100000) as b(y) where x * y % 7 = 1")
    assert opened.run("select 1 as one").to_pylist() == [{"one": 1}]
    engine.close()


def test_what_is_known_of_files_is_kept_for_every_statement(published: Store) -> None:
    engine = Engine(published.settings)
    told = engine.open(published.latest()).run(
        "select name, value from duckdb_settings()"
        " where name in ('parquet_metadata_cache', 'validate_external_file_cache') order by name"
    )
    assert told.to_pylist() == [
        {"name": "parquet_metadata_cache", "value": "true"},
        {"name": "validate_external_file_cache", "value": "NO_VALIDATION"},
    ]
    engine.close()
