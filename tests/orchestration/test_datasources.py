"""What an organization adds over HTTP goes the whole way: asked for there, done by the command, told there."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.orchestration.conftest import Company
from tests.serving.http.conftest import Client, Server, running, until
from warehouse.connect import open_warehouse
from warehouse.settings import Settings

# The third line has more fields than there are columns.
ORDERS = b"order_id,amount\n1,2.50\n2,3.00\n3,4.00,what\n4,5.00\n"


@pytest.fixture
def settings(ran: Company) -> Settings:
    return Settings(
        database_url=SecretStr(ran.environment["DATAINSIGHT_DATABASE_URL"]),
        home=Path(ran.environment["DATAINSIGHT_HOME"]),
        sources=Path(ran.environment["DATAINSIGHT_SOURCES"]),
        source_networks=("127.0.0.0/8",),
    )


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    with open_warehouse(settings) as warehouse, running(create_app(settings)) as address:
        yield Server(address, warehouse)


@pytest.fixture
def admin(server: Server) -> Iterator[Client]:
    with server.client(server.key("A-1", Role.ADMIN)) as client:
        yield client


def done(client: Client, datasource_id: str, what: str) -> dict[str, Any]:
    """What came of a job."""
    asked = client.http.post(f"/api/v1/datasources/{datasource_id}/{what}")
    assert asked.status_code == 202, asked.text
    place = f"/datasources/jobs/{asked.json()['job_id']}"
    until(lambda: client.get(place).json()["status"] in {"succeeded", "failed"}, seconds=180)
    job: dict[str, Any] = client.get(place).json()
    return job


def upload(client: Client, content: bytes, **fields: str) -> dict[str, Any]:
    answer = client.http.post("/api/v1/uploads", files={"file": ("orders.csv", content)}, data=fields)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_an_upload_lands_is_judged_and_is_told_of(ran: Company, server: Server, admin: Client) -> None:
    made = str(upload(admin, ORDERS, key="order_id")["datasource"]["datasource_id"])

    found = done(admin, made, "check")
    assert (found["status"], found["result"]["tables"][0]["problem"]) == ("succeeded", None), found
    assert str(ran.folder) not in str(found)
    discovered = done(admin, made, "discover")["result"]["tables"]
    assert [(table["table_name"], table["columns"]) for table in discovered] == [("orders", ["order_id", "amount"])]
    assert str(ran.folder) not in str(discovered)

    first = done(admin, made, "sync")
    assert first["status"] == "succeeded", first
    assert [batch["table_name"] for batch in first["result"]["batches"]] == ["orders"]
    assert (first["result"]["rows_landed"], first["result"]["rows_quarantined"]) == (4, 1)
    with server.warehouse.engine().connect() as connection:
        landed = connection.execute(sa.text(f"select order_id from raw_{made}.orders order by order_id")).scalars()
        assert list(landed) == ["1", "2", "4"]

    [batch] = admin.get(f"/datasources/{made}/batches").json()["batches"]
    assert (batch["status"], batch["row_count"], batch["quarantined_count"]) == ("admitted", 4, 1)
    [row] = admin.get(f"/datasources/{made}/quarantine").json()["quarantine"]
    assert row["batch_id"] == batch["batch_id"]
    assert "what" in str(row["payload"])

    # The same content again is nothing new, and nor is the same job.
    assert upload(admin, ORDERS, key="order_id")["is_new"] is False
    assert done(admin, made, "sync")["result"]["batches"] == []

    # The pass over everything takes it, too.
    upload(admin, b"order_id,amount\n5,6.00\n", datasource_id=made, table="orders")
    summary = ran.run()
    assert [(one["source"], one["row_count"]) for one in summary["batches"]] == [(made, 1)]

    assert admin.http.delete(f"/api/v1/datasources/{made}").status_code == 204
    assert made not in str(ran.json("run"))
    with server.warehouse.engine().connect() as connection:
        # What has landed is immutable.
        assert connection.execute(sa.text(f"select count(*) from raw_{made}.orders")).scalar_one() == 4


def test_what_is_wrong_with_a_source_is_told_without_its_secret(server: Server, admin: Client) -> None:
    secret = "hunter2-is-a-secret"
    made = admin.http.post(
        "/api/v1/datasources",
        json={
            "name": "nobody's",
            "kind": "database",
            # Nobody listens on this port.
            "configuration": {"url": f"postgresql://a:{secret}@127.0.0.1:1/x", "tables": {"orders": {}}},
        },
    ).json()["datasource_id"]
    for what in ("check", "discover", "sync"):
        job = done(admin, made, what)
        assert job["status"] == "failed", job
        assert job["result"]["detail"]
        assert secret not in str(job)
    with server.warehouse.engine().connect() as connection:
        told = connection.execute(sa.text("select cast(j as text) from app.jobs as j")).scalars().all()
    assert len(told) == 3
    assert secret not in str(told)


def test_one_organizations_broken_source_stops_nobodys_numbers(ran: Company, admin: Client, settings: Settings) -> None:
    broken = {"url": "postgresql://a:b@127.0.0.1:1/x", "tables": {"orders": {}}}
    body = {"name": "x", "kind": "database", "configuration": broken}
    made = admin.http.post("/api/v1/datasources", json=body).json()["datasource_id"]
    (ran.data / "usage_2.csv").write_text(
        (ran.data / "usage_1.csv").read_text().splitlines()[0] + "\nU-9,S-1,03-01-2024,export,1,60,0,FALSE\n"
    )
    failed = ran("run", "--json")
    assert failed.returncode == 1
    assert made in failed.stdout + failed.stderr
    batches = ran.json("batches", "list")["batches"]
    assert batches[0]["table_name"] == "feature_usage"
    assert batches[0]["status"] == "admitted"
    usages = sa.text("select count(*) from marts.fact_feature_usage")
    with open_warehouse(settings) as warehouse, warehouse.engine().connect() as connection:
        assert connection.execute(usages).scalar_one() == 3


def test_one_organizations_endless_sources_stop_nobodys_numbers(ran: Company, admin: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endless = {"url": f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/x", "tables": {"orders": {}}}
        body = {"name": "x", "kind": "database", "configuration": endless}
        for _ in range(2):
            assert admin.http.post("/api/v1/datasources", json=body).status_code == 201
        (ran.data / "usage_2.csv").write_text(
            (ran.data / "usage_1.csv").read_text().splitlines()[0] + "\nU-9,S-1,03-01-2024,export,1,60,0,FALSE\n"
        )
        more = {"DATAINSIGHT_JOB_SECONDS": "5", "DATAINSIGHT_SOURCE_NETWORKS": '["127.0.0.0/8"]'}
        failed = Company(ran.folder, {**ran.environment, **more})("run", "--json")
    assert failed.returncode == 1
    told = json.loads(failed.stdout)
    # The first took the time of both.
    assert told["error"].count("was ended after 5 s") == 1, told["error"]
    assert told["error"].count("was not read: others of its organization have taken") == 1
    assert [(one["table_name"], one["status"]) for one in told["batches"]] == [("feature_usage", "admitted")]
    assert told["snapshot"]["published"] is True


def test_a_job_that_takes_too_long_is_ended(settings: Settings) -> None:
    hurried = settings.model_copy(update={"job_seconds": 1})
    with open_warehouse(hurried) as warehouse, running(create_app(hurried)) as address:
        server = Server(address, warehouse)
        with server.client(server.key("A-1", Role.ADMIN)) as client:
            made = str(upload(client, ORDERS)["datasource"]["datasource_id"])
            job = done(client, made, "sync")
    assert (job["status"], job["result"]["detail"]) == ("failed", "it took longer than 1 s")


def test_a_job_outlives_the_server(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        with running(create_app(settings)) as address:
            server = Server(address, warehouse)
            key = server.key("A-1", Role.ADMIN)
            with server.client(key) as client:
                made = str(upload(client, ORDERS)["datasource"]["datasource_id"])
                job = client.http.post(f"/api/v1/datasources/{made}/sync").json()
                until(lambda: client.get(f"/datasources/jobs/{job['job_id']}").json()["status"] == "running")
        with running(create_app(settings)) as address, Server(address, warehouse).client(key) as client:
            place = f"/datasources/jobs/{job['job_id']}"
            until(lambda: client.get(place).json()["status"] == "succeeded", seconds=180)
