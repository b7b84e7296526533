"""The platform's reports on itself: batches as they change, what their checks said, and the questions asked."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa

from tests.dbt_project.landings import account, event, land
from tests.dbt_project.project import Star

MARTS = ["fact_batches", "fact_metric_queries", "fact_quality_results"]
EVERYTHING = ("--select", *(f"+{name}" for name in MARTS))
AGAIN = ("--select", "path:models/staging/ops", "+int_organization_versions", "path:models/marts/operations")


def _check(name: str, status: str = "passed", **said: object) -> dict[str, object]:
    return {"name": name, "description": "A rule.", "severity": "row", "owner": "tests", "status": status, **said}


def _judge(star: Star, batch_id: int, status: str, *checks: dict[str, object]) -> None:
    with star.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                "update ops.batches set status = :status, checks = checks || cast(:checks as jsonb), admission_seq ="
                " case when :status = 'admitted' then coalesce(admission_seq, nextval('ops.admission_seq')) end"
                " where batch_id = :batch_id"
            ),
            {"status": status, "checks": json.dumps(checks), "batch_id": batch_id},
        )


def _ask(star: Star, organization: str | None = None, *, query_id: int | None = None, **said: object) -> None:
    given = {
        "asked_at": datetime(2026, 3, 1, tzinfo=UTC),
        "organization_id": organization,
        "metrics": ["mrr", "arr"],
        "group_by": [],
        "milliseconds": 12.5,
        "outcome": "answered",
        **({} if query_id is None else {"query_id": query_id}),
        **said,
    }
    with star.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                f"insert into ops.metric_queries ({', '.join(given)}) overriding system value"
                f" values ({', '.join(f':{name}' for name in given)})"
            ),
            given,
        )


def _statuses(star: Star) -> list[tuple[object, ...]]:
    return star.rows("select batch_id, status, pruned_count, admission_number from marts.fact_batches order by 1")


def test_changes_of_batches_are_seen_and_end_where_a_full_refresh_does(star: Star) -> None:
    waits = land(star.warehouse, "saas.accounts", [account("acme")], status="landed")
    admitted = land(star.warehouse, "github.events", [event(1)])
    refused = land(star.warehouse, "github.events", [event(2)], status="refused")
    _judge(star, admitted, "admitted", _check("id_present"), _check("known", "warned", failed_rows=2, detail="new"))
    _judge(star, refused, "refused", _check("readable", "failed", severity="batch"))
    _ask(star, "acme", admission_seq=1, row_count=3, is_cache_hit=False, door="http", principal="key:1")
    _ask(star, query_id=7, outcome="failed", kind="explain")

    star.build(*EVERYTHING)
    assert _statuses(star) == [(waits, "landed", 0, None), (admitted, "admitted", 0, 1), (refused, "refused", 0, None)]
    assert star.rows(
        "select batch_id, check_number, check_name, severity, outcome, failed_rows, detail"
        " from marts.fact_quality_results order by 1, 2"
    ) == [
        (admitted, 1, "id_present", "row", "passed", 0, None),
        (admitted, 2, "known", "row", "warned", 2, "new"),
        (refused, 1, "readable", "batch", "failed", 0, None),
    ]
    assert star.rows(
        "select kind, organization_id, organization_key is null, metric_names, group_by_names, outcome, row_count,"
        " door, principal from marts.fact_metric_queries order by query_id"
    ) == [
        ("query", "acme", False, "mrr, arr", "", "answered", 3, "http", "key:1"),
        ("explain", "(operator)", True, "mrr, arr", "", "failed", None, "command", None),
    ]

    contents, storage = {name: star.contents()[name] for name in MARTS}, star.storage(MARTS)
    star.build_again(*AGAIN)
    assert star.storage(MARTS) == storage
    assert {name: star.contents()[name] for name in MARTS} == contents

    # Judged after later ones; retention; a question whose number was given before the last build and seen after it.
    _judge(star, waits, "admitted", _check("account_id_present"))
    star.execute(f"update ops.batches set pruned_count = 5 where batch_id = {admitted}")
    later = land(star.warehouse, "saas.accounts", [account("globex")], status="landed")
    _judge(star, later, "refused", _check("most_rows_are_sound", "failed", severity="batch", failed_rows=1))
    _ask(star, "globex", query_id=6)

    star.build_again(*AGAIN)
    assert _statuses(star) == [
        (waits, "admitted", 0, 2),
        (admitted, "admitted", 5, 1),
        (refused, "refused", 0, None),
        (later, "refused", 0, None),
    ]
    assert star.rows("select query_id from marts.fact_metric_queries order by 1") == [(1,), (6,), (7,)]
    assert star.rows("select batch_id, count(*) from marts.fact_quality_results group by 1 order by 1") == [
        (waits, 1),
        (admitted, 2),
        (refused, 1),
        (later, 1),
    ]

    contents = {name: star.contents()[name] for name in MARTS}
    star.build_again(*AGAIN, "--full-refresh")
    assert {name: star.contents()[name] for name in MARTS} == contents
