"""What the command answers is told without what is nobody's business."""

import json
from typing import Any

import pytest

from serving.datasources.commands import outcome_of

HIDDEN = {"hunter2": "***", "/srv/home/uploads/acme/ds_1/": "", "/srv/home": ""}


def _outcome(what: str, code: int, answer: Any) -> tuple[str, dict[str, Any] | None]:
    text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    found = outcome_of(what, code, text, HIDDEN)
    return found.status, found.result


def test_findings_of_a_check_are_its_result_whatever_they_are() -> None:
    tables = [{"table_name": "orders", "ok": False, "problem": "password hunter2 is wrong"}]
    told = [{"table_name": "orders", "ok": False, "problem": "password *** is wrong"}]
    assert _outcome("check", 1, {"tables": tables}) == ("succeeded", {"tables": told})


def test_an_error_is_told_without_secrets_and_paths() -> None:
    error = {"error": "/srv/home/uploads/acme/ds_1/orders/a.csv: hunter2\0", "hint": "see /srv/home"}
    told = {"detail": "orders/a.csv: ***\N{REPLACEMENT CHARACTER}", "hint": "see "}
    assert _outcome("check", 1, error) == ("failed", told)


def test_a_sync_tells_of_its_own_batches_and_of_nothing_else() -> None:
    batch = {"batch_id": 1, "table_name": "t", "status": "admitted", "row_count": 2, "quarantined_count": 0}
    answer = {
        "run_id": "r",
        "rows_landed": 2,
        "rows_quarantined": 0,
        "batches": [{**batch, "origin": [{"path": "/srv"}]}],
        "notes": [],
        "models": 3,
        "snapshot": {"snapshot_id": 1},
        "stages": [],
        "seconds": 1.5,
    }
    told = {"rows_landed": 2, "rows_quarantined": 0, "batches": [batch], "notes": [], "seconds": 1.5}
    assert _outcome("sync", 0, answer) == ("succeeded", told)
    refused = {**answer, "error": "batch 1 of ds_1.t was refused: no key", "hint": None}
    assert _outcome("sync", 1, refused) == (
        "failed",
        {"detail": "batch 1 of ds_1.t was refused: no key", "hint": None, **told},
    )


@pytest.mark.parametrize("answer", [b"", b"Traceback hunter2", b"[1]", b"\xff"])
def test_no_answer_is_a_failure(answer: bytes) -> None:
    status, result = _outcome("discover", 3, answer)
    assert (status, result and result["detail"]) == ("failed", "the command ended with code 3 and without an answer")
