"""What an answer says about what it stands on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from serving.metrics import Metrics
from tests.serving.conftest import Asking, Store

LANDED = datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(store: Store) -> Any:
    """Writes batches into the ledger."""
    numbers = iter(range(1, 100))

    def batch(
        table: str,
        status: str,
        *,
        source: str = "saas",
        paths: tuple[str, ...] = (),
        checks: str = "[]",
        quarantined: int = 0,
    ) -> int:
        n = next(numbers)
        with store.warehouse.engine().begin() as connection:
            batch_id: int = connection.execute(
                sa.text(
                    "insert into ops.batches (source, table_name, load_id, landed_at, row_count, status, checks,"
                    " admission_seq) values"
                    " (:source, :table, :load, :landed, 10, :status, cast(:checks as jsonb), :seq) returning batch_id"
                ),
                {
                    "source": source,
                    "table": table,
                    "load": str(n),
                    "landed": LANDED + timedelta(hours=n),
                    "status": status,
                    "checks": checks,
                    "seq": n if status == "admitted" else None,
                },
            ).scalar_one()
            for path in paths:
                connection.execute(
                    sa.text(
                        "insert into ops.files (batch_id, path, size_bytes, modified_at, content_hash, row_count)"
                        " values (:batch, :path, 1, now(), 'h', 1)"
                    ),
                    {"batch": batch_id, "path": path},
                )
            for row in range(quarantined):
                connection.execute(
                    sa.text(
                        "insert into ops.quarantine (batch_id, row_id, payload, failed_rules)"
                        " values (:batch, :row, '{}', '{rule}')"
                    ),
                    {"batch": batch_id, "row": row},
                )
        return batch_id

    return batch


def test_it_counts_what_the_metric_stands_on(store: Store, ask: Asking, ledger: Any) -> None:
    checks = '[{"name": "a", "status": "passed"}, {"name": "b", "status": "warned"}]'
    ledger("churn_events", "admitted", checks=checks, quarantined=2)
    ledger("support_tickets", "admitted", checks='[{"name": "c", "status": "failed"}]', quarantined=5)
    ledger("churn_events", "landed", quarantined=1)
    store.publish()

    trust = ask.answer("churn_events")["trust"]

    assert trust["checks"] == {"passed": 7 + 1, "warned": 1 + 1, "failed": 0}
    assert trust["quarantined_rows"] == 2
    assert trust["refused_batches"] == 0
    assert trust["as_of"] == (LANDED + timedelta(hours=1)).isoformat()
    assert trust["freshness_seconds"] > 0
    assert trust["snapshot_id"] == store.latest().snapshot_id
    assert trust["definition_version"] == store.latest().definition_version
    assert ask.answer("tickets_opened")["trust"]["quarantined_rows"] == 5


def test_rows_that_were_put_back_are_missing_no_more(store: Store, ask: Asking, ledger: Any) -> None:
    broken = ledger("churn_events", "admitted", quarantined=3)
    store.publish()
    assert ask.answer("churn_events")["trust"]["quarantined_rows"] == 3

    with store.warehouse.engine().begin() as connection:
        connection.execute(
            sa.text("update ops.quarantine set resolved_by_batch_id = :batch where row_id = 0"), {"batch": broken}
        )
    # The rows of the answer come from memory, what is said about them does not.
    answer = ask.answer("churn_events")
    assert (answer["timing"]["cache"], answer["trust"]["quarantined_rows"]) == ("hit", 2)


def test_a_refused_batch_counts_until_its_files_are_admitted(store: Store, ask: Asking, ledger: Any) -> None:
    ledger("churn_events", "refused", paths=("a.csv", "b.csv"))
    store.publish("first")
    assert ask.answer("churn_events")["trust"]["refused_batches"] == 1
    assert ask.answer("tickets_opened")["trust"]["refused_batches"] == 0

    ledger("churn_events", "admitted", paths=("a.csv",))
    store.publish("second")
    assert ask.answer("churn_events")["trust"]["refused_batches"] == 1

    ledger("churn_events", "admitted", paths=("b.csv", "c.csv"))
    assert ask.answer("churn_events")["trust"]["refused_batches"] == 1
    store.publish("third")
    assert ask.answer("churn_events")["trust"]["refused_batches"] == 0


def test_what_no_mart_stands_on_is_in_nobody_s_answer(store: Store, ask: Asking, ledger: Any) -> None:
    store.publish()
    before = ask.metrics.standing().version
    ledger("orders", "refused", source="ds_0f8d2a50")
    assert ask.metrics.standing().version == before
    ledger("churn_events", "refused")
    assert ask.metrics.standing().version != before


def test_what_was_admitted_after_the_snapshot_is_not_in_it(store: Store, ask: Asking, ledger: Any) -> None:
    ledger("churn_events", "admitted")
    store.publish()
    ledger("churn_events", "admitted", quarantined=4)

    trust = ask.answer("churn_events")["trust"]

    assert trust["as_of"] == (LANDED + timedelta(hours=1)).isoformat()
    assert trust["quarantined_rows"] == 0


def test_without_batches_the_snapshot_itself_says_when(store: Store, ask: Asking) -> None:
    published = store.publish()

    trust = ask.answer("mrr")["trust"]

    assert trust["as_of"] == published.published_at.astimezone(UTC).isoformat()
    assert (trust["quarantined_rows"], trust["refused_batches"]) == (0, 0)


def test_a_row_check_that_failed_has_warned_and_a_refusal_has_failed(store: Store, ask: Asking, ledger: Any) -> None:
    set_aside = '[{"name": "a", "status": "failed", "severity": "row"}]'
    refused = '[{"name": "b", "status": "failed", "severity": "batch"}, {"name": "c", "status": "passed"}]'
    ledger("churn_events", "admitted", checks=set_aside)
    ledger("churn_events", "refused", paths=("a.csv",), checks=refused)
    store.publish(checks={})
    assert ask.answer("churn_events")["trust"]["checks"] == {"passed": 1, "warned": 1, "failed": 1}

    # A refusal after the snapshot is known at once, also beside an answer from memory.
    ledger("churn_events", "refused", paths=("b.csv",), checks=refused)
    answer = ask.answer("churn_events")
    assert answer["timing"]["cache"] == "hit"
    assert answer["trust"]["checks"] == {"passed": 2, "warned": 1, "failed": 2}
    assert answer["trust"]["refused_batches"] == 2

    ledger("churn_events", "admitted", paths=("a.csv", "b.csv"))
    store.publish("another build", checks={})
    assert ask.answer("churn_events")["trust"]["checks"] == {"passed": 0, "warned": 1, "failed": 0}


def test_one_process_says_over_many_snapshots_what_a_new_one_says(store: Store, ask: Asking, ledger: Any) -> None:
    checks = '[{"name": "a", "status": "passed"}, {"name": "b", "status": "failed", "severity": "row"}]'
    for n, table in enumerate(("churn_events", "support_tickets", "churn_events")):
        ledger(table, "admitted", checks=checks, quarantined=n)
        ledger(table, "refused", paths=(f"{n}.csv",), checks=checks)
        store.publish(f"build {n}")
        fresh = Asking(Metrics(store.settings, store.warehouse))
        for metric in ("churn_events", "tickets_opened", "mrr"):
            first, second = (asking.answer(metric)["trust"] for asking in (ask, fresh))
            assert first | {"freshness_seconds": 0} == second | {"freshness_seconds": 0}
        fresh.metrics.close()


def test_batches_behind_the_snapshot_are_read_once(store: Store, ask: Asking, ledger: Any) -> None:
    ledger("churn_events", "admitted", checks='[{"name": "a", "status": "passed"}]')
    store.publish()
    statements: list[str] = []

    @sa.event.listens_for(store.warehouse.engine("api"), "before_cursor_execute")
    def remember(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    for metric in ("churn_events", "churn_events", "tickets_opened"):
        ask.answer(metric)

    assert sum("jsonb_array_elements" in statement for statement in statements) == 2
    before = len(statements)
    ask.answer("churn_events")
    assert any("resolved_by_batch_id is not null" in statement for statement in statements[before:])
    assert sum("jsonb_array_elements" in statement for statement in statements) == 2
