"""What every answer carries, whatever was asked and whatever went wrong."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, begin_within_a_minute, running


def test_headers_of_good_manners_are_on_every_answer(server: Server) -> None:
    with server.client() as client:
        for path in ("/health/live", "/api/v1/metrics", "/no/such/page"):
            headers = client.http.get(path, headers={"X-Request-ID": "not fit\tto be logged"}).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors" in headers["Content-Security-Policy"]
            assert len(headers["X-Request-ID"]) == 16
        assert client.http.get("/no/such/page").json()["title"] == "Not Found"
        assert client.http.put("/api/v1/metrics").status_code == 405


def test_the_description_of_the_api_names_every_error(server: Server) -> None:
    with server.client() as client:
        described = client.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), f"{method} {path}"
            if path.startswith("/api/v1/metrics"):
                assert {"400", "401", "403", "503"} <= operation["responses"].keys(), f"{method} {path}"
                assert "422" not in operation["responses"], f"{method} {path}"


def test_every_route_is_described_with_examples(server: Server) -> None:
    with server.client() as client:
        described = client.get("/openapi.json").json()
    schemas = described["components"]["schemas"]

    def has_example(schema: dict[str, Any]) -> bool:
        named = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        parts = [*named.get("properties", {}).values(), *named.get("anyOf", ()), named.get("items", {})]
        return bool({"example", "examples"} & named.keys()) or any(has_example(part) for part in parts if part)

    without = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            for body in bodies:
                for kind, content in body.get("content", {}).items():
                    if kind in ("application/json", "multipart/form-data") and not has_example(content["schema"]):
                        without.append(f"{method} {path}: {kind}")
            without += [
                f"{method} {path}: {parameter['name']}"
                for parameter in operation.get("parameters", ())
                # What these are was in an answer before.
                if parameter["name"] not in ("cursor", "code", "state", "error", "datainsight_oidc")
                and "examples" not in str(parameter)
            ]
    assert not without, "\n".join(without)


def test_what_nobody_expected_is_a_problem_that_says_nothing_of_our_insides(
    published: Store, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(published.settings)

    def boom() -> None:
        raise RuntimeError("a secret of ours")

    app.add_api_route("/boom", boom)
    with running(app) as address:
        answer = httpx.get(f"{address}/boom", headers={"X-Request-ID": "boom-1"})
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "boom-1"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "secret" not in answer.text
    (logged,) = [record for record in caplog.records if record.getMessage() == "request boom-1 failed"]
    assert logged.exc_info is not None
    assert str(logged.exc_info[1]) == "a secret of ours"


def test_each_request_is_a_line_of_the_log_without_what_is_secret(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    key = server.key("acme")
    with caplog.at_level(logging.INFO, "datainsight.access"), server.client(key) as client:
        client.get("/metrics/query?metrics=mrr", headers={"X-Request-ID": "logged"})
    (line,) = [json.loads(record.message) for record in caplog.records if "logged" in record.message]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/metrics/query", 200)
    assert line["subject"] == f"key:{key[3:15]}"
    assert line["bytes"] > 0
    assert key[16:] not in caplog.text


def test_served_by_itself_it_answers_until_it_is_told_to_stop(published: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe, socket.create_server(("127.0.0.1", 0)) as other:
        port, operations = probe.getsockname()[1], other.getsockname()[1]
    assert published.settings.database_url is not None
    environment = {
        "PATH": os.environ["PATH"],
        "DATAINSIGHT_DATABASE_URL": published.settings.database_url.get_secret_value(),
        "DATAINSIGHT_HOME": str(published.settings.home),
        "DATAINSIGHT_API_PORT": str(port),
        "DATAINSIGHT_OPERATIONS_PORT": str(operations),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "serve"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                ready = httpx.get(f"http://127.0.0.1:{port}/health/ready")
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        assert ready.json()["snapshot_id"] == published.latest().snapshot_id
        figures = httpx.get(f"http://127.0.0.1:{operations}/metrics")
        assert figures.headers["Content-Type"].startswith("text/plain")
        assert f"datainsight_snapshot_id {published.latest().snapshot_id}.0" in figures.text
        assert "datainsight_warehouse_reachable 1.0" in figures.text
        assert "datainsight_questions_unlogged 0.0" in figures.text
        assert 'datainsight_request_seconds_count{method="GET",route="/health/ready",status="200"}' in figures.text
        assert httpx.get(f"http://127.0.0.1:{operations}/health/live").status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    assert f"127.0.0.1:{port}/api/v1" in stderr
    (line,) = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    assert line["path"] == "/health/ready"


def test_a_port_that_is_taken_is_one_line(published: Store) -> None:
    assert published.settings.database_url is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {
            "PATH": os.environ["PATH"],
            "DATAINSIGHT_DATABASE_URL": published.settings.database_url.get_secret_value(),
            "DATAINSIGHT_HOME": str(published.settings.home),
            "DATAINSIGHT_API_PORT": str(taken.getsockname()[1]),
        }
        done = subprocess.run(
            [sys.executable, "-m", "orchestration.cli", "serve"],
            env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "DATAINSIGHT_API_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_pages_of_listed_origins_may_read_and_no_others(published: Store) -> None:
    settings = published.settings.model_copy(update={"cors_origins": ("https://app.example.com",)})
    with running(create_app(settings)) as address:
        for origin, allowed in (("https://app.example.com", "https://app.example.com"), ("https://evil.example", None)):
            asked = httpx.options(
                f"{address}/api/v1/metrics/query",
                headers={
                    "Origin": origin,
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "authorization",
                },
            )
            assert asked.headers.get("Access-Control-Allow-Origin") == allowed
            simple = httpx.get(f"{address}/health/live", headers={"Origin": origin})
            assert simple.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Access-Control-Allow-Credentials" not in simple.headers


def test_an_organization_reports_so_many_events_in_a_day(published: Store) -> None:
    settings = published.settings.model_copy(update={"event_limits": {"standard": 3}})
    said = {"user_id": "ada", "action": "viewed", "occurred_at": "2024-03-05T10:00:00Z"}

    def report(client: Client, *names: str) -> int:
        events = [{"event_id": name, **said} for name in names]
        answer = client.http.post("/api/v1/analytics/events", json={"events": events})
        if answer.status_code == 429:
            assert answer.json()["detail"] == "that would be more than 3 events in a day"
            assert 1 <= int(answer.headers["Retry-After"]) <= 86_400
        return answer.status_code

    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        with (
            server.client(server.key("acme", Role.EDITOR)) as acme,
            server.client(server.key("bolt", Role.EDITOR)) as bolt,
        ):
            # What is there already is not counted again, and what was refused neither.
            for names, expected in (("ab", 202), ("ab", 429), ("a", 202), ("cd", 429), ("c", 202), ("d", 429)):
                assert report(acme, *names) == expected, names
            assert report(bolt, *"abc") == 202
            assert report(bolt, *"abcd") == 400
            assert acme.ask("mrr").status_code == 200


def test_an_organization_has_so_many_requests_in_a_minute_whoever_sends_them(published: Store) -> None:
    settings = published.settings.model_copy(update={"rate_limits": {"standard": 5}})
    with running(create_app(settings)) as address:
        server = Server(address, published.warehouse)
        with (
            server.client(server.key("acme")) as one,
            server.client(server.key("acme")) as two,
            server.client(server.key("bolt")) as bolt,
        ):
            begin_within_a_minute()
            left = [client.ask("mrr").headers["X-RateLimit-Remaining"] for client in (one, two, one, two, one)]
            assert left == ["4", "3", "2", "1", "0"]
            refused = two.ask("mrr")
            assert refused.status_code == 429
            assert refused.headers["X-RateLimit-Limit"] == "5"
            assert 1 <= int(refused.headers["Retry-After"]) <= 60
            assert refused.json()["type"] == "urn:datainsight:too-many-requests"
            assert bolt.ask("mrr").status_code == 200
            assert httpx.get(f"{address}/health/live").status_code == 200
