"""What the command answers is told without what is nobody's business."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from serving.datasources.commands import outcome_of, places_of

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


def _told(said: str, url: sa.URL) -> str:
    found = outcome_of("sync", 1, json.dumps({"error": said, "hint": None}).encode(), places_of(url))
    assert found.result is not None
    return str(found.result["detail"])


@pytest.mark.parametrize("place", ["db.internal:6432/lake?sslmode=require", "[::1]:5432/lake", "10.1.2.3/lake"])
def test_where_the_platforms_own_database_is_is_not_told(place: str) -> None:
    url = sa.make_url(f"postgresql+psycopg2://owner:pl%40tform-secret@{place}")
    host, port = url.host, url.port or 5432
    shown, whole = (url.render_as_string(hide_password=hidden) for hidden in (True, False))
    for said in (
        f"the database {shown} cannot be reached: refused",
        f"the database {shown.replace('+psycopg2', '')} cannot be reached: refused",
        f"{whole}: refused",
        f"{whole.replace('+psycopg2', '')}: refused",
        f'connection to server at "{host}" (10.9.8.7), port {port} failed: refused',
        f'connection to server at "{host}", port {port} failed: refused',
        f"at {host}:{port}/lake: refused",
        f"at {host}:{port}, with pl@tform-secret: refused",
    ):
        told = _told(said, url)
        assert told.endswith("refused")
        assert [word for word in (str(host), str(port), "lake", "owner", "tform", "10.9.8.7") if word in told] == []


def test_where_an_organizations_own_database_is_is_told() -> None:
    said = 'connection to server at "db.example.com" (93.184.216.34), port 5432 failed: refused'
    assert _told(said, sa.make_url("postgresql+psycopg2://owner:secret@127.0.0.1:5432/lake")) == said


@pytest.mark.parametrize("answer", [b"", b"Traceback hunter2", b"[1]", b"\xff"])
def test_no_answer_is_a_failure(answer: bytes) -> None:
    status, result = _outcome("discover", 3, answer)
    assert (status, result and result["detail"]) == ("failed", "the command ended with code 3 and without an answer")
