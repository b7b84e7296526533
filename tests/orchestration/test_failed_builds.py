"""What a user is told when a build fails."""

import pytest

from orchestration.assets.models import _complaint, _hint
from orchestration.outcome import BuildOutcome, NodeOutcome

OUT_OF_SYNC = "The source and target schemas on this incremental model are out of sync!\n They can be reconciled"


def _failed(message: str) -> BuildOutcome:
    return BuildOutcome([NodeOutcome("model.datainsight.dim_features", "error", 0.1, message, None)])


@pytest.mark.parametrize("message", [OUT_OF_SYNC, "each EXCEPT query must have the same number of columns"])
def test_a_table_of_an_older_version_is_made_anew_by_a_full_refresh(message: str) -> None:
    assert "datainsight run --full-refresh" in _hint(_failed(message))


def test_any_other_failure_says_that_nothing_was_published() -> None:
    outcome = _failed("division by zero")
    assert _complaint(outcome) == "dbt model dim_features failed: division by zero"
    assert _hint(outcome) == "nothing was published; what stood before keeps serving"
