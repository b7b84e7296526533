"""Every call leaves one row in the log, and no log stops an answer."""

from typing import Any

import pytest
import sqlalchemy as sa

from serving.metrics import parse_query
from serving.query_log import Caller
from tests.serving.conftest import Asking, Store
from warehouse.database import ANALYST, API, TRANSFORMER, Warehouse
from warehouse.errors import DataInsightError


def _logged(warehouse: Warehouse, columns: str) -> list[tuple[Any, ...]]:
    with warehouse.engine().connect() as connection:
        rows = connection.execute(sa.text(f"select {columns} from ops.metric_queries order by query_id"))
        return [tuple(row) for row in rows]


def test_every_question_is_logged_with_what_became_of_it(store: Store, ask: Asking) -> None:
    with pytest.raises(DataInsightError, match="nothing was published"):
        ask.rows("mrr")
    snapshot = store.publish(admission_seq=7)
    months = ask.rows("mrr", "arr", group_by=["metric_time", "country"], grain="month")
    ask.rows("user_actions", organization="acme")
    ask.rows("user_actions", organization="acme")
    filters = [{"dimension": "country", "op": "eq", "values": ["a secret"]}]
    with pytest.raises(DataInsightError):
        ask.rows("nonsense\0" + "x" * 191, filters=filters)
    ask.metrics.close()

    seen = "organization_id, metrics, group_by, grain, snapshot_id, admission_seq, row_count, is_cache_hit, outcome"
    given, missing = (snapshot.snapshot_id, 7), (None, None)
    assert _logged(store.warehouse, seen) == [
        (None, ["mrr"], [], None, *missing, None, None, "failed"),
        (None, ["mrr", "arr"], ["metric_time", "country"], "month", *given, len(months), False, "answered"),
        ("acme", ["user_actions"], [], None, *given, 1, False, "answered"),
        ("acme", ["user_actions"], [], None, *given, 1, True, "answered"),
        (None, ["nonsense\ufffd" + "x" * 191], [], None, *given, None, None, "failed"),
    ]
    assert all(0 <= row[0] < 60_000 for row in _logged(store.warehouse, "milliseconds"))
    recent = "asked_at between now() - interval '1 hour' and now()"
    assert {row[0] for row in _logged(store.warehouse, recent)} == {True}
    assert "a secret" not in str(_logged(store.warehouse, "*"))


def test_it_says_by_which_way_a_question_came_and_who_asked_it(store: Store, ask: Asking) -> None:
    store.publish()
    query, caller = parse_query({"metrics": ["mrr"]}), Caller("http", "key:1")
    ask.metrics.query(query)
    # Also where the answer is known already: that is the same for everybody, and who asks is not.
    with ask.metrics.log.question(caller, None, query) as call:
        assert ask.metrics.known(query, None, ask.metrics.standing(), call) is not None
    with ask.metrics.log.question(Caller("http", "user:2"), None, query) as call:
        ask.metrics.query(query, call=call)
    ask.metrics.close()

    assert _logged(store.warehouse, "door, principal, is_cache_hit") == [
        ("command", None, False),
        ("http", "key:1", True),
        ("http", "user:2", True),
    ]


def test_a_warehouse_that_cannot_be_written_answers_all_the_same(store: Store, ask: Asking) -> None:
    store.publish()
    with store.warehouse.engine().begin() as connection:
        name = connection.engine.url.database
        connection.exec_driver_sql(f"alter database {name} set default_transaction_read_only = on")
    store.warehouse.dispose()

    assert ask.rows("user_actions") == [[360]]
    ask.metrics.close()

    assert _logged(store.warehouse, "*") == []
    assert ask.metrics.log.lost == 1


def test_questions_after_closing_are_logged_too(store: Store, ask: Asking) -> None:
    store.publish()
    ask.rows("mrr")
    ask.metrics.close()
    ask.rows("mrr")
    ask.metrics.close()

    assert _logged(store.warehouse, "outcome") == [("answered",), ("answered",)]


ROW = "(asked_at, metrics, group_by, milliseconds, outcome) values (now(), '{}', '{}', 1, 'answered')"
MAY = {
    (API, f"insert into ops.metric_queries {ROW}"): True,
    (API, "update ops.metric_queries set outcome = 'failed'"): False,
    (API, "delete from ops.metric_queries"): False,
    (TRANSFORMER, "select from ops.metric_queries"): True,
    (TRANSFORMER, f"insert into ops.metric_queries {ROW}"): False,
    (TRANSFORMER, "select from ops.files"): True,
    (ANALYST, "select from ops.metric_queries"): False,
}


@pytest.mark.parametrize(("role", "statement"), MAY)
def test_the_log_is_written_by_the_platform_alone(warehouse: Warehouse, role: str, statement: str) -> None:
    with warehouse.engine(role).connect() as connection:
        if MAY[role, statement]:
            connection.execute(sa.text(statement))
        else:
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                connection.execute(sa.text(statement))
