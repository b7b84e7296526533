"""Each call of the metrics over HTTP leaves one row in the log, whatever it wanted and whatever became of it."""

from typing import Any

import sqlalchemy as sa

from tests.serving.http.conftest import Server, until

_COLUMNS = "kind, metrics, group_by, row_count, is_cache_hit, outcome"


def _logged(server: Server, principal: str) -> list[tuple[Any, ...]]:
    statement = f"select {_COLUMNS} from ops.metric_queries where principal = :principal order by asked_at"
    with server.warehouse.engine().connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement), {"principal": principal})]


def test_each_call_leaves_a_row(server: Server) -> None:
    key = server.key("bolt")
    with server.client(key) as bolt:
        metrics = bolt.get("/metrics").json()["metrics"]
        assert bolt.get("/metrics/arr").status_code == 200
        assert bolt.get("/metrics/nonsense").status_code == 404
        countries = bolt.get("/metrics/arr/dimensions/country/values").json()["values"]
        assert bolt.get("/metrics/arr/dimensions/nonsense/values").status_code == 404
        assert bolt.get("/metrics/arr/explain", params={"group_by": "plan"}).status_code == 200
        assert bolt.get("/metrics/nonsense/explain").status_code == 404
        asked = bolt.ask("user_actions")
        assert asked.status_code == 200
        assert bolt.ask("user_actions", headers={"If-None-Match": asked.headers["ETag"]}).status_code == 304
        assert bolt.ask("user_actions").status_code == 200
        assert bolt.ask("user_actions", headers={"Accept": "image/png"}).status_code == 406
        assert bolt.ask("nonsense").status_code == 400
        several = {"queries": [{"metrics": ["user_actions"]}, {"metrics": ["nonsense"]}]}
        assert bolt.http.post("/api/v1/metrics/batch", json=several).status_code == 200

    principal = f"key:{key.split('_')[1]}"
    expected = [
        ("list", [], [], len(metrics), None, "answered"),
        ("list", ["arr"], [], 1, None, "answered"),
        ("list", ["nonsense"], [], None, None, "failed"),
        ("values", ["arr"], ["country"], len(countries), False, "answered"),
        ("values", ["arr"], ["nonsense"], None, None, "failed"),
        ("explain", ["arr"], ["plan"], None, None, "answered"),
        ("explain", ["nonsense"], [], None, None, "failed"),
        ("query", ["user_actions"], [], 1, False, "answered"),
        ("query", ["user_actions"], [], None, True, "answered"),
        ("query", ["user_actions"], [], 1, True, "answered"),
        ("query", ["user_actions"], [], None, None, "failed"),
        ("query", ["nonsense"], [], None, None, "failed"),
    ]
    until(lambda: len(_logged(server, principal)) == len(expected) + 2)
    logged = _logged(server, principal)
    assert logged[: len(expected)] == expected
    # Those of a batch are asked side by side.
    assert sorted(logged[len(expected) :]) == [
        ("query", ["nonsense"], [], None, None, "failed"),
        ("query", ["user_actions"], [], 1, True, "answered"),
    ]
