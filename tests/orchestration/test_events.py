"""What is reported over HTTP goes the whole way: landed, judged, built, published, and asked for as a metric."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.orchestration.conftest import SOURCES, Company
from tests.serving.http.conftest import Server, running
from warehouse.connect import open_warehouse
from warehouse.settings import Settings


def _event(name: str, **given: Any) -> dict[str, Any]:
    said = {"user_id": "ada@example.com", "action": "dashboard_viewed", "occurred_at": "2024-03-05T10:00:00Z"}
    return {"event_id": name, **said, **given}


@pytest.fixture
def configured(ran: Company) -> Company:
    """The company, whose platform is a source too."""
    (ran.folder / "sources.yaml").write_text(SOURCES + "  platform: {kind: platform}\n")
    return ran


def test_reported_events_are_metrics_of_their_organization_alone(configured: Company) -> None:
    # Nothing was reported: the source is new, and says nothing.
    quiet = configured.run()
    assert (quiet["rows_landed"], quiet["notes"]) == (0, [])
    assert configured.metric("user_actions") == [[10]]
    again = configured.run()
    assert (again["models"], again["snapshot"]["published"]) == (0, False)

    settings = Settings(
        database_url=SecretStr(configured.environment["DATAINSIGHT_DATABASE_URL"]),
        home=Path(configured.environment["DATAINSIGHT_HOME"]),
    )
    with open_warehouse(settings) as warehouse, running(create_app(settings)) as address:
        door = Server(address, warehouse)
        # It looks like an escape of JSON.
        folder = {"path": r"C:\u0000\udata"}
        for organization, events in (
            ("A-1", [_event("e-1", properties=folder), _event("e-2", action="exported", dashboard_id="d-1")]),
            ("A-1", [_event("e-2"), _event("e-3", occurred_at="2024-03-05T10:10:00Z")]),
            ("A-2", [_event("e-1", action="A secret of theirs")]),
        ):
            with door.client(door.key(organization, Role.EDITOR)) as client:
                answer = client.http.post("/api/v1/analytics/events", json={"events": events})
                assert answer.status_code == 202, answer.text

        landed = configured.run()
        assert [(b["source"], b["row_count"], b["quarantined_count"]) for b in landed["batches"]] == [
            ("platform", 4, 0)
        ]
        assert landed["snapshot"]["published"] is True
        assert configured.run()["rows_landed"] == 0

        by_source = {"group_by": ["user_action__source_name"]}
        expected = {"A-1": [["github", 4], ["platform", 3]], "A-2": [["github", 6], ["platform", 1]]}
        for organization, rows in expected.items():
            with door.client(door.key(organization)) as client:
                assert client.answer("user_actions", **by_source)["rows"] == rows
                types = client.ask("user_actions", group_by=["action_type"]).text
                assert ("A secret of theirs" in types) is (organization == "A-2")
        with door.client(door.key(None, Role.OPERATOR)) as operator:
            assert operator.answer("user_actions", **by_source)["rows"] == [["github", 10], ["platform", 4]]
            # What two organizations call the same are two users; the event log has five.
            assert operator.answer("active_users")["rows"] == [[7]]
    assert configured.metric("sessions", "--where", "organization=A-1", "--where", "user__login=ada@example.com") == [
        [1]
    ]
